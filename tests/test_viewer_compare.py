"""Runs beside each other as one page: the view Compare, in a real browser, and what of it needs no script."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import seewhy as sw
from seewhy.apps.cli import app
from seewhy.errors import InputError
from seewhy.images.drawing import color_table, levels
from seewhy.images.resizing import upscale
from seewhy.results.report.compared import bundle
from seewhy.results.report.viewer import page
from seewhy.studies.comparison.handing import handed
from tests.support.runs import row, written

CORNER, LAST, MIDDLE = np.eye(2)[[0]].T @ np.eye(2)[[0]], np.diag([0.0, 1.0]), np.array([[0.2, 1.0], [0.4, 0.0]])


def seen(name, predicted, map=LAST, scale=1.0, probability=0.9, label=None):
    """A row of the photo `name`, whose label is the word before its dash."""
    cells = np.asarray(map, np.float16)
    return row(
        name.split("-")[0],
        predicted,
        probability,
        hash=name,
        path=f"{name.split('-')[0]}/{name}.png",
        map=cells.ravel(),
        map_scale=scale,
        map_height=2,
        map_width=2,
        width=120,
        height=90,
    )


def answers(k):
    """Newly broken: dog-1, dog-2; fixed: cat-1; another reason: dog-3; both wrong: cat-2; both right: the rest."""
    said = {
        "cat-1": ("dog", "cat"),
        "cat-2": ("dog", "dog"),
        "dog-1": ("dog", "cat"),
        "dog-2": ("dog", "cat"),
        "dog-3": ("dog", "dog"),
    }
    maps = {"dog-3": (CORNER, LAST), "dog-1": (CORNER, MIDDLE)}
    rows = []
    for name in (*said, *(f"cat-{i}" for i in range(3, 40)), f"only-{k}"):
        predicted = said.get(name, ("cat", "cat"))[k]
        map, chance = maps.get(name, (LAST, LAST))[k], 0.95 if name == "dog-2" else 0.8
        if not name.startswith("only"):
            rows.append(seen(name, predicted, map, scale=(1.0, 4.0)[k], probability=chance))
        else:
            rows.append({**seen(f"cat-x{k}", "cat"), "hash": name})
    return rows


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Two runs of 43 pictures, 42 of them the same, in layers of other names."""
    folder = tmp_path_factory.mktemp("compared")
    draw = np.random.default_rng(0)
    for each in answers(0):
        file = folder / "photos" / each["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(60, 200, (90, 120, 3), np.uint8)).save(file)
    for k, name in enumerate(("before", "after")):
        written(folder / name, answers(k), root=folder / "photos", **({"layer": "layer3"} if k else {}))
    return sw.compare(folder / "before", folder / "after")


@pytest.fixture(scope="module")
def made(found):
    return bundle(handed(found))


@pytest.fixture(scope="module")
def file(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "compare.html"
    path.write_text(page(made), "utf-8")
    return path


def address(tab):
    return tab.evaluate("() => location.hash")


# Python's side ------------------------------------------------------------------------------------


def test_the_bundle_holds_the_comparison(found, made):
    held = made["comparison"]
    (change,) = held["changes"]
    assert {each["name"]: each["count"] for each in change["buckets"]} == found.buckets
    assert found.buckets == {
        "newly broken": 2,
        "fixed": 1,
        "both wrong": 1,
        "both right": 38,
        "different reason": 1,
    }
    for each in change["buckets"]:
        ids = [held["pictures"]["id"][row] for row in each["rows"]]
        assert ids == found.bucket(each["name"]).ids  # what changed most first
    assert held["pictures"]["path"][change["buckets"][0]["rows"][0]] == "dog/dog-2.png"
    assert [run["accuracy"] for run in held["runs"]] == [pytest.approx(side.accuracy, abs=1e-4) for side in found.sides]
    assert change["p"] == pytest.approx(found.changes[0].p, abs=1e-4)
    assert (held["shared"], held["sets"]["rows"]) == (42, [43, 43])
    assert made["about"]["notes"] == [
        "the layer differs: A layer4.1, B layer3 (maps of different layers differ by themselves)"
    ]


def test_all_that_was_shared_is_shown_with_each_run_s_map(made):
    held = made["comparison"]
    assert {entry["row"] for entry in held["shown"]} == set(range(42))
    assert all(entry["image"].startswith("data:image/jpeg") for entry in held["shown"])
    place = held["pictures"]["path"].index("dog/dog-3.png")
    (entry,) = [entry for entry in held["shown"] if entry["row"] == place]
    assert [each["map"]["values"] for each in entry["runs"]] == ["/wAAAA==", "AAAA/w=="]
    assert [each["map"]["scale"] for each in entry["runs"]] == [1.0, 4.0]


def test_the_file_says_what_it_holds_and_keeps_to_its_limit(found, tmp_path):
    report = found.report(tmp_path / "compare.html")
    assert (report.of, report.rows, report.pictures, report.left_out) == (42, 42, 42, ())
    assert report.path.stat().st_size == report.bytes
    small = found.report(tmp_path / "small.html", max_mb=report.bytes / 1e6 - 0.2)
    assert small.bytes < report.bytes - 200_000
    assert small.left_out
    with pytest.raises(InputError, match=r"max_mb=0\.01: the page alone"):
        found.report(tmp_path / "none.html", max_mb=0.01)
    with pytest.raises(InputError, match=r"a file that ends in \.html"):
        found.report(tmp_path / "compare.pdf")


def test_an_anonymous_page_names_no_file_and_no_folder(found, tmp_path):
    words = ("before", "after", "photos", "dog-1", str(found.runs[0].folder.parent))
    told, anonymous = (json.dumps(bundle(handed(found), anonymise=hide)) for hide in (False, True))
    assert [word in told for word in words] == [True, True, False, True, False]
    assert not any(word in anonymous for word in words)
    bare = found.report(tmp_path / "b.html", images=False)
    assert (bare.pictures, bare.without_pictures) == (0, "This report was made without pictures (--no-images).")


def test_pictures_that_are_gone_are_told(found, tmp_path):
    rows = answers(0)[:3]
    for name in ("a", "b"):
        written(tmp_path / name, rows, root=tmp_path / "nowhere")
    held = bundle(handed(sw.compare(tmp_path / "a", tmp_path / "b")))["comparison"]
    assert (
        held["sampling"]["without_pictures"] == "3 pictures could not be read again (not found). Maps are drawn alone."
    )


def test_the_command_writes_the_page(found, tmp_path, monkeypatch):
    monkeypatch.chdir(found.runs[0].folder.parent)
    out = tmp_path / "compare.html"
    done = CliRunner().invoke(app, ["compare", "before", "after", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == f"Next: open {out} in a browser"
    assert (
        json.loads(out.read_text("utf-8").split('id="bundle">')[1].split("</script>")[0])["title"]
        == "before and after compared"
    )


# The view -----------------------------------------------------------------------------------------


def test_it_opens_on_the_answer(opened, file):
    tab = opened(file)
    text = tab.locator("main").inner_text()
    assert "B, after: 2.4 points less accurate than A. −2.4 points" in text
    assert "chance alone may do that" in text
    assert "42 pictures are in all runs and answered by all; the others were left out." in text
    assert tab.locator(".banner").inner_text().startswith("⚠ the layer differs: A layer4.1, B layer3")
    assert tab.locator("nav").count() == 0  # there is one view
    cells = tab.locator(".classes tbody tr").first.locator("th, td").all_inner_texts()
    assert cells[0] == "cat"
    assert cells[-2:] == ["0", "1"]


def test_a_count_leads_to_its_pictures(opened, file):
    tab = opened(file)
    assert tab.locator("#bucket-title").inner_text().startswith("Newly broken: 2")
    tab.locator(".buckets tr", has_text="different reason").locator("button").click()
    assert address(tab) == "#compare?bucket=different+reason"
    assert tab.locator("#bucket-title").inner_text().startswith("Same answer, different reason: 1")
    assert tab.evaluate("() => document.activeElement.id") == "bucket-title"
    (tile,) = tab.locator(".pair-tile").all()
    assert tile.locator("canvas").count() == 2
    assert re.sub(r"\s+", " ", tile.inner_text()).startswith("dog maps correlate −0.33 ✓ right: A dog 80.0 %")
    assert "A: 44 % of the map in the top-left ninth" in tile.text_content()
    tab.go_back()
    assert tab.locator(".pair-tile").count() == 2


def test_a_long_bucket_comes_page_by_page_and_as_a_table(opened, file):
    tab = opened(file, "compare?bucket=both+right")
    assert tab.locator(".pair-tile").count() == 24
    tab.locator("button.more").click()
    assert tab.locator(".pair-tile").count() == 38
    assert tab.locator("button.more").is_hidden()
    tab.locator("summary", has_text="as a table").click()
    rows = tab.locator(".twin[open] tbody tr")
    assert rows.count() == 38
    rows.first.locator("button").click()
    assert "pair=" in address(tab)


def pixels(tab, selector=".pair-stage canvas"):
    url = tab.evaluate("(selector) => document.querySelector(selector).toDataURL('image/png')", selector)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))).astype(int)


def of(made, name):
    held = made["comparison"]["pictures"]
    return held["id"][held["path"].index(name)]


def test_the_difference_is_b_s_drawn_map_less_a_s(opened, file, made):
    tab = opened(file, f"compare?pair={of(made, 'dog/dog-1.png')}&way=difference")
    drawn = pixels(tab)
    a, b = (levels(upscale(each, drawn.shape[:2]), False) / 255 for each in (CORNER, MIDDLE))
    expected = color_table("default", 0.7, True)[levels(b - a, True)].astype(int)
    seen = expected[..., 3] > 20  # a canvas keeps faint colours only roughly
    assert seen.mean() > 0.4
    assert np.abs(drawn[..., 3] - expected[..., 3]).max() <= 2
    assert np.abs(drawn[seen] - expected[seen]).max() <= 8
    assert drawn[0, 0, 2] > drawn[0, 0, 0]  # A looked here: blue
    assert drawn[0, -1, 0] > drawn[0, -1, 2]
    assert "B looks more" in tab.locator(".legend").inner_text()


def test_maps_take_turns_at_a_and_b(opened, file, made):
    tab = opened(file, f"compare?bucket=newly+broken&pair={of(made, 'dog/dog-1.png')}")
    tab.keyboard.press("b")
    visible = lambda: [each.is_visible() for each in tab.locator(".pair-stage canvas").all()]  # noqa: E731
    assert visible() == [False, True]
    assert tab.locator(".turn").inner_text() == "B: cat 80.0 %"
    tab.keyboard.press("a")
    assert visible() == [True, False]
    assert "turn=" not in address(tab)
    tab.locator("button.play").click()
    tab.wait_for_function("() => location.hash.includes('turn=B')")
    assert visible() == [False, True]
    tab.locator("button.play").click()
    tab.keyboard.press("j")  # in the order of the bucket
    assert f"pair={of(made, 'dog/dog-1.png')}" in address(tab)  # it is the last
    tab.keyboard.press("k")
    assert f"pair={of(made, 'dog/dog-2.png')}" in address(tab)
    tab.keyboard.press("Escape")
    tab.wait_for_function("() => !location.hash.includes('pair=')")
    assert tab.evaluate("() => document.activeElement.dataset.row") is not None  # back on the tile


def test_the_slider_uncovers_one_map_and_covers_the_other(opened, file, made):
    tab = opened(file, f"compare?pair={of(made, 'dog/dog-3.png')}&way=swipe")
    slider = tab.locator("input[name=swipe]")
    assert slider.input_value() == "50"
    slider.focus()
    slider.press("End")
    assert "swipe=100" in address(tab)
    clip = "() => [...document.querySelectorAll('.swipe canvas')].map((each) => getComputedStyle(each).clipPath)"
    assert tab.evaluate(clip) == ["inset(0px 0% 0px 0px)", "inset(0px 0px 0px 100%)"]
    box = tab.locator(".swipe").bounding_box()
    tab.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + 20)
    assert "swipe=25" in address(tab)


