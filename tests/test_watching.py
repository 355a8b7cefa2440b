"""Watching a training: the weights are untouched, the numbers are right, the files are readable, the alarm is heard."""

import csv
import gc
import importlib.util
import json
import shutil
import subprocess
import sys
import warnings
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import seewhy as sw
from seewhy import scenes
from seewhy.studies.watching.cost import Cost
from seewhy.studies.watching.regions import WORDS, regions
from seewhy.studies.watching.watcher import Watch
from tests.support.events import events

SIDE = 24
RNG = np.random.default_rng(0)
X = torch.from_numpy(RNG.uniform(0, 1, (20, 3, SIDE, SIDE)).astype(np.float32))
Y = torch.arange(20) % 3
PICTURES = [np.asarray(RNG.integers(0, 255, (30, 40, 3)), np.uint8) for _ in range(4)]


def network():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Dropout2d(0.3),
        nn.Conv2d(8, 8, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(8, 3),
    )


class Flipped(torch.utils.data.Dataset):
    """Images with augmentation by chance, from three sources of it."""

    def __len__(self):
        return len(X)

    def __getitem__(self, i):
        image = X[i] + 0.01 * torch.rand(1) + 0.01 * np.random.rand()
        return (image.flip(2) if torch.rand(()) < 0.5 else image), Y[i]


def state(*parts):
    """All tensors of modules and optimizers, as bytes, by name."""
    found = {}

    def walk(name, value):
        if isinstance(value, torch.Tensor):
            found[name] = value.detach().cpu().numpy().tobytes()
        elif isinstance(value, dict):
            for key, each in value.items():
                walk(f"{name}/{key}", each)

    for n, part in enumerate(parts):
        walk(str(n), part.state_dict())
    return found


def looped(out=None, epochs=3, model=network, **options):
    torch.manual_seed(3)
    np.random.seed(3)
    module = model()
    watched = None
    if out is not None:
        options = {"pictures": PICTURES, "labels": [0, 1, 2, 0]} | options
        watched = sw.watch(sw.wrap(module, prepare="0..1@24", labels=list("abc")), out=out, **options)
    loader = torch.utils.data.DataLoader(Flipped(), batch_size=8, shuffle=True)
    optimizer = None
    for _ in range(epochs):
        module.train()
        for images, labels in loader:
            loss = F.cross_entropy(module(images), labels)
            optimizer = optimizer or torch.optim.Adam(module.parameters(), 1e-2)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if watched is not None and watched.step():
                break
        if watched is not None and watched.epoch():
            break
    if watched is not None:
        watched.close()
    return state(module, optimizer), watched


def assert_holds_strips(folder):
    """The event file holds a strip of each picture: the first with one tile beside the picture, the last with all."""
    images, _ = events(folder / "tensorboard")
    assert set(images) == {f"watch/0{n}-picture-{n}" for n in range(4)}
    for strips in images.values():
        assert strips[-1][1].width > strips[0][1].width


# the training is not changed


@pytest.mark.parametrize("every", [{}, {"every": 2, "unit": "step"}], ids=["epochs", "steps"])
def test_weights_are_the_same_with_and_without(tmp_path, every):
    plain, _ = looped()
    seen, watched = looped(tmp_path, region="middle", **every)
    assert plain == seen
    assert plain != looped(epochs=2)[0], "the comparison can fail"
    assert [one["step"] for one in watched.watched.means()] == ([0, 2, 4, 6, 8] if every else [0, 3, 6, 9])


def test_a_data_set_that_draws_by_chance_changes_nothing(tmp_path):
    plain, _ = looped()
    seen, _ = looped(tmp_path, pictures=Flipped(), labels=None, choose="hardest", count=3)
    assert plain == seen


def test_a_preparation_that_draws_by_chance_changes_nothing(tmp_path):
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    model = sw.wrap(network().eval(), prepare=lambda pil: torch.rand(3, SIDE, SIDE))
    torch.random.set_rng_state(before)
    sw.watch(model, PICTURES[:1], out=tmp_path).close()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_lazy_weights_are_not_made_by_the_watch(tmp_path):
    def lazy():
        return nn.Sequential(
            nn.LazyConv2d(4, 3), nn.ReLU(), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(3)
        )

    plain, _ = looped(model=lazy)
    seen, watched = looped(tmp_path, model=lazy)
    assert plain == seen
    assert [one["epoch"] for one in watched.watched.means()] == [1, 2, 3]


