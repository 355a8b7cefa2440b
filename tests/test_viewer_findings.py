"""Findings in the page: the list, a finding from top to bottom, its files, and where else it is met."""

import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from seewhy.results.report.viewer import page
from tests.support.bundles import HOSTILE, bundle, searched, written

N, PICTURES = 150, 30
STATUSES = ("proven", "suspected", "worth a look")


@pytest.fixture(scope="module")
def made():
    return searched(bundle(N, PICTURES), STATUSES)


@pytest.fixture(scope="module")
def file(made, tmp_path_factory):
    return written(made, tmp_path_factory.mktemp("findings"))


def state(tab):
    return tab.evaluate("() => location.hash")


def saved(tab, words):
    """The name and the bytes of the file that a button makes."""
    with tab.expect_download() as download:
        tab.get_by_role("button", name=words).click()
    return download.value.suggested_filename, download.value.path().read_bytes()


# The list, and where findings are met ---------------------------------------------------------------


def test_the_worst_comes_first_on_the_first_page(opened, file, made):
    tab = opened(file)
    first = tab.locator(".overview > .card").first
    text = first.inner_text()
    assert text.startswith("Does it cheat?")
    assert made["findings"]["list"][0]["words"] in text
    assert "covered: −61 points (control −2 points) · pasted: 92 % turn (control 6 % turn)" in text
    assert text.index("proven") < text.index("suspected")
    assert "worth a look" not in text
    first.get_by_role("button", name=made["findings"]["list"][0]["words"]).first.click()
    assert state(tab) == "#findings?code=SC01"
    tab.go_back()
    assert state(tab) == ""


def test_the_list_has_what_is_below_the_line_apart(opened, file):
    tab = opened(file)
    tab.keyboard.press("4")
    assert state(tab) == "#findings"
    text = tab.locator(".findings-view").inner_text()
    assert text.index("SC01") < text.index("SC02") < text.index("Worth a look") < text.index("SC03")
    assert "in models without a shortcut, too" in text
    rows = tab.locator(".finding").first.locator(".effects tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["covered", "−61", "points", "−2", "points", "59", "(49", "to", "69)"],
        ["pasted", "92", "%", "turn", "6", "%", "turn", "86", "(76", "to", "96)"],
    ]


def test_proven_ones_come_before_those_that_are_not(opened, tmp_path):
    statuses = ("suspected", "not supported", "proven", "dismissed", "worth a look")
    tab = opened(written(searched(bundle(N, PICTURES), statuses), tmp_path))
    assert [each.split()[0] for each in tab.locator(".worst .code").all_inner_texts()] == ["SC03", "SC01"]
    tab.keyboard.press("4")
    assert tab.locator(".finding .code").all_inner_texts() == ["SC03", "SC01", "SC04", "SC02", "SC05"]


def test_nothing_found_is_never_all_good(opened, tmp_path):
    tab = opened(written(searched(bundle(N, PICTURES), ("worth a look",)), tmp_path))
    for view in ("", "4"):
        if view:
            tab.keyboard.press(view)
        text = tab.locator(".view:not([hidden])").inner_text()
        assert (
            "Nothing met the bar. Compared 60 groups of pictures in 3 classes, and tested the 4 most suspicious" in text
        )
        assert "weakest effect that these tests can tell from chance: 17 points" in text
        assert "good." not in text.lower().replace("how good is it", "")


def test_where_nothing_was_searched_the_command_is_told(opened, tmp_path):
    made = searched(bundle(N, PICTURES), ())
    made["findings"] |= {"searched": False, "seen": "", "tried": {}}
    tab = opened(written(made, tmp_path))
    assert "Shortcuts were not searched for in this run." in tab.locator(".cheats").inner_text()
    tab.keyboard.press("4")
    assert tab.locator(".findings-view code").inner_text() == "seewhy shortcuts first --model MODEL"
    assert "Nothing met the bar" not in tab.locator("body").inner_text()


def test_a_bundle_without_the_key_has_no_such_view(opened, tmp_path):
    tab = opened(written(bundle(60, 10), tmp_path), "findings")
    assert tab.locator("nav a").all_inner_texts() == ["Overview", "Gallery", "Looked at"]
    assert tab.locator(".overview").count() == 1


