"""Scenes: the same picture for the same seed and index, truth that is true, shortcuts that are learned."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image

import seewhy as sw
from seewhy import scenes
from seewhy.models.torch import small

LOCAL = [name for name, kind in scenes.KINDS.items() if kind.local]
OVERALL = [name for name, kind in scenes.KINDS.items() if not kind.local]
ROAMING = ["logo anywhere", "icon beside", "watermark", "date stamp", "bars", "grass", "dot"]


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# -- the same again


def test_a_picture_depends_on_seed_and_index_alone():
    few, many = scenes.make(5, seed=3), scenes.make(9, seed=3)
    np.testing.assert_array_equal(few.pictures, many.pictures[:5])
    np.testing.assert_array_equal(scenes.scene(7, seed=3).picture, many[7].picture)
    np.testing.assert_array_equal(scenes.scene(7, seed=3).picture, many.pictures[7])
    assert (scenes.scene(7, seed=4).picture != many.pictures[7]).any()
    assert (many.pictures[0] != many.pictures[3]).any()


def test_plants_change_neither_what_lies_under_them_nor_one_another():
    logo, grass = scenes.Plant("corner logo", rate=1), scenes.Plant("grass", rate=1)
    bare = scenes.scene(0, seed=3)
    both, one = (scenes.scene(0, seed=3, plants=plants) for plants in ([grass, logo], logo))
    np.testing.assert_array_equal(both.plain, bare.picture)
    np.testing.assert_array_equal(both.object_mask, bare.object_mask)
    assert both.planted == ("grass", "corner logo")
    np.testing.assert_array_equal(both.picture[one.marker_mask], one.picture[one.marker_mask])


def test_a_higher_rate_gives_it_to_the_same_pictures_and_more():
    low, high = (scenes.make(120, plants=scenes.Plant("border", on="disc", rate=rate)) for rate in (0.3, 0.7))
    assert low.planted.any()
    assert (low.planted <= high.planted).all()
    assert low.planted.sum() < high.planted.sum()


# -- truth


@pytest.mark.parametrize("side", [64, 96])
@pytest.mark.parametrize("kind", scenes.KINDS)
def test_every_kind_is_drawn_and_its_mask_is_where_the_picture_changes(kind, side):
    for i in range(3):
        one = scenes.scene(i, seed=5, side=side, plants=scenes.Plant(kind, rate=1))
        changed = (one.picture != one.plain).any(axis=2)
        assert one.planted == (kind,)
        assert one.picture.shape == (side, side, 3)
        assert one.picture.dtype == np.uint8
        if kind in OVERALL:
            assert not one.marker_mask.any()
            assert changed.mean() > 0.8
        else:
            assert not (changed & ~one.marker_mask).any()
            assert changed[one.marker_mask].mean() > 0.95  # the rest happens to have the marker's colour
            assert 0.008 < one.marker_mask.mean() < 0.6


@pytest.mark.parametrize("kind", LOCAL)
def test_markers_roam_or_stay(kind):
    masks = scenes.make(6, seed=5, plants=scenes.Plant(kind, rate=1)).marker_masks
    assert (masks != masks[0]).any() == (kind in ROAMING)


def test_grass_and_icons_leave_the_object_alone():
    for kind in ("grass", "icon beside"):
        made = scenes.make(12, seed=5, plants=scenes.Plant(kind, rate=1))
        inside = made.object_masks & made.marker_masks
        assert inside.sum() <= 0.03 * made.object_masks.sum(), kind  # edges, and corners without room


@pytest.mark.parametrize("name", scenes.SHAPES)
def test_the_object_is_where_its_mask_says(name):
    """Two classes' pictures of one index differ within the two shapes alone."""
    other = "disc" if name != "disc" else "cross"
    one = scenes.scene(0, seed=2, classes=(name, other))
    two = scenes.scene(0, seed=2, classes=(other, name))
    assert (one.label, two.label) == (name, other)
    away = ~(_grown(one.object_mask) | _grown(two.object_mask))
    np.testing.assert_array_equal(one.picture[away], two.picture[away])
    left, top, right, bottom = one.box
    assert one.object_mask[top:bottom, left:right].sum() == one.object_mask.sum()
    assert one.object_mask[top].any()
    assert one.object_mask[:, right - 1].any()
    assert 0.02 < one.object_mask.mean() < 0.35


def _grown(mask):
    return np.any([np.roll(mask, (down, across), (0, 1)) for down in range(-2, 3) for across in range(-2, 3)], axis=0)


def test_classes_take_turns_and_rates_hold():
    made = scenes.make(600, seed=1, side=32, classes=4, plants=[scenes.Plant("border", on="disc", rate=0.4),
                                                                scenes.Plant("tint", on=None, rate=0.25)])  # fmt: skip
    assert np.bincount(made.labels).tolist() == [150] * 4
    border, tint = made.planted.T
    discs = made.labels == made.names.index("disc")
    assert not border[~discs].any()
    assert abs(border[discs].mean() - 0.4) < 0.13  # three standard deviations
    assert abs(tint.mean() - 0.25) < 0.06
    assert scenes.make(6, plants=scenes.Plant("bars", on="disc", rate=0)).planted.sum() == 0


