"""A watched training as one page: the view Training, in a real browser, and what of it needs no script."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import seewhy as sw
from seewhy.apps.cli import app
from seewhy.errors import InputError
from seewhy.results.report.trained import bundle
from seewhy.results.report.viewer import page
from seewhy.results.watched.keeping import Keeping, packed

LOOKS = 5


def map_at(look):
    """It moves from the middle into the corner."""
    cells = np.zeros((4, 4), np.float32)
    cells[1:3, 1:3] = LOOKS - 1 - look
    cells[0, 0] = look
    return cells


def rows_of(look):
    rows = []
    for picture, name in enumerate(("secret/cat.png", "dog.png")):
        cells = map_at(look) * (1 + picture)
        share = float(cells[0, 0] / cells.sum())
        told = {"look": look, "epoch": look, "step": 10 * look, "picture": picture, "name": name, "label": "cat"}
        numbers = {"score": 1.0 + look, "probability": 0.5 + look / 10, "focus": share, "border": 0.25, "entropy": 0.5}
        drift = {"drift": None if look == 0 else 0.1 * look}
        rows.append({**told, "class": "cat", "predicted": "dog", **numbers, **drift, **packed(cells)})
    return rows


def kept(folder, looks=LOOKS, **more):
    keeping = Keeping(folder)
    named = [
        {"name": name, "label": "cat", "file": f"0{k}-x", "width": 160, "height": 120, "box": [20, 0, 140, 120]}
        for k, name in enumerate(("secret/cat.png", "dog.png"))
    ]
    asked = {
        "pictures": named,
        "unit": "epoch",
        "region": {"words": "the top left", "even": 0.1},
        "alarm": {"below": None, "above": 0.4},
        "model": "Small",
        "layer": "features.3",
        "method": "gradcam",
        **more,
    }
    outline = np.zeros((120, 160), bool)
    outline[:30, 20:50] = True
    draw = np.random.default_rng(0)
    keeping.begin(asked, [draw.integers(60, 200, (120, 160, 3), np.uint8) for _ in named], [outline, outline])
    for look in range(looks):
        keeping.add(rows_of(look))
    return sw.Watched(folder)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    return kept(
        tmp_path_factory.mktemp("watched"),
        alarms=["the share rose above 40 % at epoch 4."],
        cost={"looks": 5, "seconds": 1.0, "training": 60.0},
    )


@pytest.fixture(scope="module")
def file(watched, tmp_path_factory):
    return watched.report(tmp_path_factory.mktemp("page") / "watch.html").path


def address(tab):
    return tab.evaluate("() => location.hash")


# Python's side ------------------------------------------------------------------------------------


def test_the_bundle_holds_each_look_and_map(watched):
    held = bundle(watched)["training"]
    assert [look["epoch"] for look in held["looks"]] == held["kept"] == [0, 1, 2, 3, 4]
    assert [look["focus"] for look in held["looks"]] == [
        pytest.approx(one["focus"], abs=1e-4) for one in watched.means()
    ]
    assert [shot["map"]["scale"] for shot in held["shots"][1]] == [8, 6, 4, 6, 8]
    assert held["curves"]["drift"][0] == [None, 0.1, 0.2, 0.3, 0.4]
    assert held["pictures"][0]["box"] == [0.125, 0, 0.875, 1]
    assert held["finished"] is True


def test_many_looks_are_thinned_and_the_numbers_stay(tmp_path):
    watched = kept(tmp_path / "long", looks=1)
    keeping = Keeping(watched.folder)
    keeping.go_on()
    for look in range(1, 150):
        keeping.add([{**row, "look": look, "epoch": look} for row in rows_of(2)])
    held = bundle(watched)["training"]
    assert (len(held["looks"]), len(held["kept"]), held["kept"][0], held["kept"][-1]) == (150, 60, 0, 149)
    assert held["how"] == "Maps of 60 of 150 looks, evenly spread; numbers of all."
    assert len(held["shots"][0]) == 60


def test_a_training_that_goes_on_says_how_far_it_is(opened, tmp_path):
    watched = kept(tmp_path / "now", looks=4, epochs=20)
    made = bundle(watched)
    assert (made["training"]["finished"], made["training"]["done"]["epoch"]) == (False, 3)
    path = tmp_path / "now.html"
    path.write_text(page(made), "utf-8")
    assert "So far: epoch 3 of 20" in opened(path).locator("main").inner_text()
    with pytest.raises(InputError, match="no look yet"):
        kept(tmp_path / "none", looks=0).report(tmp_path / "none.html")


def test_an_anonymous_page_names_no_file(watched):
    told, anonymous = (json.dumps(bundle(watched, images=False, anonymise=hide)) for hide in (False, True))
    for word in ("secret", "dog.png", watched.folder.name):
        assert word in told
        assert word not in anonymous
    assert "data:image" not in told


def test_the_command_writes_the_page(watched, tmp_path):
    out = tmp_path / "w.html"
    done = CliRunner().invoke(app, ["report", str(watched.folder), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1:3] == ["  pictures     2 watched pictures.", "  looks        All 5 looks."]
    assert json.loads(out.read_text("utf-8").split('id="bundle">')[1].split("</script>")[0])["training"]["of"] is None


# The view -----------------------------------------------------------------------------------------


def test_the_filmstrip_has_a_row_for_each_picture_and_a_column_for_each_look(opened, file):
    tab = opened(file)
    assert "Watched to the end: epoch 4" in tab.locator("main").inner_text()
    assert tab.locator(".banner").inner_text() == "⚠ the share rose above 40 % at epoch 4."
    assert tab.locator(".films tbody tr").count() == 2
    assert tab.locator(".films thead th").all_inner_texts() == ["epoch 4", "0", "1", "2", "3", "4"]
    first = tab.locator(".films tbody tr").first.locator("td .shot")
    assert first.first.get_attribute("aria-label").startswith("secret/cat.png, before the training. ")
    assert first.last.inner_text().strip() == "100 %"


def test_one_slider_moves_all(opened, file):
    tab = opened(file)
    inks = """() => [...document.querySelectorAll('.films th .shot canvas')].map((each) => each.toDataURL())"""
    before = tab.evaluate(inks)
    slider = tab.locator("main input[name=look]")
    slider.focus()
    slider.press("Home")
    assert address(tab) == "#training?look=0"
    assert slider.get_attribute("aria-valuetext") == "before the training"
    assert tab.locator("th.now").inner_text() == "0"
    assert all(old != new for old, new in zip(before, tab.evaluate(inks), strict=True))
    tab.keyboard.press(".")
    assert address(tab) == "#training?look=1"
    tab.locator("main button.play-film").click()
    tab.wait_for_function("() => location.hash === '#training?look=2'")
    assert tab.locator("main button.play-film").inner_text() == "■ stop"
    tab.locator("main button.play-film").click()
    assert tab.locator("main button.play-film").inner_text() == "▶ play"


def test_two_looks_stand_beside_each_other(opened, file):
    tab = opened(file)
    tab.locator(".films tbody tr").nth(1).locator("td .shot").nth(1).click()
    assert address(tab) == "#training?look=1&film=1"
    tab.get_by_role("button", name="Pin this look").click()
    assert "pin=1" in address(tab)
    tab.keyboard.press(".")
    tab.keyboard.press(".")
    heads = tab.locator("dialog[open] h3").all_inner_texts()
    assert heads == ["pinned: epoch 1", "epoch 3"]
    shares = [each.inner_text() for each in tab.locator("dialog[open] figure dl").all()]
    assert ["8 %" in shares[0], "43 %" in shares[1]] == [True, True]  # of the map in the region
    tab.keyboard.press("Escape")
    tab.wait_for_function("() => !location.hash.includes('film=')")
    assert tab.evaluate("() => document.activeElement.dataset.picture") == "1"


def test_each_curve_has_a_table(opened, file, watched):
    tab = opened(file)
    assert tab.locator("svg.course").count() == 6
    assert "mean 0.0 % at first, 100.0 % at last" in tab.locator("svg.course").first.get_attribute("aria-label")
    assert tab.locator("svg.course .alarm").count() == 1
    tab.locator("summary", has_text="as a table").click()
    cells = tab.locator(".twin tbody tr").nth(1).locator("th, td").all_inner_texts()
    assert cells[:3] == ["1", f"{100 * watched.means()[1]['focus']:.1f} %", "60.0 %"]


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_can_be_heard(opened, file, width):
    for view in ("training", "training?film=0&pin=1"):
        tab = opened(file, view, viewport={"width": width, "height": 800})
        assert tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert tab.locator("canvas:not([aria-hidden=true])").count() == 0


def test_an_address_may_be_anybody_s(opened, file):
    tab = opened(file, "training?film=77&look=-3&pin=zzz")
    assert not tab.locator("dialog[open]").count()
    assert tab.locator("th.now").inner_text() == "4"


def test_without_scripts_the_numbers_are_there(opened, file):
    tab = opened(file, java_script_enabled=False)
    text = tab.locator("body").inner_text()
    assert "epoch 4, watched to the end; means over 2 pictures" in text
    assert tab.locator("img").count() == 2
