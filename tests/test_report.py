"""The report's Python side: what goes into the bundle, how it is chosen, what it weighs, and what is kept out of it."""

import json
import re
import shutil
import tracemalloc
from base64 import b64decode
from html import unescape
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from typer.testing import CliRunner

import seewhy as sw
from seewhy.apps.cli import app
from seewhy.errors import InputError
from seewhy.results.drawn import thumbnails
from seewhy.results.findings import Effect, Finding, Findings
from seewhy.results.questions import clusters, focus
from seewhy.results.report.bundle import Cut, bundle, bundled, gathered
from seewhy.results.report.fitting import size
from seewhy.results.report.remedies import missing
from seewhy.results.report.sampling import sampled
from seewhy.results.report.viewer import embedded
from seewhy.results.trials import Cell, Shot, Trial
from tests.support import runs
from tests.support.runs import row, synthetic

EVIL = "</script><script>alert(1)</script>"
DATA = re.compile(r'<script type="application/json" id="bundle">(.*?)</script>', re.DOTALL)


def picture(draw, path, size=(60, 40), **options):
    pixels = draw.integers(0, 255, (size[1] // 4, size[0] // 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    Image.fromarray(pixels).save(path, **options)


def answers(n, seed=0):
    """Rows with two ways of looking in each class: the first ten channels, or the last."""
    draw = np.random.default_rng(seed)
    made = []
    for i in range(n):
        label = ("cat", "dog")[i % 2]
        said = label if draw.random() < 0.8 else ("dog", "cat")[i % 2]
        attended = draw.random(20) * 0.1
        attended[:10] += i // 2 % 2
        attended[10:] += 1 - i // 2 % 2
        more = {"path": f"{label}/{i}.png", "width": 60, "height": 40, "box": [10.0, 0, 50, 40], "group": f"Mr {i % 3}"}
        cells = np.zeros(4) if i == 5 else draw.random(4)
        made.append(
            row(
                label,
                said,
                float(draw.uniform(0.5, 0.999)),
                **more,
                **{"map": (cells / max(cells.max(), 1e-9)).astype(np.float16), "map_scale": 0.0 if i == 5 else 2.0},
                label_map=None if label == said else np.array([1, 0, 0, 0], np.float16),
                label_map_scale=None if label == said else 0.5,
                attended=attended.astype(np.float16),
                perceptual_hash=int(draw.integers(2**63)),
                peak_row=0.25,
                peak_column=0.75,
            )
        )
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """120 answers and an unreadable file; the pictures lie on disk."""
    home = tmp_path_factory.mktemp("report")
    made = [*answers(120), {"path": "cat/Mr Secret's photo.png", "error": "the file '/home/me/x.png' is damaged\nmore"}]
    draw = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (home / "photos" / name).mkdir(parents=True)
    for each in made[:120]:
        picture(draw, home / "photos" / each["path"])
    return sw.open(runs.written(home / "run", made, root=home / "photos"))


def made_of(tmp_path, rows, **options):
    return sw.open(runs.written(tmp_path / "run", rows, **options))


def check(made):
    """What docs/reference/bundle.md promises of any bundle."""
    assert json.loads(embedded(made)) == made  # plain, and every number is finite
    n, classes = made["pictures"]["n"], range(len(made["labels"]))
    columns = [
        name for name, each in made["pictures"].items() if isinstance(each, list) and name not in ("groups", "splits")
    ]
    assert len(columns) >= 12
    assert all(len(made["pictures"][name]) == n for name in columns)
    assert all(each in classes for each in made["pictures"]["predicted"])
    assert all(each is None or each in classes for each in made["pictures"]["label"])
    coarse = made["pictures"]["coarse"]
    assert len(b64decode(coarse["values"])) == n * coarse["height"] * coarse["width"]
    assert made["sampling"]["rows"] == n
    assert made["sampling"]["pictures"] == sum(each["image"] is not None for each in made["shown"])
    assert len({each["row"] for each in made["shown"]}) == len(made["shown"])
    for each in made["shown"]:
        assert each["row"] in range(n)
        assert all(top[0] in classes for top in each["top"])
        for name in ("map", "label_map"):
            if each[name] is not None:
                assert len(b64decode(each[name]["values"])) == each[name]["height"] * each[name]["width"]
        if each["image"]:
            assert opened(each["image"]).size == (each["width"], each["height"])
    for each in made["clusters"]["list"]:
        assert all(place in range(n) for place in (*each["typical"], *each["odd"]))
    for each in made["findings"]["list"]:
        listed = [*each["rows"], *(one["row"] for one in each["shown"])]
        assert all(place in range(n) for place in listed)
        assert each["class"] in classes
        assert len(b64decode(each["region"]["values"])) == each["region"]["height"] * each["region"]["width"]
        for effect in each["effects"]:
            for trials in (effect["trials"], effect["control_trials"]):
                assert len({len(column) for column in trials.values()}) == 1
    ids = [each["id"] for each in made["clusters"]["list"]]
    assert all(each is None or each in ids for each in made["pictures"]["cluster"])
    names = [each["name"] for each in made["measures"]["classes"]]
    assert set(names) <= set(made["labels"])


def opened(url):
    head, _, code = url.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(BytesIO(b64decode(code)))


def test_the_bundle_says_what_the_run_says(run):
    made = bundle(run, title="all of it")
    check(made)
    assert made["title"] == "all of it"
    assert made["measures"]["accuracy"] == pytest.approx(run.measures().accuracy, abs=1e-5)
    assert made["sampling"]["how_pictures"] == "All pictures."
    assert (made["failures_count"], made["failures"][0]["error"]) == (1, "damaged or cut short")
    assert sum(pictures for _, _, pictures in made["confusion"]["pairs"]) == 120
    table = run.select(["id", "path", "label_index", "probability"], error=None)
    assert made["pictures"]["path"] == table["path"].to_pylist()
    assert made["pictures"]["label"] == table["label_index"].to_pylist()
    np.testing.assert_allclose(made["pictures"]["probability"], table["probability"].to_numpy(), atol=5e-5)
    assert made["pictures"]["scale"][5] == 0
    unread = {"peak", "pairs_count", "fingerprint", "options"}
    assert not unread & {*made["pictures"], *made["confusion"], *made["about"], *made["about"]["model"]}
    assert made["pictures"]["border"][5] is None
    assert made["pictures"]["groups"] == ["Mr 0", "Mr 1", "Mr 2"]
    assert made["about"]["data"]["name"] == "photos"
    assert bundle(run)["title"] == "net on photos"
    assert sum(each["size"] for each in made["clusters"]["list"]) == 119  # without the empty map


def test_a_map_survives_to_half_a_step(run):
    made = bundle(run)
    shown = next(each for each in made["shown"] if each["row"] == 7)
    (held,) = run.rows([7], ["map", "map_scale"]).to_pylist()
    kept = np.frombuffer(b64decode(shown["map"]["values"]), np.uint8) / 255 * shown["map"]["scale"]
    np.testing.assert_allclose(kept, np.array(held["map"]) * held["map_scale"], atol=2.0 / 255 / 2 + 1e-6)
    assert shown["box"] == pytest.approx([10 / 60, 0, 50 / 60, 1], abs=1e-5)
    assert shown["original"] == [60, 40]
    coarse = np.frombuffer(b64decode(made["pictures"]["coarse"]["values"]), np.uint8).reshape(-1, 6, 6)
    assert coarse[5].max() == 0
    assert (coarse[[0, 7]].max(axis=(1, 2)) == 255).all()
    cells = np.array(held["map"], float).reshape(2, 2).repeat(3, 0).repeat(3, 1)
    np.testing.assert_allclose(coarse[7] / 255, cells, atol=0.005)


@pytest.mark.parametrize("scale", [3.0625e-6, 0.012345, 0.98765, 12345.0])
def test_small_scales_keep_their_digits(tmp_path, scale):
    made = bundle(made_of(tmp_path, [row("cat", "cat", map_scale=scale)] * 3))
    assert made["pictures"]["scale"] == [pytest.approx(scale, rel=5e-4)] * 3
    assert [each["map"]["scale"] for each in made["shown"]] == [pytest.approx(scale, rel=5e-5)] * 3


def test_a_doubted_label_is_given_to_the_right_class_of_one_name(tmp_path):
    labels = ("crane", "cat", "crane ")
    rows = [row("cat", "cat", 0.8, labels) for _ in range(8)]
    rows += [row(name, name, 0.8, labels) for name in ("crane", "crane ") for _ in range(8)]
    rows += [row("cat", "crane", 0.95, labels), row("cat", "crane ", 0.95, labels)]
    made = bundle(made_of(tmp_path, [{**each, "map": None} for each in rows], labels=("crane", "cat", "crane")))
    assert [(each["row"], each["suggested"]) for each in made["doubts"]] == [(24, 0), (25, 2)]


def test_the_largest_scale_is_that_of_the_whole_run(tmp_path):
    rows = [row("cat", "cat", map_scale=float(i % 7)) for i in range(50)]
    rows[30] |= {"label_map_scale": 99.5, "label_map": np.ones(4, np.float16)}
    assert bundle(made_of(tmp_path, rows), rows=5, pictures=2)["sampling"]["largest_scale"] == 99.5


def test_means_of_many_maps_take_little_memory(tmp_path):
    large = sw.open(synthetic(tmp_path / "run", 6_000, grid=(48, 48), failed=0))
    held = large.select(["map", "map_height", "map_width"]).combine_chunks()
    ids = np.arange(6_000)
    tracemalloc.start()  # knows of NumPy's memory, not of Arrow's
    focus.shares(held, (6, 6))
    small = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    maps = clusters._mean_maps(large, ids, ids % 3, 0)
    batches = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(small, batches) < 80e6  # an index of all cells takes 110 MB
    np.testing.assert_allclose(maps[1], focus.shares(held, (28, 28))[1::3].mean(axis=0), rtol=1e-4)


def test_large_maps_are_averaged_down():
    cells = np.linspace(0, 1, 64 * 48).reshape(64, 48)
    one = {"map": cells.ravel(), "map_scale": 3.0, "map_height": 64, "map_width": 48}
    kept = thumbnails.map_of(one, "map")
    assert (kept["height"], kept["width"]) == (32, 32)
    values = np.frombuffer(b64decode(kept["values"]), np.uint8).reshape(32, 32) / 255
    assert values.mean() == pytest.approx(cells.mean(), abs=0.01)
    assert thumbnails.map_of({**one, "map_scale": None}, "map") is None
    assert thumbnails.map_of({**one, "map_scale": float("nan")}, "map") is None


def test_the_mean_maps_of_all_classes_are_weighed_by_pictures(run):
    made = bundle(run, images=False)["focus"]
    found = run.focus()
    right = [(one.pictures, each) for one, each in zip(found.looked, found.maps, strict=True) if one.answers == "right"]
    mean = sum(n * each for n, each in right) / sum(n for n, _ in right)
    np.testing.assert_allclose(made["all"]["right"]["map"], mean, atol=1e-5)
    assert made["all"]["unknown"] is None
    assert [each["class"] for each in made["classes"]] == [0, 1]


def test_what_is_shown_of_a_large_run_is_a_mix_and_is_told(tmp_path):
    large = sw.open(synthetic(tmp_path / "run", 3_000, classes=5, part_size=700))
    groups = large.looked_at()
    sample = sampled(large, groups, [7, 8], rows=500, pictures=100)
    assert len(sample.pictures) == len({i for i, _ in sample.pictures}) == 100
    assert {i for i, _ in sample.pictures} <= set(sample.rows.tolist())
    assert len(sample.rows) <= 500
    assert (np.diff(sample.rows) > 0).all()
    worst = large.most_confident_wrong(20).ids
    assert [i for i, why in sample.pictures if why == "confident"] == worst
    assert {why for _, why in sample.pictures[:12]} == {"confident", "lost", "doubted", "close", "group", "chance"}
    assert "20 most confident mistakes" in sample.how_pictures(100)
    assert sample.how_pictures(10).startswith(f"10 of {sample.of:,}: 2 most confident mistakes")
    assert f"of {sample.of:,}: {sample.drawn:,} by chance (seed 0)" in sample.how_rows
    same = sampled(large, groups, [7, 8], rows=500, pictures=100)
    assert (same.rows == sample.rows).all()
    assert same.pictures == sample.pictures
    made = bundle(large, rows=500, pictures=100)
    check(made)
    assert made["sampling"]["of"] == sample.of > len(made["pictures"]["id"])
    assert made["measures"]["pictures"] == 3_000
    assert made["sampling"]["without_pictures"].startswith("No picture could be read again (the first: ")
    assert sum(each["size"] for each in made["clusters"]["list"]) == sum(one.pictures for one in groups)
    assert made["sampling"]["how_pictures"].startswith(f"100 maps of {sample.of:,}: 20 most confident mistakes")
    few = bundle(large, rows=40)
    check(few)
    assert (few["sampling"]["rows"], len(few["shown"])) == (40, 40)
    fewer = bundled(gathered(large, rows=500, pictures=100), Cut(rows=50, pictures=10))
    check(fewer)
    assert fewer["sampling"]["rows"] == 50


def test_a_report_keeps_to_its_size_and_says_what_had_to_go(run, tmp_path):
    path = tmp_path / "report.html"
    whole = run.report(path)
    assert whole.bytes == path.stat().st_size < 15e6
    assert (whole.pictures, whole.rows, whole.left_out) == (120, 120, ())
    assert sum(whole.parts.values()) == whole.bytes
    small = run.report(path, max_mb=whole.bytes / 1e6 * 0.6)
    assert small.bytes == path.stat().st_size <= whole.bytes * 0.6
    assert small.left_out
    made = json.loads(DATA.search(path.read_text("utf-8"))[1])
    check(made)
    assert made["size"]["left_out"] == list(small.left_out)
    assert made["size"]["total"] == small.bytes
    with pytest.raises(InputError, match="the page alone, without pictures and predictions, takes") as told:
        run.report(path, max_mb=0.01)
    least = float(told.value.expected.split()[0])
    assert run.report(path, max_mb=least).bytes <= least * 1e6
    with pytest.raises(InputError):
        run.report(path, max_mb=least - 0.02)
    assert size(380_400) == "380 kB"


def test_parts_add_up_where_names_are_not_ascii(tmp_path):
    chinese = made_of(tmp_path, [row("cat", "cat", path=f"{'猫' * 60}/{i}.png") for i in range(1_000)])
    whole = chinese.report(tmp_path / "report.html")
    assert sum(whole.parts.values()) == whole.bytes
    assert whole.parts["page"] > 50_000
    assert chinese.report(tmp_path / "report.html", max_mb=float("inf")).left_out == ()
    assert json.loads(DATA.search((tmp_path / "report.html").read_text("utf-8"))[1])["size"]["limit"] is None


def test_nothing_that_was_to_be_kept_out_is_in(run, tmp_path):
    path = tmp_path / "report.html"
    run.report(path, anonymise=True)
    text = path.read_text("utf-8")
    for word in ("Mr ", "Secret", "/photos", "home/me", ".png'", str(run.root), str(run.folder)):
        assert word not in text, word
    made = json.loads(DATA.search(text)[1])
    check(made)
    assert made["about"]["anonymous"]
    assert set(made["pictures"]["path"]) == {None}
    assert made["pictures"]["groups"] == ["group 1", "group 2", "group 3"]
    assert made["failures"] == [{"path": None, "error": "damaged or cut short"}]
    run.report(path, images=False)
    bare = json.loads(DATA.search(path.read_text("utf-8"))[1])
    assert not any(each["image"] for each in bare["shown"])
    assert bare["sampling"]["how_pictures"] == "All maps."
    assert bare["sampling"]["without_pictures"] == "This report was made without pictures (--no-images)."
    assert str(run.root) not in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("error", "plain", "kind"),
    [
        ("cannot open {root}/cat/x.png", "cannot open cat/x.png", "could not be answered"),
        ("cannot open /home/alice/x.png", "could not be answered", "could not be answered"),
        ("the file '{root}/cat/it's: 1.png' is no image", "the file 'cat/it's: 1.png' is no image", "no image"),
        ("OSError: [Errno 2] no file 'C:\\\\alice\\\\x.png'", "not found", "not found"),
        (
            "ValueError: 3/4 isn't one of the model's",
            "ValueError: 3/4 isn't one of the model's",
            "could not be answered",
        ),
        ("the model's\nsecond line", "the model's", "could not be answered"),
    ],
)
def test_errors_tell_no_folder_above_the_data(tmp_path, error, plain, kind):
    root = tmp_path / "alice" / "photos"
    rows = [row("cat", "cat", path="a.png"), {"path": "cat/x.png", "error": error.format(root=root)}]
    made = made_of(tmp_path, rows, root=root)
    assert bundle(made)["failures"] == [{"path": "cat/x.png", "error": plain}]
    assert bundle(made, anonymise=True)["failures"] == [{"path": None, "error": kind}]


@pytest.mark.parametrize("anonymise", [False, True])
def test_no_report_holds_a_path_of_the_machine(tmp_path, anonymise):
    root = tmp_path / "home" / "alice: her's" / "photos"
    (root / "cat").mkdir(parents=True)
    (root / "cat" / "patient Smith.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    rows = [row("cat", "cat", path="cat/patient Smith.png", width=60, height=40)]
    notes = ["the model's classes don't fit", f"left out: {root.parent}/x.png"]
    made = made_of(tmp_path, rows, root=root, notes=notes)
    made.about["check"] = {"warning": f"see {root.parent}/y.png"}
    made.report(tmp_path / "report.html", anonymise=anonymise)
    text = (tmp_path / "report.html").read_text("utf-8")
    for word in (str(tmp_path), "alice", *(["/photos", "Smith"] if anonymise else [])):
        assert word not in text, word
    told = json.loads(DATA.search(text)[1])
    assert told["title"] == ("net: audit" if anonymise else "net on photos")
    assert told["about"]["notes"] == notes[:1]
    why = "damaged, or no picture" + ("" if anonymise else ": cat/patient Smith.png")
    assert told["sampling"]["without_pictures"] == (
        f"No picture could be read again (the first: {why}). Maps are drawn alone."
    )


def test_of_a_path_outside_of_the_data_a_report_tells_the_files_name(tmp_path):
    outside = tmp_path / "alice" / "x.png"
    made = made_of(tmp_path, [row("cat", "cat", path=outside.as_posix())] * 3, root=tmp_path / "elsewhere")
    told = bundle(made)
    assert told["pictures"]["path"] == ["x.png"] * 3
    assert "alice" not in json.dumps(told)


def test_pictures_lose_what_their_files_say_besides(tmp_path):
    (tmp_path / "photos").mkdir()
    meta = Image.Exif()
    meta[0x0112], meta[0x010F] = 6, "a camera that tells"
    picture(np.random.default_rng(0), tmp_path / "photos" / "a.jpg", exif=meta)
    rows = [row("cat", "cat", path="a.jpg", width=40, height=60)]
    made = bundle(made_of(tmp_path, rows, root=tmp_path / "photos"))
    image = opened(made["shown"][0]["image"])
    assert image.size == (40, 60)
    assert (image.getexif(), image.info.get("exif")) == ({}, None)
    assert b"camera" not in b64decode(made["shown"][0]["image"].partition(",")[2])


def test_pictures_that_are_gone_or_changed_are_told(tmp_path):
    (tmp_path / "photos").mkdir()
    draw = np.random.default_rng(0)
    picture(draw, tmp_path / "photos" / "a.png")
    picture(draw, tmp_path / "photos" / "b.png", (80, 40))
    rows = [row("cat", "cat", path=f"{name}.png", width=60, height=40) for name in "abc"]
    made = bundle(made_of(tmp_path, rows, root=tmp_path / "photos"))
    check(made)
    assert [each["image"] is not None for each in sorted(made["shown"], key=lambda one: one["row"])] == [
        True,
        False,
        False,
    ]
    assert made["sampling"]["without_pictures"].startswith("2 pictures of 3 could not be read again (the first: ")
    gone = sw.open(runs.written(tmp_path / "gone", rows[2:], root=tmp_path / "photos"))
    assert bundle(gone)["sampling"]["without_pictures"].endswith("Open the run with root=, their folder now.")


def test_text_cannot_end_the_data(tmp_path):
    labels = ("cat", EVIL)
    rows = [row(labels[i % 2], labels[i % 2], labels=labels, path=f'{EVIL}"\n🐈 {i}.jpg') for i in range(4)]
    evil = made_of(tmp_path, rows, labels=labels, root=tmp_path)
    evil.report(tmp_path / "report.html", title=EVIL)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "<script>alert" not in text
    made = json.loads(DATA.search(text)[1])
    assert (made["title"], made["labels"][1]) == (EVIL, EVIL)
    assert made["pictures"]["path"][0] == f'{EVIL}"\n🐈 0.jpg'
    shown = evil._repr_html_() + evil.show()._repr_html_()
    assert "<script>alert" not in shown


@pytest.mark.parametrize(
    "what", ["no answers", "no labels", "one picture", "no map", "one output", "partial", "several"]
)
def test_odd_runs(tmp_path, what):
    options = {}
    rows = answers(40)
    if what == "no answers":
        rows = [{"path": "a.jpg", "error": "the file is damaged"}]
    if what == "no labels":
        rows = [row(None, each["predicted"], 0.8, path=each["path"]) for each in rows]
    if what == "one picture":
        rows = rows[:1]
    if what == "no map":
        rows = [{**each, "map": None, "map_scale": None, "map_height": None, "map_width": None} for each in rows]
    if what == "one output":
        rows = [{**each, "scores": [float(each["scores"][1] - each["scores"][0])]} for each in rows]
        options = {"outputs": 1}
    if what == "partial":
        options = {"pictures": 1_000, "part_size": 40}
    if what == "several":
        rows = [{**each, "classes": None} for each in rows]
    odd = made_of(tmp_path, rows, **options)
    made = bundle(odd)
    check(made)
    odd.report(tmp_path / "report.html")
    assert "<table" in odd._repr_html_()
    if what == "no answers":
        assert made["pictures"]["n"] == 0
        assert made["clusters"]["reason"] == "0 pictures have a map, and groups need 30 or more."
    if what == "no labels":
        assert (made["confusion"], made["doubts"]) == (None, None)
        assert made["focus"]["all"]["unknown"]["pictures"] == 40
    if what == "one output":
        assert all(top[1] is not None and 0 <= top[2] <= 1 for each in made["shown"] for top in each["top"])
        said = dict(zip(made["pictures"]["id"], made["pictures"]["predicted"], strict=True))
        assert all(each["top"][0][0] == said[each["row"]] for each in made["shown"])
    if what == "partial":
        assert made["about"]["partial"] == {"done": 40, "of": 1_000}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("report.pdf", "a file that ends in .html"),
        ("nowhere/report.html", "a folder that is there"),
        ("folder.html", "is a folder"),
    ],
)
def test_paths_that_cannot_be_written(run, tmp_path, path, told):
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(InputError, match=told):
        run.report(tmp_path / path)