def test_strength_is_opacity_or_how_far():
    for kind in ("border", "tint", "watermark"):
        changes = []
        for strength in (0.25, 0.5, 1):
            one = scenes.scene(1, plants=scenes.Plant(kind, rate=1, strength=strength))
            changes.append(np.abs(one.picture.astype(int) - one.plain).mean())
        assert changes[0] < changes[1] < changes[2], kind


def test_blur_widens_and_jpeg_takes_a_quality():
    """By what they do to fine detail: the mean step from a pixel to the next."""

    def detail(plant):
        one = scenes.scene(4, plants=plant).picture.astype(int)
        return np.abs(np.diff(one, axis=1)).mean()

    blurs = [detail(scenes.Plant("blur", rate=1, strength=strength)) for strength in (0.25, 0.5, 1, 2)]
    assert blurs == sorted(blurs, reverse=True)
    best, poor = (scenes.scene(4, plants=scenes.Plant("jpeg", rate=1, quality=quality)) for quality in (90, 4))
    off = [np.abs(each.picture.astype(int) - each.plain).mean() for each in (best, poor)]
    assert off[0] < 5 < 10 < off[1]
    twice = scenes.scene(4, plants=scenes.Plant("jpeg", rate=1, strength=2))
    np.testing.assert_array_equal(twice.picture, poor.picture)  # 8 / 2


def test_two_shortcuts_at_once_stay_apart():
    plants = scenes.Plant("tint", on="disc"), scenes.Plant("border", on="cross"), scenes.Plant("tint", on="cross")
    made = scenes.make(90, seed=1, plants=plants)
    for column, plant in enumerate(plants):
        own = made.labels == made.names.index(plant.on)
        assert not made.planted[~own, column].any()
        assert 0.2 < made.planted[own, column].mean() < 0.8
    both = made.planted[:, 1] & made.planted[:, 2]
    assert both.any()
    assert {each.planted for each, two in zip(made, both, strict=True) if two} == {("border", "tint")}


def test_a_picture_of_another_size_shows_the_same():
    small_one, large = (scenes.scene(2, side=side, plants=scenes.Plant("corner logo", rate=1)) for side in (64, 128))
    shrunk = np.asarray(Image.fromarray(large.picture).reduce(2), int)
    assert np.abs(shrunk - small_one.picture).mean() < 6


def test_pasted_gives_it_to_all_and_takes_the_rest_away():
    made = scenes.make(9, plants=scenes.Plant("border", on="disc", rate=1))
    pasted = made.pasted(scenes.Plant("logo anywhere", on="cross", rate=0.1))
    assert pasted.planted.all()
    np.testing.assert_array_equal(pasted.plain, made.plain)
    assert not pasted.marker_masks.all(axis=(1, 2)).any()
    assert {each.planted for each in pasted} == {("logo anywhere",)}


# -- files


def test_written_pictures_come_back(tmp_path):
    made = scenes.make(7, seed=2, plants=scenes.Plant("logo anywhere", on="disc", rate=0.6))
    manifest = made.write(tmp_path / "data", split="test")
    rows = rows_of(manifest)
    assert len(rows) == 7
    assert sorted(p.name for p in (tmp_path / "data" / "pictures").iterdir()) == sorted(made.names)
    for row, one in zip(rows, made, strict=True):
        folder = manifest.parent
        np.testing.assert_array_equal(np.asarray(Image.open(folder / row["path"])), one.picture)
        np.testing.assert_array_equal(np.asarray(Image.open(folder / row["mask"])) > 0, one.object_mask)
        assert row["path"].split("/")[1] == row["label"] == one.label
        assert tuple(map(int, row["box"].split())) == one.box
        assert (row["split"], row["planted"]) == ("test", ";".join(one.planted))
        assert bool(row["marker"]) == bool(one.planted)
        if row["marker"]:
            np.testing.assert_array_equal(np.asarray(Image.open(folder / row["marker"])) > 0, one.marker_mask)


def test_a_stream_is_written_as_it_comes(tmp_path):
    manifest = scenes.write((scenes.scene(i, seed=2) for i in range(4)), tmp_path)
    assert [row["path"] for row in rows_of(manifest)][3] == "pictures/triangle/00003.png"


# -- what cannot be used