def test_the_gallery_filters_by_finding(opened, file, made):
    tab = opened(file, "findings?code=SC01")
    tab.get_by_role("button", name="in the gallery").click()
    assert state(tab) == "#gallery?finding=SC01"
    assert tab.locator(".found").inner_text() == f"40 of {N} pictures"
    assert tab.locator(".chip").inner_text() == "finding: SC01 ✕"
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    assert "Belongs to SC01" in tab.locator(".viewer").inner_text()
    tab.locator(".viewer").get_by_role("button", name="SC01").click()
    assert state(tab) == "#findings?code=SC01&finding=SC01"
    assert not tab.locator(".viewer").is_visible()


def test_a_group_says_which_finding_is_in_it_and_how_to_test_it(opened, tmp_path):
    made = searched(bundle(N, PICTURES), ("proven",))
    made["findings"]["list"][0]["rows"] = [row for row in range(N) if made["pictures"]["cluster"][row] == 1][:20]
    tab = opened(written(made, tmp_path), "looked")
    cards = tab.locator(".cluster")
    assert "Most of SC01 is here: 20 of 20 pictures." in cards.nth(1).inner_text()
    assert "SC01" not in cards.nth(0).inner_text()
    cards.nth(0).get_by_text("test this as a shortcut").click()
    assert "seewhy shortcuts first --model MODEL" in cards.nth(0).inner_text()


def test_decisions_and_names_are_told(opened, tmp_path):
    decision = {"action": "accept", "reason": "all devices show it", "until": "2027-03-01", "expired": False}
    made = searched(bundle(N, PICTURES), ("accepted",), decision=decision, name="ruler")
    tab = opened(written(made, tmp_path), "findings")
    text = tab.locator(".findings-view").inner_text()
    assert "Nothing met the bar" in text
    assert text.index("Decided") < text.index("SC01 ruler")
    assert "Accepted until 2027-03-01: all devices show it." in text


# A finding from top to bottom -----------------------------------------------------------------------


def test_all_parts_are_there_in_order(opened, file):
    tab = opened(file, "findings?code=SC01")
    assert tab.locator(".finding-page h2").all_inner_texts() == [
        "Where", "Who has it", "Cover it: does the answer fall?", "Paste it: do other pictures turn?",
        "What we cannot say", "What to do next", "Take it with you",
    ]  # fmt: skip
    assert (
        tab.locator(".finding-page h1").inner_text().startswith("40 of 90 pictures called 'cat' look at the same thing")
    )
    assert tab.locator(".where .shot").count() == 12
    assert tab.locator(".where figure").inner_text().startswith("Mean heat on the mean picture.")
    assert "of the map in the top-right ninth" in tab.locator(".where .shot").first.get_attribute("aria-label")
    cells = tab.locator(".cells tbody tr").all_inner_texts()
    assert [each.split() for each in cells] == [
        ["cat", "cat", "37", "50", "43", "%"],
        ["dog", "cat", "3", "0", "100", "%"],
        ["dog", "dog", "2", "62", "3", "%"],
    ]
    assert "takes 6 % of the picture" in tab.locator(".finding-page").inner_text()


def test_the_clearest_test_is_plotted_and_others_can_be(opened, file):
    tab = opened(file, "findings?code=SC01")
    cover = tab.locator(".plotted[data-test=cover]")
    assert "p(cat) falls by 61 points, in the control by 2." in cover.inner_text()
    assert cover.locator(".slope").count() == 20
    assert (
        cover.locator(".plot")
        .first.get_attribute("aria-label")
        .startswith("The finding's pictures: mean 90 % before, 29 %")
    )
    assert "p(cat) 90 % → 20 %: now 'dog'" in cover.inner_text()
    tab.select_option("select[name=cover-of]", "0")
    assert "p(cat) falls by 30 points, in the control by 25." in cover.inner_text()
    assert "does not tell it from chance" in cover.inner_text()
    assert "Same size, elsewhere" in cover.locator("svg").nth(1).text_content()
    paste = tab.locator(".plotted[data-test=paste]")
    assert "46 of 50 turn 'cat', in the control 3 of 50." in paste.inner_text()
    assert [each.split(": ")[1] for each in paste.locator("svg").get_attribute("aria-label").split("; ")] == [
        "46 of 50 turned", "3 of 50 turned",
    ]  # fmt: skip
    widths = [float(each.get_attribute("width")) for each in paste.locator("rect.full").all()]
    assert widths[0] / widths[1] == pytest.approx(46 / 3)


