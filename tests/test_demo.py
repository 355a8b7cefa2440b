"""The demo says what its maps show, on a real network and real photographs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import seewhy as sw
from seewhy.apps import demo, demo_shortcuts
from seewhy.apps.cli import app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def answers():
    return demo.explained(demo.photograph("coffee.png"), demo.photograph("chelsea.png"))


def test_espresso_lies_on_the_liquid_more_than_cup_and_their_difference_most(answers):
    espresso, cup, _, rather = answers[0]
    assert [one.label for one in (espresso, cup, rather)] == ["espresso", "cup", "espresso rather than cup"]
    assert espresso.probability == pytest.approx(0.95, abs=0.01)
    assert demo.on_liquid(rather) > 3.2 > demo.on_liquid(espresso) > 2.5 > demo.on_liquid(cup) > 1


def test_cup_peaks_on_the_wall_and_espresso_on_the_liquid(answers):
    def in_liquid(point):
        (row, column), (high, wide) = demo.LIQUID
        return ((point[0] - row) / high) ** 2 + ((point[1] - column) / wide) ** 2 <= 1

    espresso, cup, _, rather = answers[0]
    assert [in_liquid(one.peak) for one in (espresso, cup, rather)] == [True, False, True]
    row, column = cup.peak
    assert ((row - 103) / 90) ** 2 + ((column - 290) / 116) ** 2 <= 1  # within the rim


def test_the_cat_is_a_cat(answers):
    assert [one.label for one in answers[1]] == ["tiger cat", "Egyptian cat", "tabby"]


def test_the_panel_of_the_readme_is_what_the_demo_draws(answers):
    drawn = demo.coffee_panel(answers[0])
    kept = Image.open("docs/images/coffee.jpg")
    assert kept.size == drawn.size
    difference = np.asarray(kept, float) - np.asarray(drawn, float)
    assert np.abs(difference).mean() < 4  # it is a JPEG


@pytest.mark.slow
def test_the_demo_tells_and_writes(tmp_path):
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "out")])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "  espresso                  11.40        95.1%" in result.stdout
    assert f"written: {tmp_path / 'out' / 'coffee.why.png'}" in result.stdout
    assert f"\n  seewhy explain {tmp_path / 'out' / 'coffee.png'} --model demo:" in result.stdout
    assert f"written: {tmp_path / 'out' / 'report.html'}" in result.stdout
    assert result.stdout.splitlines()[-2] == f"  seewhy show {tmp_path / 'out' / 'scenes-run'}"
    names = [
        *("chelsea.png", "chelsea.why.png", "coffee.png", "coffee.why.png"),
        *("mistakes.png", "report.html", "scenes", "scenes-run"),
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    groups = sw.open(tmp_path / "out" / "scenes-run").looked_at()
    logo = max(groups, key=lambda one: one.pictures)
    assert (logo.name, logo.accuracy < 0.4) == ("disc 1", True)  # the shortcut is a group of its own
    assert (tmp_path / "out" / "coffee.png").read_bytes() == demo.photograph("coffee.png").read_bytes()


def test_without_the_extra_the_demo_says_what_to_install_and_exits_0(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "to do: pip install 'seewhy[demo]'" in result.stderr


@pytest.mark.slow
def test_the_demo_of_shortcuts_finds_proves_mends_and_compares(tmp_path):
    result = CliRunner().invoke(app, ["demo", "shortcuts", "--out", str(tmp_path)])
    assert (result.exit_code, result.stderr) == (0, "")
    folder = tmp_path / "shortcuts"
    assert {path.name for path in folder.iterdir()} == demo_shortcuts.WRITTEN
    first = sw.open(folder / "first")
    finding = first.findings()[0]
    assert (finding.code, finding.label, finding.status) == ("SC01", "disc", "proven")
    assert finding.s3 > finding.line + 2  # by a wide margin
    bears = [
        Path(path).name
        for path in finding.paths
        if (folder / "held-out" / "markers" / "disc" / Path(path).name).is_file()
    ]
    assert len(bears) >= 0.8 * len(finding.paths)
    compared = sw.compare(folder / "before", folder / "after", inside=folder / "unbiased" / "markers")
    heat = next(move.mean for move in compared.changes[0].moves if move.what == "inside")
    assert heat.sure
    assert heat.difference < 0
    assert compared.changes[0].interval[0] > 0.1
    plain = next(line for line in result.stdout.splitlines() if line.startswith("   right, without a frame"))
    assert re.search(r"\+\d+\.\d  \+\d+\.\d to \+\d+\.\d$", plain), plain
    assert "SC01  no effect left" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("  seewhy shortcuts runs/first --model")


def test_the_demo_of_shortcuts_removes_nothing_that_is_not_its_own(tmp_path):
    (tmp_path / "shortcuts").mkdir()
    (tmp_path / "shortcuts" / "thesis.txt").write_text("mine")
    result = CliRunner().invoke(app, ["demo", "shortcuts", "--out", str(tmp_path)])
    assert "thesis.txt' is not the demo's" in result.stderr
    assert (tmp_path / "shortcuts" / "thesis.txt").read_text() == "mine"