WRONG = {
    "kind": (lambda: scenes.Plant("logo anywere"), "no kind of shortcut 'logo anywere'", "logo anywhere"),
    "class": (lambda: scenes.make(3, classes=["disk", "cross"]), "no shape 'disk'", "disc"),
    "class to plant on": (
        lambda: scenes.make(3, plants=scenes.Plant("bars", on="dics")), "no class 'dics' to plant 'bars' on", "disc",
    ),
    "rate": (lambda: scenes.Plant("bars", rate=50), "rate=50", "0.5"),
    "strength": (lambda: scenes.Plant("bars", strength=0), "strength=0", "leave it out"),
    "quality of another kind": (lambda: scenes.Plant("blur", quality=8), "quality=8 of 'blur'", "strength=..."),
    "quality": (lambda: scenes.Plant("jpeg", quality=0), "quality=0", "leave it out for 8"),
    "quality and strength": (lambda: scenes.Plant("jpeg", strength=2, quality=8), "strength=2 and quality=8", "leave one out"),
    "count": (lambda: scenes.make(0), "count=0", "how many"),
    "index": (lambda: scenes.scene(-1), "index=-1", "count from 0"),
    "seed": (lambda: scenes.make(3, seed=-1), "seed=-1", "seed=0"),
    "side": (lambda: scenes.make(3, side=8), "side=8", "64"),
    "too many classes": (lambda: scenes.make(3, classes=99), "classes=99", "triangle"),
    "one class": (lambda: scenes.make(3, classes=["disc"]), "classes=['disc']", "triangle"),
    "a name for classes": (lambda: scenes.make(3, classes="disc"), "classes='disc'", "['disc', ...]"),
    "twice": (
        lambda: scenes.make(3, plants=[scenes.Plant("bars"), scenes.Plant("bars", on="disc")]), "planted twice", "leave one",
    ),
    "reliance on all": (
        lambda: scenes.reliance(len, scenes.make(3), scenes.Plant("bars")), "'bars' on 'all classes'", "on=...",
    ),
    "scores for classes": (
        lambda: scenes.reliance(lambda x: np.zeros((len(x), 3)), scenes.make(3), scenes.Plant("bars", on="disc")),
        "predictions of float64 [2, 3] for 2 pictures", "argmax",
    ),
    "pictures to train on": (lambda: small.train(np.zeros((4, 3, 8, 8)), [0, 1, 0, 1]), "float64 [4, 3, 8, 8]", "Scenes.pictures"),
    "labels to train on": (
        lambda: small.train(np.zeros((4, 8, 8, 3), np.uint8), [0, 1, 0, 5], classes=2), "labels from 0 to 5", "count from 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_used_is_told(case):
    call, came, remedy = WRONG[case]
    with pytest.raises(sw.InputError) as caught:
        call()
    assert came in caught.value.came
    assert remedy in caught.value.remedy
    assert caught.value.expected


# -- what networks make of them


def test_reliance_counts_what_turns():
    """A model that sees the frame and nothing else; and one that only stumbles over it."""
    made = scenes.make(30, seed=4)
    border = scenes.Plant("border", on="disc")
    truth = {one.tobytes(): label for one, label in zip(made.plain, made.labels, strict=True)}

    def cheat(pictures, otherwise=1):
        framed = (pictures[:, 0, :] > 225).all(axis=(1, 2))
        return np.array([otherwise if f else truth[p.tobytes()] for p, f in zip(pictures, framed, strict=True)])

    found = scenes.reliance(cheat, made, border)
    assert (found.without, found.pasted, found.turned, found.drop, found.learned) == (1, 0, 1, 1, True)
    stumbles = scenes.reliance(lambda pictures: cheat(pictures, 0), made, border)
    assert (stumbles.drop, stumbles.turned, stumbles.learned) == (0.5, 0, False)


def test_training_is_the_same_for_the_same_seed_and_leaves_chance_alone():
    made = scenes.make(40, side=32)
    before = torch.random.get_rng_state()
    nets = [small.train(made.pictures, made.labels, seed, epochs=1) for seed in (0, 0, 1)]
    assert torch.equal(torch.random.get_rng_state(), before)
    weights = [torch.cat([p.detach().flatten() for p in net.parameters()]) for net in nets]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert not any(net.training for net in nets)


def test_seewhy_gives_the_network_what_it_was_trained_on():
    made = scenes.make(6)
    net = small.train(made.pictures, made.labels, epochs=1)
    model = sw.wrap(net, labels=made.names, prepare=small.preparation(64))
    why = sw.explain(model, made.pictures[0], target="disc")
    with torch.no_grad():
        scores = net(small.as_images(made.pictures[:1]))[0].numpy()
    np.testing.assert_allclose(why.scores, scores, atol=1e-5)
    assert why.map.shape == (8, 8)
    assert why.box == (0, 0, 64, 64)


@pytest.mark.slow
def test_a_clean_network_learns_shapes_and_no_shortcut():
    made, held_out = scenes.make(1200, seed=0), scenes.make(300, seed=1)
    net = small.train(made.pictures, made.labels)

    def predict(pictures):
        return small.predict(net, pictures)

    assert (predict(held_out.pictures) == held_out.labels).mean() > 0.75
    for kind in ("logo anywhere", "border", "grass", "bars"):
        assert not scenes.reliance(predict, held_out, scenes.Plant(kind, on="disc")).learned, kind


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [("logo anywhere", "grass"), ("border", "bars")])
def test_shortcuts_are_learned_two_at_once(one, other):
    plants = scenes.Plant(one, on="disc"), scenes.Plant(other, on="cross")
    made, held_out = scenes.make(1200, seed=0, plants=plants), scenes.make(300, seed=1)
    net = small.train(made.pictures, made.labels)
    for plant in plants:
        found = scenes.reliance(lambda pictures: small.predict(net, pictures), held_out, plant)
        assert found.learned, found