def test_a_control_of_the_rest_goes_before_one_elsewhere(opened, tmp_path):
    """As the terminal tells it: an object covered falls more than another place of its picture, in any model."""
    made = searched(bundle(N, PICTURES), ("proven",))
    own = made["findings"]["list"][0]["effects"][0]
    own |= {"effect": 0.95, "control_effect": 0.05, "interval": [0.8, 0.95]}
    cover = opened(written(made, tmp_path), "findings?code=SC01").locator(".plotted[data-test=cover]")
    assert "falls by 61 points" in cover.inner_text()


def test_every_plot_has_a_table(opened, file):
    tab = opened(file, "findings?code=SC01")
    cover = tab.locator(".card.test").first
    cover.get_by_text("all tried, as a table").click()
    assert cover.get_by_text("59", exact=True).is_visible()
    cover.get_by_text("picture by picture").click()
    rows = cover.locator(".plotted table tbody tr")
    assert rows.count() == 20
    assert "not in this file" in rows.nth(9).inner_text()


def test_the_outline_goes_round_the_region(opened, file):
    path = opened(file, "findings?code=SC01").locator(".where .outline .over").first.get_attribute("d")
    steps = [each.split("h")[0].split("v")[0] for each in path.split("M")[1:]]
    places = np.array([[float(value) for value in each.split()] for each in steps])
    assert len(places) == 4 * 12  # the edge of a square of 12 cells
    assert places[:, 0].min() == 36
    assert places[:, 1].max() == 12


def test_findings_by_keys(opened, file):
    tab = opened(file, "findings")
    for key, code in (("j", "SC01"), ("j", "SC02"), ("j", "SC03"), ("j", "SC03"), ("k", "SC02")):
        tab.keyboard.press(key)
        assert state(tab) == f"#findings?code={code}", key
    assert tab.evaluate("() => document.activeElement.tagName") == "H1"
    tab.get_by_role("button", name="All findings").click()
    assert state(tab) == "#findings"
    assert tab.locator(".finding").count() == 3


def test_a_finding_of_the_whole_picture(opened, tmp_path):
    given = [
        {"test": "look", "region": region, "control": control, "effect": 0.5, "control_effect": 0.1, "pictures": 40,
         "interval": [0.2, 0.6], "control_pictures": 40, "share_interval": [0.3, 0.7], "control_share_interval": [0, 0.2],
         "trials": {"row": [], "before": [], "after": [], "is_class": []}}
        for region, control in (("all", "rest"), ("colour", "own class"))
    ]  # fmt: skip
    whole = {"kind": "whole picture", "mean_map": None, "region": None, "effects": given, "shots": []}
    made = searched(bundle(N, PICTURES), ("proven",), place="over the whole picture: little colour", **whole)
    tab = opened(written(made, tmp_path), "findings?code=SC01")
    assert "It lies over the whole picture: little colour. So no region is marked" in tab.locator(".where").inner_text()
    look = tab.locator(".plotted[data-test=look]")
    assert "20 of 40 turn 'cat', in the control 4 of 40." in look.inner_text()
    assert look.locator("rect.full").count() == 2
    tab.select_option("select[name=look-of]", "1")
    assert "their own class: 4 of 40 turned" in look.locator("svg").get_attribute("aria-label")
    tab.keyboard.press("4")
    assert "given its look\t50 % turn\t10 % turn" in tab.locator(".effects").inner_text()


def test_a_test_of_another_name(opened, tmp_path):
    effect = {"test": "tint", "region": "colour", "control": "rest", "effect": 0.5, "control_effect": 0.1, "interval": [0.2, 0.6],
              "pictures": 40, "control_pictures": 40, "margin": 1.0, "control_margin": 0.0}  # fmt: skip
    whole = {
        "kind": "whole picture",
        "mean_map": None,
        "region": None,
        "place": "a tint",
        "effects": [effect],
        "shots": [],
    }
    made = searched(bundle(N, PICTURES), ("proven",), **whole)
    for each in made["findings"]["list"][0]["shown"]:
        each["map"] = None
    tab = opened(written(made, tmp_path), "findings?code=SC01")
    text = tab.locator(".finding-page").inner_text()
    assert "It lies a tint." in text
    assert "Test: tint" in text
    assert "Cover it" not in text
    assert tab.locator(".where .shot").count() == 12


# Its files ------------------------------------------------------------------------------------------