def test_one_scale_shows_which_map_is_stronger(opened, file, made):
    tab = opened(file, f"compare?pair={of(made, 'dog/dog-3.png')}")
    assert pixels(tab)[..., 3].max() == pytest.approx(255 * 0.7, abs=2)  # A's by itself
    tab.locator(".beside summary").first.click()
    tab.select_option(".beside select[name=pair-scale]", "shown")
    assert pixels(tab)[..., 3].max() == pytest.approx(255 * 0.7 / 4, abs=2)  # B's goes to 4, A's to 1
    assert "scale=shown" in address(tab)


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_can_be_heard(opened, file, made, width):
    for view in ("compare", f"compare?pair={of(made, 'dog/dog-1.png')}&way=swipe"):
        tab = opened(file, view, viewport={"width": width, "height": 800})
        assert tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        unnamed = """() => [...document.querySelectorAll('button, input, select')].filter((each) => each.offsetParent
            && !(each.textContent.trim() || each.ariaLabel || (each.labels && each.labels.length))).map((each) => each.outerHTML)"""
        assert tab.evaluate(unnamed) == []
        assert tab.locator("canvas:not([aria-hidden=true])").count() == 0


def test_an_address_may_be_anybody_s(opened, file):
    tab = opened(file, "compare?bucket=nothing&against=Z&pair=999&way=<b>&turn=Q&swipe=1e9")
    assert tab.locator("#bucket-title").inner_text().startswith("Newly broken")
    assert not tab.locator("dialog[open]").count()


def test_without_scripts_the_numbers_are_there(opened, file):
    tab = opened(file, java_script_enabled=False)
    text = tab.locator("body").inner_text()
    assert "newly broken\t2" in text
    assert "B less A, in points\t−2.4" in text
    assert tab.locator("img").count() == 6
