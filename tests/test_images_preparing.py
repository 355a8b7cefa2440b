"""What a preparation gives, and which part of the picture the model then sees."""

import gc
import warnings

import numpy as np
import pytest
from PIL import Image, ImageOps

from seewhy.errors import InputError, SeeWhyWarning, UnknownNameError
from seewhy.images import probing
from seewhy.images.preparing import Preset, as_prepare, guess_picture, preset
from seewhy.images.probing import box_of, value_range, warn_of_range

SIZES = [(500, 375), (375, 500), (3000, 2000)]


def picture(size=(50, 40), seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8))


def floats(image):
    return (np.asarray(image, np.float32) / 255 - 0.45) / 0.22


def resize_and_crop(image, shorter=256, crop=224):
    share = shorter / min(image.size)
    small = image.resize((int(image.width * share + 1e-6), int(image.height * share + 1e-6)), Image.Resampling.BILINEAR)
    left, top = round((small.width - crop) / 2), round((small.height - crop) / 2)
    return floats(small.crop((left, top, left + crop, top + crop)))


def box_twin(size, shorter=256, crop=224):
    """The rectangle of `resize_and_crop`, from its arithmetic."""
    share = shorter / min(size)
    small = [int(side * share + 1e-6) for side in size]
    first = [round((side - crop) / 2) for side in small]
    scale = [whole / part for whole, part in zip(size, small, strict=True)]
    return (
        *(f * s for f, s in zip(first, scale, strict=True)),
        *((f + crop) * s for f, s in zip(first, scale, strict=True)),
    )


# Presets


@pytest.mark.parametrize("size", [(500, 375), (333, 500), (640, 427), (256, 256), (31, 47)])
def test_preset_gives_the_pixels_of_torchvision(size):
    """Its Resize(256) and CenterCrop(224) on a PIL image, in its own arithmetic."""
    image = picture(size)
    short, long = sorted(size)
    longer = int(256 * long / short)
    small = image.resize((256, longer) if size[0] < size[1] else (longer, 256), Image.Resampling.BILINEAR)
    top, left = round((small.height - 224) / 2.0), round((small.width - 224) / 2.0)
    pixels = np.asarray(small.crop((left, top, left + 224, top + 224)), np.float64) / 255
    expected = (pixels - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    result = preset("imagenet")(image)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected.transpose(2, 0, 1), atol=2e-6)
    np.testing.assert_array_equal(preset("imagenet", channels_first=False)(image), result.transpose(1, 2, 0))


@pytest.mark.parametrize(
    ("name", "low", "high"), [("0..1", 0, 1), ("-1..1", -1, 1), ("0..255", 0, 255), ("imagenet", -2.1179, 2.64)]
)
def test_presets_scale_black_and_white(name, low, high):
    assert value_range(name) == pytest.approx((low, high), abs=1e-4)


def test_pixel_minus_127_over_128_is_exact():
    demo = Preset("demo", (127 / 255,) * 3, (128 / 255,) * 3, interpolation="bicubic", channels_first=False)
    image = picture((256, 256))
    expected = (np.asarray(image.crop((16, 16, 240, 240)), np.float32) - 127) / 128
    np.testing.assert_array_equal(demo(image), expected)


def test_another_size_follows_an_at_sign():
    small = preset("0..1@96")
    assert (small.size, small.shorter, small.name) == (96, 110, "0..1@96")
    assert small(picture()).shape == (3, 96, 96)
    assert preset("imagenet@224") == Preset(
        "imagenet@224", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 224, 256, "bilinear", True
    )


@pytest.mark.parametrize("size", [*SIZES, (224, 224), (37, 1000), (501, 333)])
@pytest.mark.parametrize("name", ["imagenet", "0..1@96"])
def test_box_of_a_preset_is_exact(size, name):
    made = preset(name)
    expected = box_twin(size, made.shorter, made.size)
    assert made.box(size) == pytest.approx(expected, abs=1e-9)
    assert box_of(made, size) == box_of(name, size) == made.box(size)


