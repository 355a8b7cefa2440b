"""Shortcuts without a place: the statistics by examples worked by hand, then a network that answers by a tint."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import seewhy as sw
from seewhy.results.drawn.previews import preview
from seewhy.studies.shortcuts import looks, searching
from seewhy.studies.shortcuts.classes import receivers
from seewhy.studies.shortcuts.colours import colours
from seewhy.studies.shortcuts.lending import Lender
from seewhy.studies.shortcuts.placeless import PLACELESS, placeless, telling
from seewhy.studies.shortcuts.sampling import Reader, sampled
from seewhy.studies.shortcuts.statistics import SORTS, given, planes, statistics, waves
from seewhy.studies.shortcuts.trying import explained, parted, trial_of

RNG = np.random.default_rng(0)

# -- statistics


@pytest.mark.parametrize("shape", [(16, 24), (13, 30), (7, 5)])
def test_waves_come_back_as_the_planes_that_they_are_of(shape):
    seen = RNG.normal(100, 30, (3, *shape, 2))
    found = waves(seen)
    np.testing.assert_allclose(planes(found, shape), seen, atol=1e-3)
    if shape == (16, 24):  # whole blocks: the waves hold the same energy
        np.testing.assert_allclose((found**2).sum(), (seen**2).sum(), rtol=1e-5)


def test_statistics_by_hand():
    """Two blocks of 1 and 3: the mean is 8 times 2, the constant wave deviates by 8, the others do not."""
    seen = np.concatenate([np.full((1, 8, 8, 1), 1.0), np.full((1, 8, 8, 1), 3.0)], axis=2)
    found = statistics(waves(seen))
    np.testing.assert_allclose(found.mean, [[16]], rtol=1e-6)
    assert found.spread[0, 0, 0, 0] == pytest.approx(8)
    assert np.delete(found.spread.ravel(), 0).max() < 1e-4
    assert found.overall[0, 0] == pytest.approx(1)  # the standard deviation of the pixels


@pytest.mark.parametrize("sort", SORTS)
def test_what_is_given_arrives_and_nothing_else(sort):
    one, other = waves(RNG.normal(90, 20, (1, 80, 80, 3))), waves(RNG.normal(120, 35, (1, 80, 80, 3)))
    own, theirs = statistics(one), statistics(other)
    now = statistics(given(one, own, theirs, sort))
    moved, scaled = sort in ("colour", "all"), sort in ("contrast", "all")
    np.testing.assert_allclose(now.mean, theirs.mean if moved else own.mean, rtol=1e-4)
    np.testing.assert_allclose(now.overall, theirs.overall if scaled else own.overall, rtol=0.03)
    shape = own if sort in ("colour", "contrast") else theirs
    np.testing.assert_allclose(
        now.spread / now.spread.mean(axis=(1, 2), keepdims=True),
        shape.spread / shape.spread.mean(axis=(1, 2), keepdims=True),
        rtol=0.03,
    )


def test_what_a_picture_shows_stays_where_it_is():
    seen = np.full((1, 32, 32, 3), 100.0)
    seen[0, 8:16, 8:16] = 200
    other = statistics(waves(RNG.normal(60, 9, (1, 32, 32, 3))))
    own = waves(seen)
    changed = planes(given(own, statistics(own), other, "all"), (32, 32))[0, :, :, 0]
    assert np.corrcoef(changed.ravel(), seen[0, :, :, 0].ravel())[0, 1] > 0.99
    assert changed.mean() == pytest.approx(60, abs=2)


# -- colours


def bgr(picture):
    """As Keras prepares for VGG16: blue first, a mean taken off."""
    return np.asarray(picture.resize((32, 32)), np.float32)[:, :, ::-1] - [103.9, 116.8, 123.7]


def own_contrast(picture):
    image = np.asarray(picture.resize((32, 32)), np.float32)
    return (image - image.mean()) / max(image.std(), 1)


@pytest.mark.parametrize("name", ["0..1@32", "imagenet@32", "-1..1@32", "bgr"])
def test_a_preparation_is_undone_and_repeated(name):
    from seewhy.images.preparing import preset

    made = bgr if name == "bgr" else preset(name, channels_first=False)
    pixels = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    image = np.asarray(made(Image.fromarray(pixels).resize((37, 37), 0) if name != "bgr" else Image.fromarray(pixels)))
    found = colours(made, image[None])
    assert found.exact
    light = found.planes(image[None])[0, :, :, 0]
    np.testing.assert_allclose(found.images(found.planes(image[None])), image[None], atol=1e-3 * np.abs(image).max())
    if name == "bgr":
        np.testing.assert_allclose(light, pixels @ [0.299, 0.587, 0.114], atol=0.05)
    shifted = found.planes(image[None]) + np.array([300, 0, 0])
    white = found.planes(found.images(shifted))  # cut off: nothing is lighter than white
    np.testing.assert_allclose(white[0, :, :, 0], 255, atol=0.1)


def test_grey_images_have_light_alone():
    def grey(picture):
        return np.asarray(picture.convert("L").resize((32, 32)), np.float32)[..., None] / 255

    found = colours(grey, RNG.random((2, 32, 32, 1)))
    assert found.exact
    assert not found.coloured
    np.testing.assert_allclose(found.planes(np.full((1, 8, 8, 1), 0.5)), 127.5, atol=0.5)


def test_a_preparation_that_looks_at_the_picture_is_guessed_from_the_range():
    images = RNG.normal(0, 1, (4, 32, 32, 3))
    found = colours(own_contrast, images)
    assert not found.exact
    low, high = found.planes(np.percentile(images, (0.1, 99.9))[:, None, None, None] * np.ones(3))[:, 0, 0, 0]
    assert low == pytest.approx(0, abs=12)
    assert high == pytest.approx(255, abs=12)


def test_a_preparation_that_refuses_plain_pictures_is_guessed_too():
    def refusing(picture):
        raise ZeroDivisionError("a picture without any contrast")

    images = RNG.normal(0, 1, (4, 32, 32, 3))
    found, other = colours(refusing, images), colours(own_contrast, images)
    assert not found.exact
    np.testing.assert_array_equal(found.mix, other.mix)


# -- groups and words


def test_numbers_are_parted_where_they_lie_furthest_apart():
    assert parted(np.array([0.0, 5, 0.1, 5.2, 0.2, 0.1])).tolist() == [False, True, False, True, False, False]
    one_out = np.array([0.0] * 38 + [1, 1.1, 9.0])
    assert parted(one_out).sum() == 5  # a tenth, at least


def test_what_parts_donors_in_all_receivers_alike_tells_most():
    shows = np.arange(40) < 20
    signal, noise = shows[:, None] * 4.0, RNG.normal(size=(40, 12))
    assert telling(signal + noise) > 0.85 > 0.3 > telling(noise)
    of_one = noise.copy()
    of_one[:, 0] += 60 * shows  # two clear groups, by a single receiver
    assert telling(of_one) < 0.5
    assert telling(np.zeros((40, 12))) == 0


def worn(change, count=40):
    """Statistics of noisy pictures that were changed."""
    pixels = RNG.normal(RNG.uniform(90, 150, (count, 1, 1, 3)), 25, (count, 16, 16, 3))
    found = colours(lambda picture: np.asarray(picture, np.float32), pixels)
    return statistics(waves(found.planes(change(pixels))))


@pytest.mark.parametrize(
    ("change", "told_by", "sort", "words"),
    [
        (lambda x: x + np.array([60, 10, -60]), "colour", "colour", "a colour cast towards orange"),
        (lambda x: x + np.array([0, 0, 90]), "all", "colour", "a colour cast towards blue"),
        (lambda x: x - 90, "colour", "colour", "darkness"),
        (lambda x: x.mean(axis=3, keepdims=True) * np.ones(3), "all", "all", "little colour, as grey pictures"),
        (lambda x: (x + np.roll(x, 1, 1) + np.roll(x, 1, 2) + np.roll(x, (1, 1), (1, 2))) / 4, "sharpness", "sharpness",
         "blur or compression"),
    ],
)  # fmt: skip
def test_looks_are_told(change, told_by, sort, words):
    found = looks.look(worn(change), worn(lambda x: x), told_by, True)
    assert (found.sort, found.words) == (sort, words)


# -- a network that answers by stripes, and by orange


class Striped(nn.Sequential):
    """'upright' by edges across, 'level' by edges down, and 'upright' by orange."""

    def __init__(self):
        first = nn.Conv2d(3, 5, 3, 1, 1)
        with torch.no_grad():
            first.weight.zero_()
            first.bias.zero_()
            first.weight[0, 0, 1, 1], first.weight[0, 2, 1, 1], first.bias[0] = 4, -4, -0.5
            for channel, sign, axis in ((1, 1, 0), (2, -1, 0), (3, 1, 1), (4, -1, 1)):
                edge = torch.tensor([[-1.0, 0, 1]] * 3) * sign / 9
                first.weight[channel] = (edge if axis == 0 else edge.T)[None]
        same = [nn.Conv2d(5, 5, 1, stride, bias=False) for stride in (2, 2)]
        last = nn.Linear(5, 2)
        with torch.no_grad():
            for each in same:
                each.weight.copy_(torch.eye(5)[:, :, None, None])
            last.weight.copy_(torch.tensor([[0, 0, 0, 30.0, 30], [60, 30, 30, 0, 0]]))
            last.bias.zero_()
        parts = [first, nn.ReLU(), same[0], nn.ReLU(), same[1], nn.ReLU()]
        super().__init__(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)


def striped(seed, label, cast):
    """uint8 [32, 32, 3]: stripes on noise."""
    rng = np.random.default_rng(seed)
    wave = 28 * np.sin(np.arange(32) * 2 * np.pi / 8 + rng.uniform(0, 6))
    pixels = rng.normal(120, 5, (32, 32, 3)) + (wave[None, :, None] if label == "upright" else wave[:, None, None])
    return np.clip(pixels + cast, 0, 255).astype(np.uint8)


ORANGE = np.array([50.0, -8, -90])  # no lighter, no darker


@pytest.fixture(scope="module")
def tinted(tmp_path_factory):
    """90 pictures of each class, half of the upright ones with a cast; audited."""
    return audited(tmp_path_factory.mktemp("tinted"), lambda i, label: ORANGE * (label == "upright" and i % 2))


def audited(folder, cast):
    for i in range(90):
        for label in ("level", "upright"):
            (folder / "photos" / label).mkdir(parents=True, exist_ok=True)
            pixels = striped(2 * i + (label == "level"), label, cast(i, label))
            Image.fromarray(pixels).save(folder / "photos" / label / f"{i:03}.png")
    model = sw.wrap(Striped().eval(), labels=["level", "upright"], prepare="0..1@32", name="striped")
    return sw.audit(model, folder / "photos", folder / "run", check=False), model


def bears(path):
    return path.startswith("upright") and int(path[-7:-4]) % 2 == 1


def test_a_tint_is_found_and_told_apart(tinted):
    run, model = tinted
    found = sw.find_shortcuts(run, model)
    whole = [each for each in found if each.kind == "whole picture"]
    assert len(whole) == 1
    one = whole[0]
    assert (one.label, one.status, one.sort) == ("upright", "proven", "colour")
    assert one.place == "over the whole picture: a colour cast towards orange"
    assert np.mean([bears(path) for path in one.paths]) > 0.9
    assert sum(bears(path) for path in one.paths) > 30
    assert one.s3 > one.line == PLACELESS
    by_colour, by_sharpness = (one.effect("look", sort) for sort in ("colour", "sharpness"))
    assert by_colour.effect > 0.8
    assert by_colour.control_effect < 0.2
    assert by_sharpness.effect < 0.2
    assert one.effect("look", "all", "own class").interval[0] > 0.5
    text = " ".join(repr(found).split())
    assert "Without a place, by how whole pictures look:" in text
    assert "share a colour cast towards orange, over the whole picture" in " ".join(text.split())
    assert [each.code for each in found] == [f"SC{i:02}" for i in range(1, len(found) + 1)]
    opened = run.findings()
    assert repr(opened) == repr(found)
    assert opened.as_dict() == found.as_dict()
    assert preview(run, one).width > 500


def test_it_is_recognised_in_other_pictures(tinted):
    run, model = tinted
    one = next(each for each in sw.find_shortcuts(run, model, save=False) if each.kind == "whole picture")
    new = [Image.fromarray(striped(1000 + i, "level", ORANGE * (i % 2))) for i in range(20)]
    scores = one.score(new)
    assert scores[1::2].min() > 0.5 > scores[::2].max()
    mask = one.mask(new[0])
    assert mask.shape == (32, 32)
    assert mask.all()
    assert len(one.probe.lender.others.images) == len(one.probe.asked)  # it holds no more receivers than it asks
    assert not one.probe.lender.reader._kept


def test_the_same_seed_gives_the_same(tinted):
    run, model = tinted
    one, again = (sw.find_shortcuts(run, model, save=False) for _ in range(2))
    assert one.as_dict() == again.as_dict()


def test_a_class_that_has_the_look_throughout_is_told_as_such(tmp_path):
    run, model = audited(tmp_path, lambda i, label: ORANGE * (label == "upright"))
    found = sw.find_shortcuts(run, model)
    one = next(each for each in found if each.kind == "whole picture")
    assert (one.label, one.status) == ("upright", "worth a look")
    assert "so that it may be what the class is" in one.words
    assert len(one.ids) == one.looked
    assert one.place.endswith("a colour cast towards orange")
    assert "given those of their own class" in one.proof


def test_nothing_is_raised_without_a_tint(tmp_path):
    run, model = audited(tmp_path, lambda i, label: np.zeros(3))
    found = sw.find_shortcuts(run, model)
    assert not [each for each in found if each.kind == "whole picture"]
    assert found.tried["whole"]["best"] < PLACELESS
    assert "a finding without a place is raised above 20" in " ".join(repr(found).split())


def test_a_finding_with_a_place_that_explains_it_silences_it(tmp_path):
    """Half of the upright ones have an orange frame: it moves the mean colour, until it is covered."""
    frame = np.ones((32, 32, 1))
    frame[4:-4, 4:-4] = 0
    run, model = audited(tmp_path, lambda i, label: 1.3 * ORANGE * frame * (label == "upright" and i % 2))
    sample = sampled(run, 500, 0)
    reader = Reader(run.root, sw.wrap(model))
    looker = searching._looker(run, model, reader, sample)
    others = receivers(sample.receivers, reader, looker)
    lender = Lender(reader, looker, others)
    trial = trial_of(lender, 1, sample.classes[1], 0)
    assert trial.gap() > PLACELESS

    def placed(region, raised=True):
        return SimpleNamespace(code="SC01", raised=raised, region=lambda shape: region)

    border, middle = frame[..., 0] > 0, np.zeros((32, 32), bool)
    middle[14:18, 14:18] = True
    assert explained(trial, lender, [placed(border)], PLACELESS)[0] == "SC01"
    assert explained(trial, lender, [placed(middle)], PLACELESS)[0] is None
    assert explained(trial, lender, [placed(border, raised=False)], PLACELESS)[0] is None
    whole = placeless(sample.classes, sample.counts, run, reader, looker, others, [placed(border)])
    assert not whole.items
    assert "SC01 explains it" in whole.notes[0]


def test_too_few_receivers_or_donors_are_no_trial(tinted):
    run, model = tinted
    sample = sampled(run, 500, 0)
    reader = Reader(run.root, model)
    looker = searching._looker(run, model, reader, sample)
    others = receivers([each for each in sample.receivers if each.label == 0][:10], reader, looker)
    assert trial_of(Lender(reader, looker, others), 1, sample.classes[1], 0) is None
    others = receivers(sample.receivers, reader, looker)
    assert trial_of(Lender(reader, looker, others), 1, sample.classes[1][:12], 0) is None