def lightning_trained(out=None, stop=False, **options):
    lightning = pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network()

        def forward(self, images):
            return self.net(images)

        def training_step(self, batch, _):
            return F.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-2)

    lightning.seed_everything(3, verbose=False)
    module, callbacks, watched = Module(), [], None
    if out is not None:
        model = sw.wrap(module, prepare="0..1@24")
        watched = sw.watch(model, PICTURES, out=out, labels=[0, 1, 2, 0], region="middle", stop=stop, **options)
        callbacks = [watched.lightning()]
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", callbacks=callbacks, enable_checkpointing=False, **quiet
    )
    loader = torch.utils.data.DataLoader(Flipped(), batch_size=8, shuffle=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning advises on workers
        trainer.fit(module, loader)
    return state(module, trainer.optimizers[0]), trainer, watched


@pytest.mark.slow
@pytest.mark.parametrize("every", [{}, {"every": 2, "unit": "step"}], ids=["epochs", "steps"])
def test_lightning(tmp_path, every):
    plain, _, _ = lightning_trained()
    seen, trainer, watched = lightning_trained(tmp_path, tensorboard=True, **every)
    assert plain == seen
    assert_holds_strips(tmp_path)
    means = watched.watched.means()
    assert [one["step"] for one in means] == ([0, 2, 4, 6, 8] if every else [0, 3, 6, 9])
    assert watched.watched.about["epochs"] == 3
    assert trainer.callback_metrics["watch_focus"].item() == pytest.approx(means[-1]["focus"], rel=1e-4)
    assert list((tmp_path / "gifs").glob("*.gif")), "it was closed"


@pytest.mark.slow
def test_lightning_stops(tmp_path):
    _, trainer, watched = lightning_trained(tmp_path, on_focus_below=1.0, stop=True)
    assert trainer.current_epoch == 1
    assert watched.stopped


def trainer_trained(folder, watch=False, **options):
    pytest.importorskip("accelerate")
    transformers = pytest.importorskip("transformers")
    transformers.set_seed(3)
    config = transformers.ResNetConfig(
        num_channels=3, embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], layer_type="basic", num_labels=3
    )
    model = transformers.ResNetForImageClassification(config)
    data = [{"pixel_values": image, "labels": int(label)} for image, label in zip(X, Y, strict=True)]
    watched, callbacks = None, []
    if watch:
        images = [one.numpy() for one in X[:4]]
        watched = sw.watch(model, images, out=folder / "watch", labels=[0, 1, 2, 0], region="middle", **options)
        callbacks = [watched.trainer()]
    arguments = transformers.TrainingArguments(
        output_dir=str(folder / "trained"),
        num_train_epochs=3,
        per_device_train_batch_size=8,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        logging_strategy="no",
        use_cpu=True,
        dataloader_pin_memory=False,
    )
    trainer = transformers.Trainer(model, arguments, train_dataset=data, callbacks=callbacks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.train()
    return state(model), trainer, watched


@pytest.mark.slow
@pytest.mark.parametrize("every", [{}, {"every": 2, "unit": "step"}], ids=["epochs", "steps"])
def test_trainer(tmp_path, every):
    plain, _, _ = trainer_trained(tmp_path)
    seen, trainer, watched = trainer_trained(tmp_path, watch=True, tensorboard=True, **every)
    assert plain == seen
    assert_holds_strips(tmp_path / "watch")
    means = watched.watched.means()
    assert [one["step"] for one in means] == ([0, 2, 4, 6, 8] if every else [0, 3, 6, 9])
    assert watched.watched.about["epochs"] == 3
    logged = [row["watch_focus"] for row in trainer.state.log_history if "watch_focus" in row]
    assert logged[-1] == pytest.approx(means[-1]["focus"], rel=1e-5)


@pytest.mark.slow
def test_trainer_stops(tmp_path):
    _, trainer, _ = trainer_trained(tmp_path, watch=True, on_focus_below=1.0, stop=True)
    assert trainer.state.global_step == 3


@pytest.mark.slow
@pytest.mark.parametrize(("name", "package"), [("lightning", "lightning"), ("trainer", "transformers")])
def test_a_missing_extra_is_named(tmp_path, monkeypatch, name, package):
    watched = sw.watch(network().eval(), [X[0]], out=tmp_path)
    monkeypatch.delitem(sys.modules, f"seewhy.models.callbacks.{name}", raising=False)
    for module in [one for one in sys.modules if one.split(".")[0] in (package, "pytorch_lightning")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(sw.MissingExtraError, match=f"the package {package}"):
        getattr(watched, name)()


# the numbers


class Fixed(nn.Module):
    """Its last map is a fixed one, whatever it is shown; the first score is its mean."""

    def __init__(self, maps):
        super().__init__()
        self.maps = nn.Parameter(torch.tensor(np.array(maps), dtype=torch.float32)[None])
        self.layer = nn.Identity()
        self.turn = nn.Conv2d(3, 1, 1)

    def forward(self, images):
        still = 0 * self.turn(images).mean()
        mean = self.layer(self.maps.expand(len(images), *self.maps.shape[1:]) + still).mean((2, 3))
        return torch.cat([mean, -5 - mean], 1)


def looked(tmp_path, maps, then=None, **options):
    model = Fixed([maps]).eval()
    watched = sw.watch(model, [X[0]], out=tmp_path, layer="layer", **options)
    if then is not None:
        model.maps.data[:] = torch.tensor(then)
        watched.epoch()
    return watched.watched.table().to_pylist()[-1]


CORNER = np.zeros((4, 4), np.float32)
CORNER[0, 3], CORNER[2, 1] = 3, 1


def test_numbers_of_a_known_map(tmp_path):
    row = looked(tmp_path, CORNER, region=[(12, 0, 24, 12)])  # the top right quarter of 24 x 24
    assert row["focus"] == pytest.approx(0.75)
    assert row["score"] == pytest.approx(4 / 16)
    p = np.array([0.75, 0.25])
    assert row["entropy"] == pytest.approx(-(p * np.log(p)).sum() / np.log(16), rel=1e-5)
    assert row["border"] == pytest.approx(0.75 * (1 - 0.6**2), rel=1e-5)  # the corner cell is a quarter of a side wide
    assert row["drift"] is None


def test_drift_is_one_less_the_correlation(tmp_path):
    then = np.arange(16, dtype=np.float32).reshape(4, 4)
    row = looked(tmp_path, CORNER, then)
    assert row["drift"] == pytest.approx(1 - np.corrcoef(CORNER.ravel(), then.ravel())[0, 1], rel=1e-5)


def test_the_map_is_kept_as_it_was(tmp_path):
    looked(tmp_path, CORNER)
    weight = 1 / 16  # Grad-CAM's weight of the channel
    np.testing.assert_allclose(sw.Watched(tmp_path).map(0), weight * CORNER, rtol=1e-3)


@pytest.mark.parametrize(
    ("word", "share"), [("middle", 0.25), ("border", 0.36), ("corners", 4 / 9), ("top left", 1 / 9)]
)
def test_words_for_regions(word, share):
    (region,) = regions(word, ["a"], [(200, 100)], [(50, 0, 150, 100)])
    cells = region.on_cells((50, 0, 150, 100), (8, 8))
    assert cells.mean() == pytest.approx(share, abs=0.01)


def test_every_word_lies_where_it_says():
    for word in WORDS:
        (region,) = regions(f"{word} corner" if " " in word else word, ["a"], [(90, 90)], [(0, 0, 90, 90)])
        rows, columns = np.nonzero(region.outline((90, 90)))
        if "top" in word:
            assert rows.max() < 31
        if "right" in word:
            assert columns.min() > 58


def test_a_finding_is_a_region():
    pixels = np.zeros((16, 16))
    pixels[:4, :4] = 1  # of what the model sees, which is the right half of the picture
    others = {one.name: () for one in fields(sw.Finding) if one.default is MISSING}
    finding = sw.Finding(**{**others, "code": "SC01", "pixels": pixels, "heat": pixels})
    (region,) = regions(finding, ["a"], [(200, 100)], [(100, 0, 200, 100)])
    assert region.words == "the region of SC01"
    cells = region.on_cells((100, 0, 200, 100), (2, 2))
    assert cells[0, 0] == pytest.approx(0.25, abs=0.1)
    assert cells[1].sum() + cells[0, 1] < 0.02
    assert not region.on_cells((0, 0, 100, 100), (2, 2)).any()


def test_a_mask_is_a_region():
    mask = np.zeros((90, 60), bool)
    mask[:45] = True
    (region,) = regions(mask, ["a"], [(60, 90)], [(0, 0, 60, 90)])
    np.testing.assert_allclose(region.on_cells((0, 0, 60, 90), (2, 3)), [[1, 1, 1], [0, 0, 0]])


# the alarm


def test_the_alarm_is_heard_once_until_it_is_over(tmp_path):
    model = Fixed([CORNER]).eval()
    watched = sw.watch(model, [X[0]], out=tmp_path, layer="layer", region="top right", on_focus_above=0.5)
    with pytest.warns(sw.SeeWhyWarning, match=r"epoch 1: \d+ % of the heat lies in the top right, above 50 %"):
        assert watched.epoch() is False
    watched.epoch()  # warnings are errors: it says nothing again
    model.maps.data[:] = torch.tensor(CORNER[::-1].copy())
    watched.epoch()
    model.maps.data[:] = torch.tensor(CORNER)
    with pytest.warns(sw.SeeWhyWarning, match="epoch 4"):
        watched.epoch()
    assert len(watched.alarms) == len(json.loads((tmp_path / "watch.json").read_text())["alarms"]) == 2
    assert not watched.stopped


def test_patience_and_stop(tmp_path):
    model = Fixed([CORNER]).eval()
    options = {"region": "middle", "on_focus_below": 0.5, "patience": 3, "stop": True}
    watched = sw.watch(model, [X[0]], out=tmp_path, layer="layer", **options)
    assert [watched.epoch(), watched.epoch()] == [False, False]
    with pytest.warns(sw.SeeWhyWarning, match=r"for 3 looks in a row .* The training stops"):
        assert watched.epoch() is True
    assert watched.stopped


# the files


def frames(path):
    with Image.open(path) as film:
        return film.n_frames


def size(path):
    with Image.open(path) as image:
        image.load()
        return image.size


def test_what_is_written(tmp_path):
    _, watched = looped(tmp_path, region="middle", tensorboard=True)
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    for n in range(4):
        files = (f"strips/0{n}-picture-{n}.png", f"gifs/0{n}-picture-{n}.gif", f"pictures/0{n}-picture-{n}.png")
        assert names >= set(files)
    assert "filmstrip.png" in names
    table = pq.read_table(tmp_path / "parts")
    lines = list(csv.DictReader((tmp_path / "numbers.csv").read_text().splitlines()))
    assert table.num_rows == len(lines) == 16
    assert [float(line["focus"]) for line in lines] == pytest.approx(table["focus"].to_pylist(), rel=1e-4)
    assert frames(tmp_path / "gifs/00-picture-0.gif") == 4
    shown = watched.watched
    np.testing.assert_array_equal(shown.map(1), shown.map("picture 1", 3))
    np.testing.assert_array_equal(shown.map(1, 0), shown.map(1, -4))
    for look in (4, -5):
        with pytest.raises(sw.InputError, match=f"look={look}"):
            shown.map(1, look)
    with pytest.raises(sw.UnknownNameError, match="did you mean 'picture 3'"):
        shown.strip("pictur 3")
    assert shown.strip(1).size == size(tmp_path / "strips/01-picture-1.png")
    assert shown.grid(columns=2).width < shown.grid().width
    shown.gif("picture 2", tmp_path / "two.webp")
    shown.curves().savefig(tmp_path / "curves.png")
    assert "epoch  step  in the middle" in repr(shown)
    images, scalars = events(tmp_path / "tensorboard")
    assert [step for step, _ in scalars["watch/focus"]] == [0, 1, 2, 3]
    assert images["watch/00-picture-0"][-1][1].size == size(tmp_path / "strips/00-picture-0.png")


def test_one_function_of_the_users_gets_numbers_and_strips(tmp_path):
    told = []
    _, watched = looped(tmp_path, log=lambda numbers, images, step: told.append((numbers, images, step)))
    assert [step for _, _, step in told] == [0, 1, 2, 3, 3]
    assert set(told[1][0]) == {"watch_probability", "watch_border", "watch_entropy", "watch_drift"}
    assert isinstance(told[-1][1]["watch_00-picture-0"], Image.Image)
    assert watched.numbers == told[3][0]


def test_a_function_that_fails_ends_no_training(tmp_path):
    def log(numbers, images, step):
        raise ConnectionError("no server")

    with pytest.warns(sw.SeeWhyWarning, match="could not be logged: ConnectionError: no server") as caught:
        _, watched = looped(tmp_path, log=log)
    assert len(caught) == 1
    assert len(watched.watched.means()) == 4


@pytest.mark.slow  # torch's writer imports TensorFlow where it is installed
def test_a_writer_of_torch_takes_the_strips(tmp_path):
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path / "logs")) as writer:
        looped(tmp_path / "watch", epochs=1, tensorboard=writer)
    images, scalars = events(tmp_path / "logs")
    assert set(images) == {f"watch/0{n}-picture-{n}" for n in range(4)}
    assert len(scalars["watch/border"]) == 2