def test_files_hold_what_the_page_shows(opened, file, made):
    tab = opened(file, "findings?code=SC01")
    name, text = saved(tab, "Tests (CSV)")
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert name == "SC01.csv"
    assert len(rows) == 60
    assert rows[0]["picture"] == made["pictures"]["path"][made["findings"]["list"][0]["rows"][0]]
    falls = [
        float(r["before"]) - float(r["after"])
        for r in rows
        if (r["test"], r["region"], r["of"]) == ("cover", "pixels", "finding")
    ]
    assert np.mean(falls) == pytest.approx(0.61, abs=0.01)
    name, text = saved(tab, "All numbers (JSON)")
    told = json.loads(text)
    assert (name, told["code"], told["class"], len(told["pictures_of_it"])) == ("SC01.json", "SC01", "cat", 40)
    assert b"data:image" not in text
    name, text = saved(tab, "Summary (Markdown)")
    assert text.decode().startswith("# SC01: proven\n\n40 of 90 pictures called 'cat'")
    assert (
        "| paste | one region: where their pixels differ; control: the same of the rest of the class | 92 % turn |"
        in text.decode()
    )
    name, text = saved(tab, "Plots (SVG)")
    drawn = ElementTree.fromstring(text)
    lines = [each for each in drawn.iter("{http://www.w3.org/2000/svg}line") if "slope" in each.get("class", "")]
    assert len(lines) == 20
    assert {each.get("stroke") for each in lines} == {"#b3261e", "#566072"}
    name, data = saved(tab, "Plots (PNG)")
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert pixels.shape[1] > 1000
    assert (np.abs(pixels - [179, 38, 30]).max(axis=2) < 3).sum() > 5000  # the red bar


def test_a_command_is_copied(opened, file):
    tab = opened(file, "findings?code=SC01")
    tab.evaluate("() => document.addEventListener('copy', () => { window.taken = getSelection().toString(); })")
    tab.get_by_role("button", name="Copy: seewhy accept").click()
    assert tab.evaluate("() => window.taken") == "seewhy accept RUN SC01"


# Safety, size, reach --------------------------------------------------------------------------------


def test_names_are_never_read_as_html_or_formulas(opened, tmp_path):
    made = searched(bundle(60, 10, hostile=True), ("proven",), name=HOSTILE[1], place=HOSTILE[0])
    made["pictures"]["path"] = ["=HYPERLINK(1)"] * 60
    for each in made["findings"]["list"][0]["todo"]:
        each["why"] = HOSTILE[0]
    tab = opened(written(made, tmp_path), "findings?code=SC01")
    text = tab.locator(".finding-page").inner_text()
    assert HOSTILE[0] in text
    assert HOSTILE[1] in text
    assert b'"\'=HYPERLINK(1)"' in saved(tab, "Tests (CSV)")[1]


@pytest.mark.parametrize(
    "options", [{"viewport": {"width": 320, "height": 640}}, {"viewport": {"width": 390, "height": 844}}]
)
def test_narrow_screens_have_no_sideways_scrolling(opened, file, options):
    for view in ("overview", "findings", "findings?code=SC01"):
        tab = opened(file, view, **options)
        assert tab.evaluate("() => document.documentElement.scrollWidth") <= options["viewport"]["width"], view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_have_contrast(opened, file, scheme):
    """4.5:1 (WCAG 2.1) for what is new here: badges, plots' texts, commands."""
    tab = opened(file, "findings?code=SC01", color_scheme=scheme)
    for where, property in (
        (".status", "color"),
        (".plot text", "fill"),
        (".command code", "color"),
        (".verdict", "color"),
    ):
        said = tab.locator(where).first.evaluate(
            """(node, property) => { const parts = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
            let ground = node; let back = 'rgba(0, 0, 0, 0)';
            while (/, 0\\)$/.test(back)) { back = getComputedStyle(ground).backgroundColor; ground = ground.parentElement; }
            return [parts(getComputedStyle(node)[property]), parts(back)]; }""",
            property,
        )
        assert _contrast(*said) >= 4.5, (where, said)


def _contrast(one, other):
    def light(colour):
        parts = [(c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_without_scripts_findings_can_be_read(made):
    text = page(made)
    static = text[: text.index('<script type="application/json"')]
    assert "Does it cheat?" in static
    assert "SC01: proven" in static
    assert "SC02: suspected" in static
    assert "SC03" not in static
    assert static.count('class="mean"') == 2
    none = {**made, "findings": {**made["findings"], "list": []}}
    assert "Nothing met the bar. The weakest effect" in page(none)