def test_a_notebook_gets_plain_pictures_and_a_frame_over_them(run):
    plain = run._repr_html_()
    assert "<script" not in plain
    assert plain.count("data:image/png;base64") == 6
    assert "the most confident of" in plain
    shown = run.show(height=500)
    html = shown._repr_html_()
    assert html.index("data:image/png") < html.index("<iframe")
    page = unescape(re.search(r'srcdoc="([^"]*)"', html)[1])
    assert page == shown.page
    check(json.loads(DATA.search(page)[1]))
    assert "to be shown by a notebook" in repr(shown)


def test_charts_for_papers(run, tmp_path):
    for chart in ("reliability", "confusion", "classes"):
        draw = getattr(run, f"plot_{chart}")
        for ending, start in ((".svg", b"<?xml"), (".pdf", b"%PDF"), (".png", b"\x89PNG")):
            draw(tmp_path / f"{chart}{ending}")
            assert (tmp_path / f"{chart}{ending}").read_bytes().startswith(start)
        axes = Figure().subplots()
        assert draw(axes) is axes
        assert axes.get_xlabel()
        with pytest.raises(InputError, match=r"ends in \.svg, \.pdf, \.png"):
            draw(tmp_path / "chart.docx")
    said = run.plot_reliability().lines[1].get_xydata()
    bins = [one for one in run.measures().reliability if one.pictures]
    np.testing.assert_allclose(said, [(one.said, one.right) for one in bins])