KILLED = """
import os, sys, torch, seewhy as sw
from torch import nn
net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
watched = sw.watch(net, [torch.rand(3, 16, 16)], out=sys.argv[1])
for n in range(3):
    net[0].weight.data += 0.1
    watched.epoch()
if sys.argv[2] == "kill":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("how", ["kill", "leave"])
def test_a_training_that_ends_without_close_leaves_readable_files(tmp_path, how):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), how], check=how == "leave")
    watched = sw.Watched(tmp_path)
    assert [one["epoch"] for one in watched.means()] == [0, 1, 2, 3]
    assert watched.map(0).shape == (14, 14)
    assert size(tmp_path / "strips/00-picture-0.png")[0] > 128
    watched.gif(0, tmp_path / "all.gif")
    assert (tmp_path / "gifs/00-picture-0.gif").exists() == (how == "leave")


def test_the_folder_may_be_named_from_elsewhere_or_be_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    watched = sw.watch(network().eval(), [X[0]], out="here")
    monkeypatch.chdir("/")
    watched.epoch()
    assert len(sw.Watched(tmp_path / "here").means()) == 2
    shutil.rmtree(tmp_path / "here")
    del watched  # and nothing is said, as warnings are errors
    gc.collect()


def test_resume_goes_on_in_the_same_folder(tmp_path):
    looped(tmp_path, epochs=2)
    with pytest.raises(sw.InputError, match="holds an earlier training"):
        looped(tmp_path)
    _, watched = looped(tmp_path, epochs=2, resume=True)
    assert [(one["look"], one["epoch"]) for one in watched.watched.means()] == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]
    assert frames(tmp_path / "gifs/00-picture-0.gif") == 5
    with pytest.raises(sw.InputError, match="not those watched before"):
        looped(tmp_path, resume=True, pictures=PICTURES[:2], labels=[0, 1])
    with pytest.raises(sw.InputError, match="those of before: 'gradcam' and None"):
        looped(tmp_path, resume=True, region="middle")
    with pytest.raises(sw.InputError, match="with method 'layercam'"):
        looped(tmp_path, resume=True, method="layercam")


def test_a_box_in_shares_of_the_picture_is_refused(tmp_path):
    with pytest.raises(sw.InputError, match="smaller than a pixel"):
        looped(tmp_path, region=(0.1, 0.1, 0.5, 0.5))


def test_memory_and_strips_do_not_grow_with_the_training(tmp_path):
    model = Fixed([CORNER]).eval()
    watched = sw.watch(model, [X[0]], out=tmp_path, layer="layer")
    for _ in range(100):
        watched.epoch()
    (roll,) = watched._drawing.rolls
    whens = [shot.epoch for shot, _ in roll.shown]
    assert len(whens) <= 25
    assert whens[0] == 0
    assert whens[-1] == 100
    assert len(set(np.diff(whens[:-1]))) == 1, "evenly spread"
    watched.close()
    assert len(sw.Watched(tmp_path).means()) == 101


def test_other_processes_of_a_distributed_training_do_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    watched = sw.watch(network().eval(), [X[0]], out=tmp_path / "watch")
    assert watched.epoch() is False
    watched.close()
    assert not (tmp_path / "watch").exists()


# the pictures


def test_the_hardest_are_those_whose_own_label_is_least_probable(tmp_path):
    torch.manual_seed(0)
    model = network().eval()
    labels = Y.tolist()
    with torch.no_grad():
        own = model(X).softmax(1)[range(20), labels]
    hardest = sw.watch(model, list(X), out=tmp_path, labels=labels, choose="hardest", count=3)
    assert [one["name"] for one in hardest.watched.about["pictures"]] == [
        f"picture {n}" for n in own.argsort()[:3].tolist()
    ]


def test_random_pictures_are_those_of_the_seed(tmp_path):
    names = [
        sw.watch(network().eval(), list(X), out=tmp_path / str(n), choose="random", count=4, seed=seed).watched.names
        for n, seed in enumerate([1, 1, 2])
    ]
    assert names[0] == names[1] != names[2]
    assert len(set(names[0])) == 4


def test_one_bad_picture_is_told_once_and_left_out(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    model = sw.wrap(network().eval(), prepare="0..1@24")
    with pytest.warns(sw.SeeWhyWarning, match=r"bad\.png is not watched") as caught:
        watched = sw.watch(model, [PICTURES[0], tmp_path / "bad.png", PICTURES[1]], out=tmp_path / "watch")
    watched.epoch()  # warnings are errors: it says nothing again
    assert len(caught) == 1
    assert watched.watched.names == ["picture 0", "picture 2"]


def test_a_look_that_fails_ends_no_training(tmp_path):
    model = Fixed([CORNER]).eval()
    watched = sw.watch(model, [X[0]], out=tmp_path, layer="layer")
    model.maps.data[:] = torch.nan
    with pytest.warns(sw.SeeWhyWarning, match="picture 0 has no map at this look"):
        watched.epoch()
    watched.epoch()  # told once
    model.maps.data[:] = torch.tensor(CORNER)
    watched.epoch()
    assert [one["epoch"] for one in watched.watched.means()] == [0, 3]


BAD = {
    "no pictures": ({"pictures": []}, "no pictures to watch"),
    "labels": ({"labels": [0, 1]}, "2 labels for 4 pictures"),
    "word": ({"region": "midle"}, "no region 'midle'"),
    "outside": ({"region": (100, 100, 120, 120)}, r"the region the box \(100, 100, 120, 120\), outside of what"),
    "empty box": ({"region": (9, 9, 3, 3)}, "the box"),
    "mask": ({"region": np.ones((3, 3), bool)}, "a mask of 3 x 3 for picture 0"),
    "regions": ({"region": ["top", "left"]}, "2 regions for 4 pictures"),
    "alarm": ({"on_focus_below": 0.5}, "an alarm without a region"),
    "level": ({"on_focus_below": 50, "region": "top"}, "on_focus_below=50"),
    "stop": ({"stop": True}, "stop=True without an alarm"),
    "every": ({"every": 0}, "every=0"),
    "unit": ({"unit": "batch"}, "unit='batch'"),
    "choose": ({"choose": "hard"}, "choose='hard'"),
    "method": ({"method": "gradcm"}, "gradcm"),
    "layer": ({"layer": "nowhere"}, "no layer is called 'nowhere'"),
    "label": ({"labels": [0, 1, 2, "dog"]}, "dog"),
    "several": ({"target": [0, 1]}, "several maps of a picture"),
    "writer": ({"tensorboard": 3}, "tensorboard=3"),
    "log": ({"log": "mlflow"}, "log='mlflow'"),
    "unwritable": ({"out": "/proc/watch"}, "cannot be made"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_at_once(tmp_path, case):
    given, said = BAD[case]
    model = sw.wrap(network().eval(), prepare="0..1@24")
    given = {"pictures": PICTURES, "out": tmp_path / "watch", **given}
    with pytest.raises(sw.InputError, match=said):
        sw.watch(model, **given)


def test_a_preparation_that_is_not_known_is_asked_for(tmp_path):
    with pytest.raises(sw.InputError, match="preparation is not known"):
        sw.watch(network(), PICTURES, out=tmp_path)


def test_what_holds_no_watch_is_told(tmp_path):
    with pytest.raises(sw.InputError, match="holds no watched training"):
        sw.Watched(tmp_path)
    with pytest.raises(sw.InputError, match="no folder"):
        sw.Watched(tmp_path / "none")


# the story


@pytest.mark.slow
def test_the_alarm_tells_of_a_logo_and_mended_data_mend_the_network(tmp_path):
    path = Path(__file__).parents[1] / "examples" / "watch_id_documents.py"
    spec = importlib.util.spec_from_file_location("watch_id_documents", path)
    story = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(story)
    biased, mended = (
        scenes.make(story.PICTURES, story.SEED, side=story.SIDE, plants=plant) for plant in (story.LOGO, story.MENDED)
    )
    with pytest.warns(sw.SeeWhyWarning, match="of the heat lies in the top left, above 30 %"):
        before, watched = story.watched_training(biased, tmp_path / "watched-biased")
    means = watched.watched.means()
    assert means[0]["focus"] < 0.1
    assert any((one["focus"] or 0) > 0.3 for one in means if one["epoch"] <= 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sw.SeeWhyWarning)
        after, _ = story.watched_training(mended, tmp_path / "watched-mended")
    change = story.compared(before, after, tmp_path).changes[0]
    assert change.interval[0] > 0  # more of the unbiased pictures are right
    heat = next(move.mean for move in change.moves if move.what == "inside")
    assert heat.interval[1] < 0  # less of the heat is on the logo


@pytest.mark.slow
def test_without_a_logo_no_alarm_is_raised(tmp_path):
    path = Path(__file__).parents[1] / "examples" / "watch_id_documents.py"
    spec = importlib.util.spec_from_file_location("watch_id_documents", path)
    story = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(story)
    story.SIDE = 128
    plain = scenes.make(480, story.SEED, side=story.SIDE)
    _, watched = story.watched_training(plain, tmp_path / "plain", epochs=3)  # warnings are errors
    assert all((one["focus"] or 0) < 0.25 for one in watched.watched.means())


# the cost


def test_a_training_that_goes_on_after_its_end_is_watched_again(tmp_path):
    watched = sw.watch(network().eval(), [X[0]], out=tmp_path)
    for epochs in (2, 1):
        watched.begin()
        for _ in range(epochs):
            watched.epoch()
        watched.close()
        watched.epoch()  # behind the end
        assert len(watched.cost.looks) == {2: 3, 1: 1}[epochs]
    assert frames(tmp_path / "gifs/00-picture-0.gif") == 4


def test_the_cost_is_a_share_of_the_training(monkeypatch, tmp_path, capsys):
    now = [0.0]
    monkeypatch.setattr("seewhy.studies.watching.cost.time.perf_counter", lambda: now[0])
    cost = Cost()
    cost.begin()
    for _ in range(2):
        now[0] += 50
        with cost.measured():
            now[0] += 1
    cost.end()
    assert (cost.seconds, cost.training, cost.share) == (2, 100, 0.02)
    assert str(cost) == "2 looks took 2.0 s, 2.0 % of the training's 100.0 s (1000 ms usually)"


def test_close_prints_the_cost_once(tmp_path, capsys):
    watched = sw.watch(network().eval(), [X[0]], out=tmp_path)
    watched.epoch()
    watched.close()
    watched.close()
    assert capsys.readouterr().out.count("2 looks took") == 1
    assert isinstance(watched, Watch)