def test_presets_take_pictures_that_are_not_rgb():
    assert preset("0..255")(Image.new("RGBA", (300, 300), (0, 0, 0, 0))).min() == 255


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: preset("imagnet"), UnknownNameError, "did you mean 'imagenet'"),
        (lambda: preset("xyz"), UnknownNameError, "'imagenet', '0..1', '-1..1', '0..255'"),
        (lambda: preset("0..1@big"), InputError, "the size 'big' in '0..1@big'"),
        (lambda: preset("0..1@0"), InputError, "a whole number of pixels"),
        (lambda: Preset("x", size=300), InputError, "a crop of 300 pixels out of a shorter side of 256"),
        (lambda: Preset("x", std=(1, 0, 1)), InputError, "std above 0"),
        (lambda: Preset("x", interpolation="best"), UnknownNameError, "no interpolation 'best'"),
        (lambda: as_prepare(3, True), InputError, "prepare of type int"),
    ],
)
def test_what_is_no_preparation(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)


# What a user's own preparation gives


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a,
        lambda a: a[None],
        lambda a: {"pixel_values": a[None]},
        lambda a: {"pixel_values": [a]},
        lambda a: [a],
    ],
)
def test_results_are_unpacked(make):
    image = np.zeros((3, 5, 6), np.float32)
    result = as_prepare(lambda _: make(image), True)(picture())
    assert result.shape == (3, 5, 6)
    assert result.dtype == np.float32


def test_tensors_stay_in_their_framework():
    torch = pytest.importorskip("torch")
    result = as_prepare(lambda _: torch.zeros(1, 3, 4, 4, dtype=torch.bfloat16), True)(picture())
    assert isinstance(result, torch.Tensor)
    assert result.dtype == torch.bfloat16
    assert result.shape == (3, 4, 4)


def test_image_processors_are_called_by_their_names():
    class Processor:
        def preprocess(self):
            raise AssertionError

        def __call__(self, *, images, return_tensors):
            assert return_tensors == "np"
            return {"pixel_values": floats(images.resize((20, 10))).transpose(2, 0, 1)[None]}

    assert as_prepare(Processor(), True)(picture()).shape == (3, 10, 20)
    assert box_of(Processor(), (500, 375)) == pytest.approx((0, 0, 500, 375), abs=1)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, "prepare returned None"),
        (Image.new("L", (3, 3)), "prepare returned a PIL image of mode L"),
        (np.zeros((3, 4, 4), np.uint8), "prepare returned uint8 [3, 4, 4]"),
        (np.zeros((5, 3, 4, 4), np.float32), "prepare returned float32 [5, 3, 4, 4]"),
        (np.zeros(7, np.float32), "prepare returned float32 [7]"),
        ({"x": 1}, "prepare returned a dict with 'x'"),
        ([1.0, 2.0], "prepare returned a list of 2"),
    ],
)
def test_results_that_are_no_image(result, words):
    with pytest.raises(InputError) as caught:
        as_prepare(lambda _: result, True)(picture())
    assert words in str(caught.value)
    assert "one float array or tensor" in str(caught.value)


def test_a_failing_preparation_says_what_it_was_called_with():
    def broken(image):
        raise TypeError("expected an array")

    with pytest.raises(InputError, match="50 x 40: TypeError: expected an array") as caught:
        as_prepare(broken, True)(picture())
    assert isinstance(caught.value.__cause__, TypeError)
    assert box_of(broken, (50, 40)) is None


# Where the model looks: the box found by trying


def channels_first(function):
    return lambda image: function(image).transpose(2, 0, 1)


def letterboxed(image):
    return floats(ImageOps.pad(image, (224, 224), color=(114, 114, 114)))


def whole(size):
    return (0, 0, *size)


