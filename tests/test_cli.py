"""The command line, run as a person runs it: on folders of small pictures, with a model in a file of one's own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from seewhy.apps import pictures as files
from seewhy.apps.cli import app
from seewhy.apps.requests import read_labels, read_options
from seewhy.apps.terminal import Progress, as_options, fitted
from seewhy.errors import InputError
from seewhy.methods import find_method
from seewhy.models.loading import FORMS

NETS = """
import time
from pathlib import Path
import torch
from torch import nn
from seewhy import wrap

print("printed while the model is built")

def make():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )

class Talker(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = make()
    def forward(self, x):
        print("printed by forward")
        return self.net(x)

class Slow(Talker):
    def forward(self, x):
        time.sleep(20 if list(Path("seewhy-out").glob("*.png")) else 0)  # long after the first is written
        return self.net(x)

def ready():
    return wrap(make(), labels=["ant", "bee", "7"], prepare="0..1@16", name="tiny")

def talker():
    return wrap(Talker(), prepare="0..1@16")

def slow():
    return wrap(Slow(), prepare="0..1@16")

def two():
    return wrap(nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), prepare="0..1@16")

def chatty():
    prepare = ready().prepare
    return wrap(make(), prepare=lambda picture: print("printed by prepare") or prepare(picture))

def numbered():
    parts = nn.Flatten(), nn.Unflatten(1, (3, 16, 16)), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return wrap(nn.Sequential(*parts), prepare="0..1@16")

def broken():
    return undefined_name

