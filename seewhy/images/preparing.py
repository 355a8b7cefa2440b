"""From a picture to what the model eats, and a guess at the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images.reading import Pixels, as_numpy, dtype_name, read
from seewhy.images.resizing import Box, Floats

Prepare: TypeAlias = Callable[[Image.Image], Any]
Size: TypeAlias = tuple[int, int]  # width, height, as PIL has it

_SCALES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {  # name -> mean, std
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "0..1": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "-1..1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "0..255": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
}
PRESETS = tuple(_SCALES)


@dataclass(frozen=True)
class Preset:
    """Shorter side to `shorter`, centre crop of `size`, then (pixel / 255 - mean) / std; called with a picture.

    The same pixels as torchvision's Resize (antialiased) and CenterCrop on a PIL image.

    Args:
        name: how it is shown to the user.
        mean: of each channel (red, green, blue), in units where white is 1.
        std: of each channel, in the same units; (pixel - 127) / 128 is mean = 127 / 255 and std = 128 / 255.
        size: side of the square that the model sees, in pixels of the resized picture.
        shorter: what the shorter side of the picture is resized to, in pixels; at least `size`.
        interpolation: 'nearest', 'bilinear', 'bicubic' or 'lanczos'.
        channels_first: float32 [3, size, size] as torch wants it; otherwise [size, size, 3].
    Raises:
        InputError: the sizes, the standard deviations or the interpolation make no sense.
    """

    name: str
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    size: int = 224
    shorter: int = 256
    interpolation: str = "bilinear"
    channels_first: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.size <= self.shorter:
            came = f"a crop of {self.size} pixels out of a shorter side of {self.shorter}"
            raise InputError(came, "1 <= size <= shorter", "make `shorter` at least as large as `size`")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            came = f"mean {self.mean} and std {self.std}"
            raise InputError(came, "three numbers each, std above 0", "give one for red, green and blue")
        if self.interpolation.upper() not in ("NEAREST", "BILINEAR", "BICUBIC", "LANCZOS"):
            expected = "'nearest', 'bilinear', 'bicubic' or 'lanczos'"
            raise UnknownNameError(f"no interpolation {self.interpolation!r}", expected, "use 'bilinear'")

    def __call__(self, picture: Image.Image) -> Floats:
        """float32 [3, size, size], or [size, size, 3], of a PIL image."""
        rgb = picture if picture.mode == "RGB" else read(picture)
        width, height, left, top = self._geometry(rgb.size)
        small = rgb.resize((width, height), Image.Resampling[self.interpolation.upper()])
        pixels = np.asarray(small.crop((left, top, left + self.size, top + self.size)), np.float32)
        shift, scale = (255 * np.array(each, np.float64) for each in (self.mean, self.std))
        image = np.divide(pixels - shift.astype(np.float32), scale.astype(np.float32), dtype=np.float32)
        return np.ascontiguousarray(image.transpose(2, 0, 1)) if self.channels_first else np.asarray(image)

    def box(self, size: Size) -> Box:
        """The rectangle of a picture of that (width, height) that the model sees, in pixels of the picture."""
        width, height, left, top = self._geometry(size)
        across, down = size[0] / width, size[1] / height
        return (left * across, top * down, (left + self.size) * across, (top + self.size) * down)

    def _geometry(self, size: Size) -> tuple[int, int, int, int]:
        """Width and height after resizing, left and top of the crop; rounded as torchvision does."""
        width, height = size
        if width <= height:
            width, height = self.shorter, int(self.shorter * height / width)
        else:
            width, height = int(self.shorter * width / height), self.shorter
        return width, height, round((width - self.size) / 2), round((height - self.size) / 2)


def preset(name: str, channels_first: bool = True, side: int = 224) -> Preset:
    """The preparation of that name: 'imagenet', '0..1', '-1..1' or '0..255'.

    All resize the shorter side to 256 (bilinear, antialiased) and cut 224 x 224 from the centre; they differ in what
    becomes of the pixel values. 'imagenet' subtracts ImageNet's mean and divides by its standard deviation. Another
    size follows an at-sign, with the same share cut off: '0..1@96' cuts 96 x 96 from a shorter side of 110. `side` is
    the size taken where the name has none.

    Raises:
        UnknownNameError: no such preset.
        InputError: what follows the at-sign is no size.
    """
    kind, at, digits = name.partition("@")
    if kind not in _SCALES:
        listed = ", ".join(map(repr, PRESETS))
        otherwise = f"use {listed}, one of these with a size ('0..1@96'), or a function from a PIL image to an array"
        raise UnknownNameError(f"no preparation {name!r}", listed, did_you_mean(kind, PRESETS, otherwise))
    if at and not (digits.isdecimal() and int(digits) > 0):
        raise InputError(f"the size {digits!r} in {name!r}", "a whole number of pixels", f"write '{kind}@96'")
    size = int(digits) if at else side
    mean, std = _SCALES[kind]
    return Preset(name, mean, std, size, round(size * 256 / 224), channels_first=channels_first)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A user's own preparation, with results of one form: a float array or tensor without a leading 1."""

    function: Callable[..., Any]

    def __call__(self, picture: Image.Image) -> Any:
        """The image of a PIL image, in the framework's own type.

        Raises:
            InputError: the function fails, or gives no single float image.
        """
        try:
            if _is_processor(self.function):
                result = self.function(images=picture, return_tensors="np")
            else:
                result = self.function(picture)
        except Exception as error:
            raise InputError(
                f"prepare fails on a picture of {picture.width} x {picture.height}: {type(error).__name__}: {error}",
                "prepare(picture), called with a PIL image in RGB",
                "try it alone: prepare(PIL.Image.open(path).convert('RGB'))",
            ) from error
        return _single_image(result)