def letterbox_twin(size, side=224):
    """As Pillow pads: the longer side fills the square, the other is rounded to whole pixels, and so is its margin."""
    share = side / max(size)
    small = [round(each * share) for each in size]
    first = [-round((side - each) * 0.5) for each in small]
    scale = [whole / part for whole, part in zip(size, small, strict=True)]
    left, top, right, bottom = *first, *(f + side for f in first)
    return (left * scale[0], top * scale[1], right * scale[0], bottom * scale[1])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("prepare", "truth"),
    [
        (resize_and_crop, box_twin),
        (channels_first(resize_and_crop), box_twin),
        (lambda image: -3 * resize_and_crop(image)[..., ::-1] + 7, box_twin),
        (lambda image: preset("0..1@96")(image), lambda size: preset("0..1@96").box(size)),
        (lambda image: floats(image.resize((224, 160))), whole),
        (lambda image: floats(image.resize((224, 160), Image.Resampling.NEAREST)), whole),
        (letterboxed, letterbox_twin),
        (lambda image: floats(image.convert("L").resize((96, 96)))[None], whole),
        (lambda image: floats(image.convert("L").resize((96, 96))), whole),
        (lambda image: floats(image.crop((-30, 10, 200, 300)).resize((64, 64))), lambda _: (-30, 10, 200, 300)),
    ],
    ids=["crop", "first", "bgr", "preset", "squash", "nearest", "letterbox", "grey", "flat", "corner"],
)
def test_box_is_found_within_a_pixel(prepare, truth, size):
    assert box_of(prepare, size) == pytest.approx(truth(size), abs=1)


@pytest.mark.parametrize("size", [(32, 32), (97, 61)])
def test_box_is_found_on_small_pictures_made_larger(size):
    assert box_of(lambda image: resize_and_crop(image), size) == pytest.approx(box_twin(size), abs=0.5)
    assert box_of(lambda image: floats(image.resize((224, 224))), size) == pytest.approx(whole(size), abs=0.1)


def test_the_border_where_interpolation_is_flat_does_not_count():
    assert box_of(lambda image: floats(image.resize((224, 224))), (12, 10)) == pytest.approx((0, 0, 12, 10), abs=0.01)


def at_random(image):
    start = np.random.randint(0, 60)
    return floats(image.crop((start, 0, image.width - 60 + start, image.height)).resize((96, 96)))


def mirrored_at_random(image):
    image = image.resize((96, 96))
    return floats(ImageOps.mirror(image) if np.random.random() < 0.5 else image)


@pytest.mark.parametrize(
    "prepare",
    [
        at_random,
        mirrored_at_random,
        lambda image: floats(ImageOps.mirror(image.resize((96, 96)))),
        lambda image: floats(image.rotate(2).resize((96, 96))),
        lambda image: floats(image.resize((96, 96)).transpose(Image.Transpose.ROTATE_90)),
        lambda image: np.asarray(image.resize((96, 96)), np.float32) ** 1.3,
        lambda image: floats(image)[:, (np.linspace(0, 1, 96) ** 1.2 * (image.width - 1)).astype(int)],
        lambda image: np.zeros((96, 96, 3), np.float32),
        lambda image: np.full((96, 96, 3), np.nan, np.float32),
        lambda image: floats(image.resize((96, 96))) * 0 + floats(image.resize((1, 1))),
        lambda image: floats(image.resize((2, 2))),
    ],
    ids=[
        "random crop",
        "random flip",
        "flip",
        "rotation",
        "turn",
        "gamma",
        "warp",
        "constant",
        "nan",
        "mean",
        "too small",
    ],
)
def test_box_is_none_where_it_cannot_be_told(prepare):
    np.random.seed(0)
    assert box_of(prepare, (500, 375)) is None


def test_box_is_remembered_but_keeps_nothing_alive():
    calls = []

    def prepare(image):
        calls.append(image.size)
        return floats(image.resize((32, 32)))

    first = box_of(prepare, (120, 90))
    seen = len(calls)
    assert set(calls) == {(120, 90)}
    assert box_of(prepare, (120, 90)) == first
    assert box_of(as_prepare(prepare, True), (120, 90)) == first
    assert len(calls) == seen
    box_of(prepare, (90, 120))
    assert len(calls) == 2 * seen
    key = (id(prepare), id(prepare), (120, 90))
    still = probing._boxes[key][0]
    del prepare
    gc.collect()
    assert still() is None