def odd():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = make()
        def forward(self, x):
            if not torch.is_grad_enabled() or x.mean() < 2:
                raise RuntimeError("a riddle")
            return self.net(x)
    return wrap(Odd(), prepare="0..1@16")
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working folder with nets.py, three pictures in two folders (two of one name), one broken file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "nets.py").write_text(NETS)
    draw = np.random.default_rng(0)
    for name in ("cats/1.png", "dogs/1.png", "dogs/ein Hündchen.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 255, (30, 40, 3), np.uint8)).save(path)
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    (tmp_path / "photos" / ".hidden.png").write_bytes(b"no picture either")
    return tmp_path


def seewhy(*arguments: str):
    """In this process, which is quick."""
    return CliRunner().invoke(app, [str(word) for word in arguments])


def process(*arguments: str, **options):
    """In a process of its own, as installed."""
    command = [sys.executable, "-c", "from seewhy.apps.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, **options)


def explain(*arguments: str):
    return seewhy("explain", *arguments, "--model", "nets.py:ready")


def rows(result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# help and version


def test_help_is_quick_and_needs_neither_torch_nor_plots():
    look = (
        "import sys; sys.argv = ['seewhy', '--help']\n"
        "from seewhy.apps.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'torch', 'matplotlib', 'skimage', 'numpy', 'PIL'} & set(sys.modules); assert not heavy, heavy"
    )
    before = os.times()
    result = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1
    assert all(command in result.stdout for command in ("explain", "layers", "methods", "demo"))


@pytest.mark.parametrize("command", ["explain", "layers", "methods", "demo"])
def test_each_command_has_one_sentence_and_an_example(command):
    result = seewhy(command, "-h")
    assert result.exit_code == 0
    sentence, example = re.search(r"\n\n  (.+?)\n\n  Example:\n    (.+)\n", result.stdout, re.S).groups()
    assert sentence.count(".") == 1
    assert example.startswith(f"seewhy {command}")


def test_the_help_shows_all_options_and_no_argument_shows_the_help():
    text = seewhy("explain", "-h").stdout
    for option in re.findall(
        r'"--([a-z-]+)"|(?<=\n    )([a-z_]+): Annotated', Path("seewhy/apps/cli.py").read_text("utf-8")
    ):
        name = "".join(option).replace("_", "-")
        assert (
            name in ("pictures", "spec", "picture", "everything", "all", "as-json", "version", "what")
            or f"--{name} " in text
        )
    assert "Usage: " in seewhy("explain").output


def test_the_help_names_all_forms_of_models():
    assert FORMS in " ".join(seewhy("explain", "-h").stdout.split())


def test_version():
    from seewhy import __version__

    assert seewhy("--version").stdout == f"seewhy {__version__}\n"


# explain


def test_explain_prints_a_table_writes_a_panel_and_suggests_what_is_next(home):
    result = explain("photos/cats/1.png")
    assert (result.exit_code, result.stderr) == (0, "printed while the model is built\n")
    head, columns, picture, *found, following = result.stdout.splitlines()
    assert head == "tiny, 3 classes, cpu; gradcam at layer 1 (16 × 16)"
    assert columns.split() == ["label", "score", "prob.", "the", "map", "lies"]
    assert picture == "photos/cats/1.png → seewhy-out/1.why.png"
    assert sorted(line.split()[0] for line in found) == ["7", "ant", "bee"]
    assert all(re.match(r"  \S+ +-?\d\.\d\d +\d\d\.\d%  (\d+% in the .+ ninth|no region stood out)$", x) for x in found)
    assert following.startswith("Next: seewhy explain photos/cats/1.png --model nets.py:ready --")
    with Image.open("seewhy-out/1.why.png") as panel:
        assert panel.width > 800


def test_what_comes_next_can_be_run(home):
    command = explain("photos/cats/1.png", "--signed").stdout.splitlines()[-1].removeprefix("Next: seewhy ")
    assert "--versus" in command
    assert seewhy(*command.split()).exit_code == 0


def test_folders_patterns_and_files_with_one_panel_each(home):
    result = explain("photos", "photos/*/1.png", "photos/cats/1.png", "--top", "1", "--json")
    assert result.exit_code == 0
    assert [row["file"] for row in rows(result)] == [
        "photos/cats/1.png",
        "photos/dogs/1.png",
        "photos/dogs/ein Hündchen.jpg",
    ]
    assert sorted(os.listdir("seewhy-out")) == ["cats-1.why.png", "dogs-1.why.png", "ein Hündchen.why.png"]
    assert all(Path(row["written"]).is_file() for row in rows(result))


def test_json_has_all_there_is_to_know(home):
    result = explain("photos/cats/1.png", "--target", "bee", "--versus", "0", "bee", "--raw", "--json")
    (row,) = rows(result)
    assert {key: row[key] for key in ("file", "written", "model", "width", "height")} == {
        "file": "photos/cats/1.png",
        "written": "seewhy-out/1.why.png",
        "model": "tiny",
        "width": 40,
        "height": 30,
    }
    bee, rather = row["rows"]
    assert (bee["target"], bee["label"], bee["index"]) == ("bee", "bee", 1)
    assert (rather["label"], rather["index"], rather["probability"]) == ("ant rather than bee", None, None)
    assert 0 < bee["probability"] < 1
    assert (bee["layer"], bee["method"], bee["map"]) == ("1", "gradcam", [16, 16])
    assert bee["peak"] is None or (0 <= bee["peak"]["row"] < 30 and 0 <= bee["peak"]["column"] < 40)
    assert (bee["raw"], rather["raw"]) == (
        "seewhy-out/1.why.1-bee.npy",
        "seewhy-out/1.why.2-ant-rather-than-bee.npy",
    )
    assert np.load(bee["raw"]).shape == (16, 16)
    assert set(bee) == {
        *("target", "label", "index", "score", "probability", "layer", "method", "map", "highest", "peak"),
        *("where", "raw", "notes"),
    }


def test_json_and_the_python_call_agree(home):
    import seewhy as sw

    row = rows(explain("photos/cats/1.png", "--target", "bee", "--method", "hirescam", "--signed", "--json"))[0][
        "rows"
    ][0]
    why = sw.explain("nets.py:ready", "photos/cats/1.png", target="bee", method="hirescam", signed=True)
    assert (row["score"], row["probability"], row["where"]) == (why.score, why.probability, why.where)
    assert (row["peak"]["row"], row["peak"]["column"]) == why.peak


def test_digits_are_an_index_unless_a_label_is_spelled_so(home):
    def index(word):
        return rows(explain("photos/cats/1.png", "--target", word, "--json"))[0]["rows"][0]["index"]

    assert (index("1"), index("7"), index("Ant")) == (1, 2, 0)
    assert "class -2 of a model with" in explain("photos/cats/1.png", "--target", "-2").stderr


def test_all_ways_to_ask(home):
    result = explain(
        *("photos/cats/1.png", "--target", "ant", "--target", "bee", "--against", "bee", "--probability", "ant"),
        *("--top", "1", "--json"),
    )
    found = [row["target"] for row in rows(result)[0]["rows"]]
    assert found == ["top 1", "ant", "bee", "against bee", "probability of ant"]


def test_why_one_rather_than_another_is_asked_any_number_of_times(home):
    result = explain("photos/cats/1.png", "--versus", "ant", "bee", "--versus", "1", "0", "--json")
    assert [one["label"] for one in rows(result)[0]["rows"]] == ["ant rather than bee", "bee rather than ant"]


def test_digits_are_a_layer_of_that_name_before_they_are_an_index(home):
    def layer(word):
        result = seewhy(
            "explain", "photos/cats/1.png", "-m", "nets.py:numbered", "--layer", word, "--top", "1", "--json"
        )
        return rows(result)[0]["rows"][0]["layer"]

    assert (layer("2"), layer("-1")) == ("2", "3")


def test_layers_one_some_and_all(home):
    def layers(*words):
        return [row["layer"] for row in rows(explain("photos/cats/1.png", "--top", "1", *words, "--json"))[0]["rows"]]

    assert layers("--layer", "0") == ["0"]
    assert layers("--layer", "0", "--layer", "1") == ["0", "1"]
    assert layers("--layer", "all") == ["0", "1"]
    shown = explain("photos/cats/1.png", "--top", "1", "--layer", "all", "--signed").stdout
    assert re.search(r"^tiny, 3 classes, cpu; gradcam at 2 layers\n", shown)
    assert re.search(r"%  1: (\d+% in|all of the map speaks)", shown)


@pytest.mark.slow
def test_an_animation_of_all_layers_beside_the_panel(home):
    result = explain("photos/cats/1.png", "--layer", "all", "--gif", "--signed")
    assert result.exit_code == 0, result.stderr
    assert "photos/cats/1.png → seewhy-out/1.why.png, 1.why.gif\n" in result.stdout
    with Image.open("seewhy-out/1.why.gif") as film:
        assert (film.format, film.n_frames) == ("GIF", 2)
    assert len(rows(explain(".", "--out", "other", "--json"))) == 3  # what was written is not taken for a picture


@pytest.mark.slow
def test_one_map_of_all_layers(home):
    import seewhy as sw

    asked = ("photos/cats/1.png", "--layer", "all", "--signed", "--top", "2", "--fuse", "mean", "--gif", "--raw")
    (row,) = rows(explain(*asked, "--json"))
    assert row["animation"] == "seewhy-out/1.why.gif"
    assert [(one["layer"], one["map"]) for one in row["rows"]] == [("mean of 2 layers", [16, 16])] * 2
    expected = sw.explain("nets.py:ready", "photos/cats/1.png", target=sw.top(1), layer="all", signed=True).mean()
    np.testing.assert_allclose(np.load(row["rows"][0]["raw"]), expected.map, rtol=1e-4, atol=1e-6)
    shown = explain(*asked, "--top", "1").stdout
    assert shown.startswith("tiny, 3 classes, cpu; gradcam at mean of 2 layers (16 × 16)\n")
    assert "note: Fused: the mean of 2 maps" in shown


def test_maps_that_cannot_be_fused_fail_their_picture_alone(home):
    result = explain("photos", "--layer", "all", "--signed", "--fuse", "product")
    assert result.exit_code == 2
    assert "in a product" in result.stderr + result.stdout
    assert "to do: ask without --signed, or write --fuse mean" in result.stderr + result.stdout


def test_a_map_of_what_speaks_against_says_so(home):
    import seewhy as sw
    from seewhy.apps.answers import short_where

    why = sw.explain("nets.py:ready", "photos/cats/1.png", target="bee", signed=True)
    assert replace(why, map=-1 - np.eye(4, dtype=np.float32)).where == "all of the map speaks against it"
    some = replace(why, map=np.eye(4, dtype=np.float32))
    assert re.fullmatch(r"\d+% in the [a-z ]+ ninth", short_where(some))


def test_a_model_of_two_classes_shows_two(home):
    result = seewhy("explain", "photos/cats/1.png", "-m", "nets.py:two", "--json", "--signed")
    assert len(rows(result)[0]["rows"]) == 2


def test_options_about_the_model_and_the_drawing(home):
    Path("names.txt").write_text("eins\nzwei\ndrei\n")
    result = seewhy(
        *("explain", "photos/cats/1.png", "-m", "nets.py:make", "--prepare", "-1..1@16", "--labels", "names.txt"),
        *("--colormap", "jet", "--opacity", "0.3", "--device", "cpu", "--batch-size", "2", "--out", "a/b", "--json"),
        *("--method", "integrated_gradients", "--option", "steps=3"),
    )
    assert result.exit_code == 0, result.output
    (row,) = rows(result)
    assert {one["label"] for one in row["rows"]} == {"eins", "zwei", "drei"}
    assert {one["method"] for one in row["rows"]} == {"integrated_gradients"}
    assert row["written"] == "a/b/1.why.png"


def test_weights_from_a_file(home):
    import torch
    from torch import nn

    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    torch.save(net.state_dict(), "w.pt")
    plain, other = (rows(explain("photos/cats/1.png", *more, "--json")) for more in ((), ("--weights", "w.pt")))
    assert plain[0]["rows"][0]["score"] != other[0]["rows"][0]["score"]


def test_what_a_model_prints_is_no_result(home):
    result = seewhy("explain", "photos", "-m", "nets.py:talker", "--json")
    assert len(rows(result)) == 3
    assert "printed by forward" in result.stderr


def test_what_a_preparation_prints_is_no_result(home):
    result = seewhy("explain", "photos/cats/1.png", "-m", "nets.py:chatty", "--json")
    assert len(rows(result)) == 1
    assert "printed by prepare" in result.stderr


def test_linked_folders_are_followed_once(home):
    Path("links").mkdir()
    for link, to in {"links/all": "photos", "links/again": "photos/cats", "photos/circle": "links"}.items():
        try:
            Path(link).symlink_to(Path(to).absolute(), target_is_directory=True)
        except OSError:
            pytest.skip("no links here")
    found = files.pictures_in(["links"], Path("out"))
    assert sorted(path.name for path in found) == ["1.png", "1.png", "ein Hündchen.jpg"]


def test_panels_saved_from_python_are_no_pictures(home):
    import seewhy as sw

    why = sw.explain("nets.py:ready", "photos/cats/1.png", target=sw.top(2))
    why.save("photos/all.png")
    why[0].save("photos/one.png")
    assert len(files.pictures_in(["photos"], Path("out"))) == 3


def test_a_second_run_does_not_explain_the_panels_of_the_first(home):
    for _ in range(2):
        result = explain(".", "--out", "photos/found", "--json")
        assert len(rows(result)) == 3


def test_one_bad_picture_among_many_has_its_row_and_the_rest_go_on(home):
    Path("photos/bad.png").write_text("<html>")
    result = explain("photos", "photos/none.png", "--top", "1")
    assert result.exit_code == 2
    assert "photos/bad.png not explained\n  the file 'photos/bad.png' is no image that Pillow can read" in result.stdout
    assert "photos/none.png not explained\n  no file 'photos/none.png'" in result.stdout
    assert result.stdout.count("→") == 3
    assert result.stderr.endswith("2 of 5 pictures were not explained; the others are written\n")
    assert len(os.listdir("seewhy-out")) == 3
    found = rows(explain("photos", "--top", "1", "--json"))
    assert set(found[0]["error"]) == {"came", "expected", "to_do"}
    assert ["error" in row for row in found] == [True, False, False, False]


# errors: what came, what was expected, what to do

ERRORS = [
    ((), "photos", f"error: no model\n  expected: --model {FORMS} ("),
    ((), "photos", "seewhy explain photos --model demo:efficientnet-lite0\n"),
    (
        ("-m", "nets.py:ready"),
        "none.png",
        "error: no file 'none.png'\n  expected: the path of an image file\n  to do: ",
    ),
    (("-m", "nets.py:ready"), "empty", "error: no pictures in the folder 'empty'\n  expected: files that end in .avif"),
    (("-m", "nets.py:ready"), "*.bmp", "error: no files match '*.bmp'\n"),
    (("-m", "nets.py:nothing"), "photos", "error: no function 'nothing' in nets.py\n"),
    (
        ("-m", "nets.py:broken"),
        "photos",
        "error: nets.py:broken failed: NameError: name 'undefined_name' is not defined\n",
    ),
    (("-m", "resnet"), "photos", f"error: no model is called 'resnet'\n  expected: {FORMS}\n"),
    (("-m", "nets.py:make"), "photos", "error: nets.py:make, a model whose preparation of pictures is not known\n"),
    (("-m", "nets.py:make"), "photos", "  to do: write --prepare imagenet (resize 256, crop 224"),
    (("-m", "nets.py:make", "--prepare", "nets"), "photos", "error: no preparation 'nets'\n"),
    (("-m", "nets.py:ready", "--target", "bea"), "photos", "error: no class is called 'bea'\n"),
    (("-m", "nets.py:ready", "--target", "bea"), "photos", "  to do: did you mean 'bee'?\n"),
    (("-m", "nets.py:ready", "--target", "3"), "photos", "error: class 3 of a model with 3 classes\n"),
    (("-m", "nets.py:talker", "--target", "ant"), "photos", "  to do: --labels FILE names the classes"),
    (("-m", "nets.py:ready", "--versus", "ant", "0"), "photos", "error: --versus 'ant' 0\n"),
    (("-m", "nets.py:ready", "--method", "gradcan"), "photos", "error: no method is called 'gradcan'\n"),
    (("-m", "nets.py:ready", "--layer", "9x"), "photos", "error: no layer is called '9x' in tiny\n"),
    (("-m", "nets.py:ready", "--option", "steps=3"), "photos", "error: gradcam has no option 'steps'\n"),
    (("-m", "nets.py:ready", "--option", "steps"), "photos", "error: --option steps\n  expected: NAME=VALUE\n"),
    (
        ("-m", "nets.py:ready", "--method", "integrated_gradients", "--option", "steps=few"),
        "photos",
        "error: --option steps='few' for integrated_gradients\n  expected: a whole number\n  to do: the default is steps=50\n",
    ),
    (("-m", "nets.py:ready", "--gif"), "photos", "error: --gif with one layer\n  expected: several layers\n"),
    (("-m", "nets.py:ready", "--fuse", "max", "--layer", "1"), "photos", "  to do: add --layer all\n"),
    (("-m", "nets.py:ready", "--fuse", "men", "--layer", "all"), "photos", "  to do: did you mean 'mean'?\n"),
    (("-m", "nets.py:ready", "--colormap", "jat"), "photos", "error: no colour map 'jat'\n"),
    (("-m", "nets.py:ready", "--opacity", "2"), "photos", "error: --opacity 2.0\n"),
    (("-m", "nets.py:ready", "--labels", "no.txt"), "photos", "error: the labels in 'no.txt' cannot be read"),
    (("-m", "nets.py:ready", "--weights", "no.pt"), "photos", "error: no file no.pt\n"),
    (
        ("-m", "nets.py:ready", "--device", "toaster"),
        "photos",
        "error: the device 'toaster', which PyTorch does not know\n",
    ),
    (("-m", "nets.py:ready", "--out", "nets.py"), "photos", "error: --out nets.py: File exists\n"),
    (("-m", "nets.py:ready", "--top", "5000"), "photos", "error: --top 5000 of a model with 3 classes\n"),
    (("-m", "nets.py:ready", "--top", "5000"), "photos", "  to do: write --top 3\n"),
    (("-m", "nets.py:ready", "--versus", "ant"), "photos", "error: --versus ant\n  expected: two classes: "),
    (("--top", "0"), "photos", "  expected: --top K: The K highest-scored classes"),
    (("--opacity", "abc"), "photos", "error: Invalid value for '--opacity': "),
    (("--target",), "photos", "  expected: --target CLASS: A class to explain"),
    (("--tpo", "3"), "photos", "error: no option --tpo\n"),
    (("-m", "nets.py:odd"), "photos", "error: something raised RuntimeError: a riddle\n"),
]


@pytest.mark.parametrize(
    ("words", "picture", "told"), ERRORS, ids=[" ".join((*words[2:], told))[:60] for words, _, told in ERRORS]
)
def test_errors_tell_three_parts_and_exit_2(home, words, picture, told):
    Path("empty").mkdir()
    result = seewhy("explain", picture, *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert re.search(r"^error: .+\n  expected: .+\n  to do: .+\n\Z", result.stderr, re.M)


def test_debug_shows_the_traceback(home):
    result = seewhy("explain", "photos", "-m", "nets.py:broken", "--debug")
    assert result.exit_code == 2
    assert "Traceback (most recent call last)" in result.stderr
    assert "in broken" in result.stderr


def test_no_gpu_is_told(home):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert "error: the device 'cuda'; PyTorch sees no GPU\n" in explain("photos", "--device", "cuda").stderr


def test_smooth_and_augment(home):
    result = explain("photos", "--smooth", "2", "--augment", "flip,scale", "--json")
    assert result.exit_code == 0, result.stderr
    notes = json.loads(result.stdout.splitlines()[0])["rows"][0]["notes"]
    assert any("2 noisy copies" in note and "mirrored, 0.8, 1.25" in note for note in notes)
    assert "did you mean 'flip'" in explain("photos", "--augment", "flop").stderr


# layers and methods


def test_layers_lists_blocks_and_marks_the_default(home):
    result = seewhy("layers", "nets.py:ready")
    assert result.exit_code == 0
    head, *found, more, default, earlier, following = result.stdout.splitlines()
    assert head.split() == ["index", "name", "kind", "output", "parameters", "map"]
    assert [line.split()[-3:] for line in found] == [["16", "×", "16"]] * 2
    assert [line.startswith("→") for line in found] == [False, True]
    assert more == "3 more, inside these or without a map: --all"
    assert following == "Next: seewhy explain PICTURE --model nets.py:ready --layer all"
    assert default.startswith("→ is the default, right for")
    assert "(LayerCAM, HiResCAM) can be taken earlier" in earlier
    everything = seewhy("layers", "nets.py:ready", "--all", "--picture", "photos/cats/1.png").stdout
    assert "none: its output has no height and width" in everything


def test_layers_as_json(home):
    found = json.loads(seewhy("layers", "nets.py:ready", "--json").stdout)
    assert [(one["name"], one["index"], one["usable"], one["default"]) for one in found] == [
        *[("0", 0, True, False), ("1", 1, True, True), ("2", None, False, False)],
        *[("3", None, False, False), ("4", None, False, False)],
    ]


def test_layers_without_a_model():
    result = seewhy("layers", "--all")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "to do: try the small network of the demo (pip install 'seewhy[demo]'): seewhy layers demo:" in result.stderr


def test_layers_of_two_models_at_once(home):
    result = seewhy("layers", "demo:", "--model", "nets.py:ready")
    assert (result.exit_code, "error: two models: demo: and --model nets.py:ready\n" in result.stderr) == (2, True)


@pytest.mark.parametrize("words", [["explian"], ["layers", "a", "b"], ["demo", "--json"], ["--foo"]])
def test_words_that_no_command_knows(words):
    result = seewhy(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(r"error: .+\n  expected: .+\n  to do: .+\n", result.stderr)


def test_values_of_options_are_numbers_truth_or_text():
    found = read_options(find_method("integrated_gradients"), ["baseline=.5", "steps=3"])
    assert found == {"baseline": 0.5, "steps": 3}
    assert read_options(find_method("scorecam"), ["scores=probability"]) == {"scores": "probability"}


def test_methods_lists_all():
    import seewhy as sw

    names = [one.name for one in sw.list_methods()]
    text = seewhy("methods").stdout
    assert [line for line in text.splitlines() if line in names] == names
    assert "--option steps=50" in text
    for words in (text, repr(sw.list_methods())):
        assert "PyTorch" in words
        assert "a ReLU" in words
        assert "pooling and one linear layer" in words
    found = json.loads(seewhy("methods", "--json").stdout)
    assert [one["name"] for one in found] == names
    assert all(one["paper"] and one["passes"] and one["summary"] for one in found)
    assert {one["name"]: one["needs"] for one in found}["guided_gradcam"] == (
        "gradients, runs on other images, a ReLU in the model"
    )


# what is written, and what is printed


def test_written_names_are_valid_and_never_alike():
    names = [
        "a/x.png",
        "b/x.png",
        "b/X.jpg",
        "c/b/x.png",
        "d/con.png",
        "d/a:b?.png",
        "d/\udcff.png",
        "d/...png",
        "é" * 99,
    ]
    found = files.written_names([Path(name) for name in names])
    assert len({name.casefold() for name in found}) == len(names)
    assert all(len(name.encode()) < 140 and not set(name) & set('<>:"/\\|?*') for name in found)
    assert found[:4] == ["a-x.why", "b-x.why", "b-X-2.why", "b-x-3.why"]
    assert found[4:7] == ["_con.why", "a_b_.why", "?.why".replace("?", "_")]


def test_labels_from_files(tmp_path):
    def labels(text, name):
        (tmp_path / name).write_text(text)
        return read_labels(tmp_path / name)

    assert labels("cat\ndog \n\n", "a.txt") == ["cat", "dog"]
    assert labels('["cat", "dog"]', "a.json") == ["cat", "dog"]
    assert labels('{"0": "cat", "1": ["n1", "dog"]}', "b.json") == {0: "cat", 1: "dog"}
    for bad in ("3", "{", '{"a": "cat"}'):
        with pytest.raises(InputError, match="labels in"):
            labels(bad, "c.json")


def test_columns_count_wide_letters_twice():
    assert fitted("日本語", 8) == "日本語  "
    assert fitted("日本語", 4) == "日 …"
    assert fitted("7.1", 5, right=True) == "  7.1"


def test_advice_for_python_becomes_advice_for_options():
    for python, typed in {
        "Try signed=True, layers(model)": "Try --signed, `seewhy layers SPEC`",
        "leave layer= out": "leave --layer out",
        'or take method="integrated_gradients", which': "or take --method integrated_gradients, which",
        "opacity=2.0": "--opacity 2.0",
        "steps=0\n  expected: at least one step": "--option steps=0\n  expected: at least one step",
        "or leave scores= out": "or leave --option scores= out",
        "with weights='w.pt' (--weights on the command line)": "with --weights w.pt",
        "return wrap(model, prepare=...) from the function": "return wrap(model, prepare=...) from the function",
        "target=output(lambda outputs: ...)": "target=output(lambda outputs: ...)",
        "write top(3)": "write --top 3",
    }.items():
        assert as_options(python) == typed


def test_progress_only_where_a_terminal_reads_it():
    class Stream:
        text = ""

        def __init__(self, terminal):
            self.terminal = terminal

        def isatty(self):
            return self.terminal

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    for terminal in (True, False):
        stream = Stream(terminal)
        progress = Progress(stream)
        progress.start(10)
        progress.last = 0
        progress.at(5, 1)
        progress.clear()
        assert ("━━━━━━━━━━──────────  5/10" in stream.text) == terminal
        assert stream.text.endswith("\r\x1b[2K") == terminal
        assert bool(stream.text) == terminal


# in a process of its own


@pytest.mark.slow
def test_piped_output_has_neither_colour_nor_bars_and_errors_no_traceback(home):
    good = process("explain", "photos", "-m", "nets.py:ready")
    assert good.returncode == 0
    assert "\x1b" not in good.stdout + good.stderr
    assert good.stderr == "printed while the model is built\n"
    bad = process("explain", "photos", "-m", "nets.py:ready", "--target", "bea")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "Traceback" not in bad.stderr
    ascii_only = process("layers", "nets.py:ready", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert ascii_only.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
@pytest.mark.parametrize("no_color", [False, True])
def test_in_a_terminal_there_is_colour_unless_unwanted_and_a_loading_line(home, no_color):
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "60", **({"NO_COLOR": "1"} if no_color else {})}
    command = [sys.executable, "-m", "seewhy.apps.cli", "explain", "photos", "-m", "nets.py:ready", "--top", "1"]
    child = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    text = b""
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # the terminal is closed
            break
        if not chunk:
            break
        text += chunk
    os.close(ours)
    assert child.wait(60) == 0
    shown = text.decode()
    assert ("\x1b[36m" in shown) is not no_color
    assert "loading nets.py:ready ..." in shown
    assert "0/3" in shown


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_ctrl_c_ends_with_130_and_what_is_written_stays(home):
    command = [sys.executable, "-m", "seewhy.apps.cli", "explain", "photos", "-m", "nets.py:slow", "--batch-size", "1"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    while not list(Path("seewhy-out").glob("*.png")) if Path("seewhy-out").exists() else True:
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert child.returncode == 130
    assert told.endswith("interrupted; what is written stays\n")
    for path in Path("seewhy-out").glob("*.png"):
        with Image.open(path) as panel:
            panel.load()
    assert not list(Path("seewhy-out").glob(".*"))


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(home):
    command = [sys.executable, "-m", "seewhy.apps.cli", "methods"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child.stdout.close()
    with child.stderr as stream:
        told = stream.read()
    assert (child.wait(60), told) == (141, "")
