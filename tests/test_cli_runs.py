"""The commands about data sets, as typed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from seewhy.apps.cli import app
from seewhy.apps.requests import read_classes
from seewhy.errors import InputError

NETS = """
import time
import torch
from pathlib import Path
from torch import nn
from seewhy import wrap

def by_colour(labels):
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[0.0, 0, 1], [1, 0, 0]])[..., None, None])
        net[0].bias.zero_()
    return wrap(net, labels=labels, prepare="0..1@16", name="colours")

def good():
    return by_colour(["blue", "red"])

def named():
    return by_colour(["bleu", "rot"])

def bare():
    return wrap(good().module, labels=["blue", "red"])

def exchanged():
    return by_colour(["red", "blue"])

def slow():
    ready = good().prepare
    def prepare(picture):
        time.sleep(20 if list(Path("run/parts").glob("part-*")) else 0)
        return ready(picture)
    return wrap(good(), prepare=prepare)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "nets.py").write_text(NETS)
    draw = np.random.default_rng(0)
    for name, colour in (("blue", (20, 20, 230)), ("red", (230, 20, 20))):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(10):
            pixels = np.clip(draw.normal(colour, 20, (20, 20, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path


def seewhy(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def audit(*words):
    return seewhy("audit", "photos", "--model", "nets.py:good", "--out", "run", *words)


def test_an_audit_and_what_it_shows(home):
    Image.fromarray(np.full((20, 20, 3), (200, 0, 0), np.uint8)).save("photos/blue/really red.png")
    Path("photos/red/bad.png").write_text("no picture")
    done = audit()
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "model    colours, 2 classes   layer 0, gradcam",
        "check    21 pictures: accuracy 95.2 %, 0..1@16: looks right",
        "audit    pictures 21   accuracy 95.2 %   wrong 1",
        "1 file skipped: run/skipped.csv",
        "Next: seewhy show run --gallery mistakes.png   or   seewhy report run -o report.html",
    ]
    assert "red/bad.png" in Path("run/skipped.csv").read_text()
    shown = seewhy("show", "run", "--gallery", "mistakes.png")
    assert shown.exit_code == 0
    assert "blue/really red.png" in shown.stdout
    assert Path("mistakes.png").stat().st_size > 1000
    again = audit()
    assert "resumed  22 pictures were done before" in again.stdout


def test_json_is_one_line_with_a_version(home):
    for words in (
        ("audit", "photos", "-m", "nets.py:good", "--out", "run"),
        ("show", "run"),
        ("check", "photos", "-m", "nets.py:good"),
    ):
        done = seewhy(*words, "--json")
        (line,) = done.stdout.splitlines()
        found = json.loads(line)
        assert (found["schema"], found["accuracy"], found["pictures"]) == (1, 1.0, 20), words


def test_the_check_exits_with_1_where_something_looks_wrong(home):
    good = seewhy("check", "photos", "-m", "nets.py:good")
    assert (good.exit_code, "look right" in good.stdout) == (0, True)
    assert good.stdout.splitlines()[-1].startswith("Next: seewhy audit photos --model nets.py:good")
    wrong = seewhy("check", "photos", "-m", "nets.py:exchanged")
    assert wrong.exit_code == 1
    assert "accuracy is 0.0 % as things are, and 100.0 % with" in wrong.stdout


def test_an_audit_of_what_looks_wrong_warns_on_stderr_and_goes_on(home):
    done = seewhy("audit", "photos", "-m", "nets.py:exchanged", "--out", "run")
    assert done.exit_code == 0
    assert "warning: accuracy is 0.0 %" in done.stderr
    assert "something looks wrong" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["audit"], None),
        (["audit", "photos"], "error: no model"),
        (["audit", "photos", "-m", "nets.py:good"], "--out RUN"),
        (["audit", "fotos", "-m", "nets.py:good", "--out", "run"], "no file or folder 'fotos'"),
        (["audit", "photos", "-m", "nets.py:good", "--out", "run", "--class", "blue"], "LABEL=CLASS"),
        (["audit", "photos", "-m", "nets.py:good", "--out", "run", "--class", "bleu=0"], "which no picture has"),
        (["audit", "photos", "-m", "nets.py:good", "--out", "run", "--batch-size", "0"], "--batch-size N"),
        (["audit", "photos", "-m", "nets.py:good", "--out", "nets.py"], "cannot be made"),
        (["audit", "photos", "-m", "nets.py:named", "--out", "run"], "--class blue=bleu"),
        (["audit", "photos", "-m", "nets.py:bare", "--out", "run"], "to do: --prepare imagenet, 0..1"),
        (["show", "photos"], "'photos' holds no run"),
        (["show", "nowhere"], "no folder 'nowhere'"),
    ],
)
def test_wrong_words(home, words, told):
    done = seewhy(*words)
    assert (done.exit_code, done.stdout if told else "") == (2, "")
    assert (told or "") in done.stderr
    assert "Traceback" not in done.stderr


def test_classes_as_typed():
    assert read_classes(["cats=tabby", "a=b=3", "other=none"]) == {"cats": "tabby", "a=b": 3, "other": None}
    assert read_classes(None) is None
    with pytest.raises(InputError, match="LABEL=CLASS"):
        read_classes(["=x"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(home):
    from seewhy.results.store import Store

    draw = np.random.default_rng(1)
    for i in range(300):  # more than a part
        Image.fromarray(draw.integers(0, 255, (8, 8, 3), np.uint8)).save(f"photos/red/more-{i}.png")
    words = ["audit", "photos", "-m", "nets.py:slow", "--out", "run", "--no-check"]
    child = subprocess.Popen(
        [sys.executable, "-m", "seewhy.apps.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not Store(Path("run")).parts():
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert child.returncode == 130
    assert told.endswith("interrupted; give the same command again to go on\n")
    store = Store(Path("run"))
    assert len(store.sound(store.about()["key"])) == 1
    assert os.path.exists("run/run.json")