def as_prepare(prepare: str | Prepare, channels_first: bool, side: int = 224) -> Preset | Prepared:
    """What the user gave as `prepare`, as a function from a PIL image to one float image without a leading 1.

    Args:
        prepare: the name of a preset; a callable that takes a PIL image and gives an array or tensor, or a mapping
            that holds one as 'pixel_values'; an image processor of Hugging Face. Tensors stay in their framework.
        channels_first: what a preset is to give. A callable's result is left in its own layout.
        side: what a preset without a size is to cut out.
    Raises:
        UnknownNameError: no preset of that name.
        InputError: neither a name nor a callable; and, when called, a result that is no float image.
    """
    if isinstance(prepare, str):
        return preset(prepare, channels_first, side)
    if isinstance(prepare, (Preset, Prepared)):
        return prepare
    if not callable(prepare):
        expected = f"a callable or one of {', '.join(map(repr, PRESETS))}"
        remedy = "prepare=function, where function takes a PIL image and gives the array that the model eats"
        raise InputError(f"prepare of type {type(prepare).__name__}", expected, remedy)
    return Prepared(prepare)


def guess_picture(image: Any, channels_first: bool) -> Pixels:
    """A picture to look at, guessed from what the model eats.

    Values within 0..1, -1..1 or 0..255 are taken as such; others are stretched so that the 1st and the 99th
    percentile become black and white. One channel is grey, three are RGB, of others the mean is shown. NaN is black.

    Args:
        image: float array or tensor [channels, height, width], [height, width, channels] or [height, width], also
            with a leading 1.
        channels_first: which of the first two.
    Returns:
        uint8 [height, width, 3].
    Raises:
        InputError: another number of axes, or an axis of length 0.
    """
    values = as_numpy(image).astype(np.float64)
    if values.ndim == 4 and values.shape[0] == 1:
        values = values[0]
    if values.ndim not in (2, 3) or not values.size:
        expected = "[channels, height, width] or [height, width, channels]"
        raise InputError(f"an image of shape {list(values.shape)}", expected, "hand in one image")
    if values.ndim == 2:
        values = values[..., None]
    elif channels_first:
        values = values.transpose(1, 2, 0)
    known = np.isfinite(values)
    if values.shape[2] != 3:
        values = np.where(known, values, 0).sum(2, keepdims=True) / np.maximum(known.sum(2, keepdims=True), 1)
        known = known.any(2, keepdims=True)
    low, high = _black_and_white(values[known])
    scaled = np.clip((np.where(known, values, low) - low) * (255 / (high - low)), 0, 255)
    return np.ascontiguousarray(np.broadcast_to(np.rint(scaled).astype(np.uint8), (*scaled.shape[:2], 3)))


def _black_and_white(values: Floats) -> tuple[float, float]:
    """Which values probably stand for black and for white."""
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    slack = 1e-3
    if -slack <= low and high <= 1 + slack:
        return 0.0, 1.0
    if -slack <= low and 8 < high <= 255 + slack:
        return 0.0, 255.0
    if -1 - slack <= low and high <= 1 + slack:
        return -1.0, 1.0
    low, high = (float(each) for each in np.percentile(values, (1, 99)))
    return (low, high) if high > low else (low - 1, low + 1)  # flat: grey


def _is_processor(function: Callable[..., Any]) -> bool:
    return callable(getattr(function, "preprocess", None)) or hasattr(function, "image_processor")


def _single_image(result: Any) -> Any:
    """The one float image in what a preparation gave."""
    expected = "one float array or tensor, such as float32 [3, 224, 224], or a mapping with 'pixel_values'"
    if isinstance(result, Mapping):
        if "pixel_values" not in result:
            came = f"prepare returned a {type(result).__name__} with {', '.join(map(repr, result)) or 'nothing'}"
            raise InputError(came, expected, "return the array itself")
        result = result["pixel_values"]
    if isinstance(result, (list, tuple)) and len(result) == 1:
        result = result[0]
    kind = dtype_name(result)
    if kind is None:
        remedy = "return the image from prepare" if result is None else "make it a float array, as in training"
        raise InputError(f"prepare returned {_described(result)}", expected, remedy)
    shape = tuple(int(side) for side in result.shape)
    if len(shape) == 4 and shape[0] == 1:
        result, shape = result[0], shape[1:]
    came = f"prepare returned {kind} {list(shape)}"
    if "float" not in kind:
        raise InputError(came, expected, "scale the values as in training and make them float32")
    if len(shape) not in (2, 3) or 0 in shape:
        raise InputError(came, expected, "return one image for one picture")
    return result


def _described(result: Any) -> str:
    if isinstance(result, Image.Image):
        return f"a PIL image of mode {result.mode}"
    if isinstance(result, (list, tuple)):
        return f"a {type(result).__name__} of {len(result)}"
    return "None" if result is None else f"a {type(result).__name__}"