def test_charts_of_odd_runs(tmp_path):
    labels = ("$x_1$", "b\nc")
    odd = made_of(tmp_path, [row("$x_1$", "b\nc", labels=labels)] * 3, labels=labels)
    odd.plot_confusion(tmp_path / "a.png")
    odd.plot_classes(tmp_path / "b.png")
    plain = sw.open(runs.written(tmp_path / "other", [row(None, "cat")]))
    with pytest.raises(InputError, match="without labels"):
        plain.plot_classes()
    many = sw.open(synthetic(tmp_path / "many", 600, classes=60))
    assert "30 of 60 classes" in many.plot_confusion().get_title()
    assert len(many.plot_classes().get_yticks()) == 20


def test_groups_are_the_ways_of_looking_that_were_planted(run):
    found = run.looked_at()
    first = {int(i) for i in range(120) if i // 2 % 2}
    for place, one in enumerate(found):
        members = set(found.members(place).tolist())
        assert members <= first or not members & first
        assert len(members) == one.pictures
        assert set(one.typical) | set(one.odd) <= members
        assert one.map.sum() == pytest.approx(1, abs=1e-4)
        held = run.select(["correct"], id=sorted(members))["correct"].to_pylist()
        assert one.accuracy == pytest.approx(np.mean(held))
    assert [one.pictures for one in found] == sorted((one.pictures for one in found), reverse=True)
    assert 5 not in found.ids  # its map is empty
    assert "groups by k-means" in repr(found)
    assert "<table" in found._repr_html_()


def test_groups_of_a_sample_hold_all_pictures(run, monkeypatch):
    whole = run.looked_at()
    monkeypatch.setattr(clusters, "SAMPLE", 60)
    part = run.looked_at()
    assert (np.sort(part.ids) == np.sort(whole.ids)).all()
    assert "Found from 60 pictures drawn by chance; sizes and accuracy are of all 119." in part.how
    again = run.looked_at()
    assert (again.places == part.places).all()


def test_groups_that_cannot_be_made(tmp_path):
    rows = answers(60)
    few = sw.open(runs.written(tmp_path / "few", rows[:20]))
    assert (len(few.looked_at()), few.looked_at().reason) == (0, "19 pictures have a map, and groups need 30 or more.")
    assert repr(few.looked_at()).startswith("no groups of what it looked at: 19 pictures")
    same = sw.open(runs.written(tmp_path / "same", [{**each, "attended": np.ones(20, np.float16)} for each in rows]))
    assert [one.pictures for one in same.looked_at()] == [59]
    none = sw.open(runs.written(tmp_path / "none", [{**each, "attended": np.zeros(20, np.float16)} for each in rows]))
    assert none.looked_at().reason == "too few pictures say what was attended to."


def test_the_command(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def seewhy(*words):
        return CliRunner().invoke(app, ["report", *map(str, words)])

    done = seewhy(run.folder, "-o", "r.html", "--title", "mine")
    lines = done.stdout.splitlines()
    assert (done.exit_code, done.stderr) == (0, "")
    assert re.fullmatch(r"written: r.html  \d+ kB", lines[0])
    assert lines[1:3] == ["  pictures     All pictures.", "  predictions  All predictions."]
    assert lines[-1] == f"Next: open r.html in a browser   or   seewhy show {run.folder}"
    told = json.loads(seewhy(run.folder, "--json", "--no-images", "--anonymise").stdout)
    assert (told["schema"], told["path"], told["pictures"], told["rows"]) == (1, "report.html", 0, 120)
    small = seewhy(run.folder, "--max-mb", "0.02")
    assert (small.exit_code, small.stdout) == (2, "")
    assert "error: --max-mb 0.02: the page alone" in small.stderr
    assert "to do: write --max-mb " in small.stderr
    assert seewhy("nowhere").exit_code == 2


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_and_size_stay_small_for_large_runs(tmp_path):
    import subprocess
    import sys

    folder = synthetic(tmp_path / "run", 100_000, classes=120, labels="some")
    code = (
        "import os, sys, seewhy as sw\n"
        "sw.open(sys.argv[1]).report(sys.argv[2])\n"
        # not ru_maxrss, which begins with what the parent held
        "print(next(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line), flush=True)\n"
        "os._exit(0)"  # Arrow's threads may abort a process while it ends: apache/arrow issues 34314 and 45214
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(tmp_path / "r.html")], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) * 1024 < 1e9
    assert (tmp_path / "r.html").stat().st_size < 15e6


# Findings -------------------------------------------------------------------------------------------


def found(run, count=2, shots=True):
    """Findings of the cats, saved into the run's folder with the pictures of their tests."""
    cats = [one for one in run.select(["id", "path", "predicted"], predicted="cat").to_pylist() if one["path"]]
    corner = np.zeros((16, 16), np.float32)
    corner[:4, :4] = 0.5
    sheet = np.zeros((2 * 20, 3 * 20, 3), np.uint8)
    sheet[20:, 20:40] = (250, 0, 0)  # of the second trial the picture after it
    items = []
    for number in range(1, count + 1):
        own = cats[:24]
        trials = tuple(Trial(one["id"], own[0]["id"], 0.25, 0.75, i % 2) for i, one in enumerate(own[:8]))
        more = {"test": "paste", "region": "pixels", "trial": trials[0], "file": f"SC{number:02}.paste.jpg"}
        kept = tuple(Shot(**more, row=row, rows=2, columns=3) for row in range(2)) if shots else ()
        items.append(
            Finding(
                code=f"SC{number:02}", verdict="proven" if number == 1 else "worth a look", kind="place", label="cat", index=0,
                ids=tuple(one["id"] for one in own), paths=tuple(one["path"] for one in own), looked=50, pictures=len(cats),
                hashes=tuple(one["path"] for one in own),
                wrong=2, s=9.0, s3=9.0 - number, line=7.0, parts={}, place="in the top left",
                maps=np.random.default_rng(0).random((24, 6, 6), np.float32), where=np.full((12, 12), 1 / 144, np.float32),
                heat=np.ones((12, 12), np.float32), pixels=corner, words="24 of 50 pictures called 'cat'", proof="pasted",
                effects=(Effect("paste", "pixels", "rest", 0.5, 0.1, 8, 8, (0.1, 0.7), 1.0, 0.1, trials, trials[:4]),),
                remedy="collect", cells=(Cell("cat", "cat", 24, 26, False), Cell("dog", "dog", 6, 24, True)), shots=kept,
            )
        )  # fmt: skip
        if shots:
            (run.folder / "findings").mkdir(exist_ok=True)
            Image.fromarray(sheet).save(run.folder / "findings" / f"SC{number:02}.paste.jpg", quality=95)
    tried = {"pictures": 100, "classes": 2, "groups": 9, "tested": 4, "line": 7.0, "best": 8.0, "layers": ["a"]}
    notes = ("2 pictures left out, such as cat/Mr Secret.png: gone", f"see {run.root}/x.png", "see /home/me/x.png")
    Findings(tuple(items), tried | {"run": run.about["key"]}, notes, "The weakest effect is 17 points.").save(
        run.folder
    )
    return cats


@pytest.fixture
def proven(run, tmp_path):
    """The same run in a folder of its own, with two findings."""
    folder = tmp_path / "searched"
    shutil.copytree(run.folder, folder)
    copy = sw.open(folder, root=run.root)
    found(copy)
    return copy


def test_findings_go_into_the_bundle(proven):
    made = bundle(proven)
    check(made)
    held = made["findings"]
    assert (held["searched"], held["command"]) == (True, "seewhy shortcuts searched --model MODEL")
    assert held["notes"][:2] == ["2 pictures left out, such as cat/Mr Secret.png: gone", "see x.png"]
    assert len(held["notes"]) == 2  # what names a file elsewhere is left out
    assert "layers" not in held["tried"]
    first, second = held["list"]
    assert (first["status"], first["raised"], second["raised"]) == ("proven", True, False)
    paths = [made["pictures"]["path"][each["row"]] for each in first["shown"]]
    assert paths == list(proven.findings()[0].paths[:12])  # the most typical ones are shown, first
    assert all(
        shownrow in {each["row"] for each in made["shown"]} for shownrow in (each["row"] for each in first["shown"])
    )
    inside = np.frombuffer(b64decode(first["region"]["values"]), np.uint8).reshape(48, 48)
    assert first["region"]["by"] == "pixels"
    assert inside[:10, :10].all()
    assert not inside[16:, :].any()
    effect = first["effects"][0]
    assert effect["trials"]["is_class"] == [1, 0] * 4
    low, high = effect["share_interval"]
    assert 0 < low < 0.5 < high < 1
    assert [opened(shot["images"]["after"]).getpixel((10, 10))[0] > 200 for shot in first["shots"]] == [False, True]
    assert set(first["shots"][0]["images"]) == {"before", "after", "from"}
    commands = [each["command"] for each in first["todo"] if each["command"]]
    assert any(each.startswith("seewhy accept searched SC01 --reason") for each in commands)
    assert any(each.endswith("--known searched") for each in commands)


def test_pictures_of_findings_are_shown_first_but_not_alone(proven):
    made = gathered(proven)
    few = sampled(proven, made.groups, [], pictures=40, proofs=made.searched.examples())
    kinds = [why for _, why in few.pictures]
    assert kinds.count("finding") == 12  # both findings have the same
    assert set(kinds) >= {"confident", "close", "group", "chance"}
    assert kinds.count("group") == 8  # three tenths of the 28 that are left
    assert "12 typical of a finding" in few.how_pictures(40)
    scarce = sampled(proven, made.groups, [], pictures=20, proofs=list(range(100)))
    assert [why for _, why in scarce.pictures].count("finding") == 7


@pytest.mark.parametrize("options", [{"anonymise": True}, {"images": False}])
def test_findings_keep_what_is_to_be_kept(proven, tmp_path, options):
    proven.report(tmp_path / "report.html", **options)
    text = (tmp_path / "report.html").read_text("utf-8")
    data = DATA.search(text)[1]
    held = json.loads(data)["findings"]
    if "anonymise" in options:
        for word in ("Secret", ".png", "searched --model", str(tmp_path), "home/me"):
            assert word not in data, word
        assert held["notes"] == ["2 pictures left out"]
        assert held["list"][0]["shots"]
        assert "seewhy accept RUN SC01" in text
    else:
        for each in held["list"]:
            assert each["mean_picture"] is None
            assert each["shots"] == []
            assert each["shown"][0]["map"] is not None
        assert text.count("data:image/jpeg") == 0


def test_a_small_report_lets_pictures_of_tests_go(proven, tmp_path):
    whole = json.loads(embedded(bundle(proven)))
    small = bundled(gathered(proven), Cut(rows=0, pictures=0, side=96, quality=0))
    assert whole["findings"]["list"][0]["shots"]
    assert (small["findings"]["list"][0]["shots"], small["findings"]["list"][0]["mean_picture"]) == ([], None)
    assert "trials" not in small["findings"]["list"][0]["effects"][0]
    assert small["findings"]["list"][0]["rows"] == []
    made = proven.report(tmp_path / "report.html", max_mb=0.25)
    assert made.bytes <= 250_000


def test_a_run_without_findings_and_one_with_damaged_ones(run, tmp_path):
    held = bundle(run)["findings"]
    assert (held["searched"], held["damaged"], held["list"]) == (False, False, [])
    assert held["command"].startswith("seewhy shortcuts run --model")
    folder = tmp_path / "alice" / "damaged"
    shutil.copytree(run.folder, folder)
    (folder / "findings.json").write_text("{")
    made = bundle(sw.open(folder, root=run.root))
    assert (made["findings"]["searched"], made["findings"]["damaged"]) == (False, True)
    assert "alice" not in embedded(made)


def test_findings_of_an_older_audit_are_told(proven):
    held = json.loads((proven.folder / "findings.json").read_text())
    held["tried"]["run"] = "another"
    (proven.folder / "findings.json").write_text(json.dumps(held))
    assert "of an earlier audit" in bundle(proven)["findings"]["notes"][0]


def test_how_many_pictures_are_missing(proven):
    """24 of 50 cats show it, s = 0.48; of 60 dogs 6 of 30, so 12: (12 + k) / (60 + k) = 0.48, k = 16.8 / 0.52."""
    (one,) = missing(proven.findings()[0], {"cat": 60, "dog": 60})
    assert (one.label, one.shows, one.tried, one.needed) == ("dog", 6, 30, 33)
    assert missing(proven.findings()[0], {"cat": 60})[0].needed == 0