def test_a_dead_preparation_does_not_answer_for_another_with_its_id():
    def prepare(image):
        return floats(image.resize((32, 32)))

    probing._boxes[(id(prepare), id(prepare), (64, 48))] = (lambda: None, (1.0, 2.0, 3.0, 4.0))
    assert box_of(prepare, (64, 48)) == pytest.approx((0, 0, 64, 48), abs=0.5)


def test_methods_are_remembered_by_their_object():
    class Maker:
        calls = 0

        def prepare(self, image):
            self.calls += 1
            return floats(image.resize((32, 32)))

    maker = Maker()
    box_of(maker.prepare, (64, 48))
    calls = maker.calls
    box_of(maker.prepare, (64, 48))
    assert maker.calls == calls > 0


def test_callables_that_cannot_be_referenced_weakly_are_kept():
    class Slim:
        __slots__ = ()

        def __call__(self, image):
            return floats(image.resize((32, 32)))

    slim = Slim()
    first = box_of(slim, (64, 48))
    assert first is not None
    assert box_of(slim, (64, 48)) is first


def test_only_the_last_sizes_are_remembered():
    for width in range(40, 40 + probing._REMEMBERED + 5):
        box_of(at_random, (width, 30))
    assert len(probing._boxes) == probing._REMEMBERED


# Images handed in as they are


def test_warns_of_pixels_where_small_numbers_are_usual():
    image = np.full((3, 4, 4), 255, np.float32)
    with pytest.warns(SeeWhyWarning, match=r"255 \.\. 255\n  expected: about -2\.12 \.\. 2\.64") as caught:
        warn_of_range(image, "imagenet")
    assert "to do:" in str(caught[0].message)
    with pytest.warns(SeeWhyWarning):
        warn_of_range(image / 255, lambda each: np.asarray(each, np.float32))


def test_does_not_warn_without_a_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_range(preset("imagenet")(picture()), "imagenet")
        warn_of_range(np.zeros((3, 4, 4)), "0..255")
        warn_of_range(np.full((3, 4, 4), np.nan), "imagenet")
        warn_of_range(np.full((3, 4, 4), 255.0), None)
        warn_of_range(np.full((3, 4, 4), 255.0), lambda _: None)


@pytest.mark.parametrize("scale", ["0..1", "-1..1", "0..255"])
@pytest.mark.parametrize("first", [True, False])
def test_guessed_picture_is_what_was_prepared(scale, first):
    image = picture((224, 224))
    made = Preset("x", preset(scale).mean, preset(scale).std, 224, 224, channels_first=first)(image)
    np.testing.assert_array_equal(guess_picture(made, first), np.asarray(image))
    np.testing.assert_array_equal(guess_picture(made[None], first), np.asarray(image))


def test_guessed_picture_of_normalised_values_uses_the_whole_range():
    values = np.random.default_rng(0).normal(size=(3, 60, 60))
    values[0, 0, 0] = 1e6  # a single wild value must not make the rest black
    result = guess_picture(values, True)
    assert result.dtype == np.uint8
    assert result.std() > 40


def test_guessed_picture_of_other_channels():
    grey = np.linspace(0, 1, 20, dtype=np.float32).reshape(1, 4, 5)
    expected = np.repeat(np.rint(grey[0] * 255)[..., None], 3, -1)
    np.testing.assert_array_equal(guess_picture(grey, True), expected)
    np.testing.assert_array_equal(guess_picture(grey[0], True), expected)
    np.testing.assert_array_equal(guess_picture(np.concatenate([grey] * 5), True), expected)


def test_guessed_picture_never_fails_on_nan():
    values = np.array([[[np.nan, 0.5], [np.inf, 1.0]]] * 3)
    assert guess_picture(values, True)[..., 0].tolist() == [[0, 128], [0, 255]]
    assert not guess_picture(np.full((3, 2, 2), np.nan), True).any()
    assert guess_picture(np.full((3, 2, 2), -7.0), True).tolist() == [[[128] * 3] * 2] * 2
    with pytest.raises(InputError, match=r"an image of shape \[2, 3, 4, 4\]"):
        guess_picture(np.zeros((2, 3, 4, 4)), True)
