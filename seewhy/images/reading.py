"""Whatever holds a picture (path, PIL image, array, bytes) becomes one RGB image, as a person would see it."""

from __future__ import annotations

import itertools
import os
import re
import struct
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError

from seewhy.errors import InputError, did_you_mean

Pixels: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

_SOURCES = "a path, a PIL image, a uint8 array [height, width, 3] or the bytes of an image file"

_TURNS = {  # EXIF orientation -> what brings the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WHOLE = re.compile(r"u?int\d+$|bool_?$")  # dtypes of whole numbers
_ORIENTATION = 0x0112  # the EXIF tag

# What Pillow's readers raise on damaged files, found by damaging files of a dozen formats at random.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, LookupError, EOFError, MemoryError),
    *(ArithmeticError, TypeError, RuntimeError, struct.error),
)


def read(source: Any) -> Image.Image:
    """The picture in `source`, upright and in RGB, detached from its file and without metadata.

    Args:
        source: a path, a PIL image, the bytes of an image file, or an array or tensor of uint8: [height, width],
            [height, width, 1], [height, width, 3] or [height, width, 4] (the fourth is opacity); other whole numbers
            if they lie in 0..255, and truth values as black and white. Of a file with several frames the first one
            counts; a PIL image is taken at the frame where it stands.
    Returns:
        A new PIL image of mode RGB. EXIF rotation is applied, what is transparent lies on white, 16-bit grey is
        divided by 257 (65535 becomes 255), and so is 32-bit grey that does not fit 0..255. Grey in floats is taken as
        0..1 or 0..255 if it fits one of them, else stretched from its lowest to its highest value. Colour profiles are
        not applied, as in training.
    Raises:
        InputError: no such file, no image file, a damaged or too large one, or an array of another kind.
    """
    if isinstance(source, Image.Image):
        return _upright_rgb(source, f"the PIL image {name_of(source)!r}")
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode(bytes(source), f"these {len(source):,} bytes")[0]
    if isinstance(source, (str, os.PathLike)):
        if not str(source):
            raise InputError("an empty path", _SOURCES, "name the file")
        return decode(contents(Path(source)), f"the file {str(source)!r}")[0]
    if dtype_name(source) is not None:
        return _of_array(source)
    raise InputError(f"a picture of type {type(source).__name__}", _SOURCES, "hand in one of these")


def is_picture(source: Any) -> bool:
    """True for what `read` is meant for: path, PIL image, bytes, array or tensor of uint8.

    So are other whole numbers and truth values [height, width, 3 or 4]. Other arrays and tensors are *images*, already
    prepared, and give False; so does anything else.
    """
    if isinstance(source, (str, os.PathLike, Image.Image, bytes, bytearray, memoryview)):
        return True
    kind = dtype_name(source) or ""
    return kind == "uint8" or (_WHOLE.match(kind) is not None and len(source.shape) == 3 and source.shape[2] in (3, 4))


def name_of(source: Any) -> str:
    """A short name for rows and captions: the file's name where there is one, else 'array' or 'picture'."""
    if isinstance(source, Image.Image):
        source = getattr(source, "filename", "") or b""
    if isinstance(source, (str, os.PathLike)):
        return Path(source).name or str(source)
    return "picture" if dtype_name(source) is None or isinstance(source, memoryview) else "array"


def dtype_name(array: Any) -> str | None:
    """The dtype of an array or tensor of any framework as NumPy spells it ('float32'); None for other objects."""
    dtype = getattr(array, "dtype", None)
    if dtype is None or not hasattr(array, "shape"):
        return None
    return str(getattr(dtype, "name", dtype)).rpartition(".")[2]  # torch says 'torch.float32'


def as_numpy(array: Any) -> np.ndarray[Any, Any]:
    """An array or tensor of any framework in NumPy; types that NumPy lacks (bfloat16) become float32."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        if array.is_floating_point():
            array = array.float()
        return np.asarray(array.numpy())
    values = np.asarray(array)
    if values.dtype.kind in "USMm":
        raise InputError(
            f"an array of {values.dtype}", "an array of numbers", "open pictures by their paths, one by one"
        )
    return values if values.dtype.kind in "biufcO" else values.astype(np.float32)


def contents(path: Path) -> bytes:
    """The bytes of an image file.

    Raises:
        InputError: there is no such file, or it cannot be read; files of like names are named.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
            raise InputError(f"{str(path)!r} is no regular file", "the path of an image file", "leave it out")
        return path.read_bytes()
    except FileNotFoundError:
        beside = [str(path.parent / name) for name in _beside(path)]
        remedy = did_you_mean(str(path), beside, f"check the path; it was looked up from {os.getcwd()!r}")
        raise InputError(f"no file {str(path)!r}", "the path of an image file", remedy) from None
    except InputError:
        raise
    except (IsADirectoryError, PermissionError, OSError) as error:
        if path.is_dir():
            remedy = "name a file in it, or give its files to explain_many; the command `seewhy explain` takes folders"
            raise InputError(f"{str(path)!r} is a folder", "the path of an image file", remedy) from None
        came = f"the file {str(path)!r} cannot be read: {error.strerror or error}"
        raise InputError(came, "a file that may be read", "check its permissions and the disk it is on") from error
    except ValueError as error:  # a null character in the path
        raise InputError(f"the path {str(path)!r}: {error}", "the path of an image file", "check the path") from error


def _beside(path: Path) -> list[str]:
    """Names of other files in the same folder; of a very large folder only some."""
    try:
        with os.scandir(path.parent) as entries:
            return [entry.name for entry in itertools.islice(entries, 2000)]
    except OSError:
        return []


def decode(data: bytes, what: str, least: int | None = None) -> tuple[Image.Image, tuple[int, int]]:
    """The picture in the bytes of an image file, as `read` gives it.

    Args:
        data: of any format that Pillow reads.
        what: names them in errors.
        least: a JPEG may be decoded at a half, a quarter or an eighth of its size, as long as no side is shorter than
            this: several times as fast for large ones; pixels differ by 0.1 to 0.5 of 255 after resizing.
    Returns:
        The picture, and its full (width, height), upright.
    Raises:
        InputError: no image file, a damaged or too large one.
    """
    if not data:
        raise InputError(f"nothing in {what}", "an image file", "copy, download or export the picture again")
    try:
        with Image.open(BytesIO(data)) as image:
            # Asked here, too, because a warning can be caught only by changing settings that all threads share.
            most = Image.MAX_IMAGE_PIXELS
            width, height = image.size
            if most is not None and width * height > most:
                raise Image.DecompressionBombError(f"{width} x {height} pixels")
            if least is not None:
                image.draft("RGB", (least, least))
            result = _upright_rgb(image, what)
            turned = (result.width > result.height) != (width > height) and result.width != result.height
            return result, (height, width) if turned else (width, height)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"{what} is too large: {error}",
            f"at most {Image.MAX_IMAGE_PIXELS:,} pixels (PIL.Image.MAX_IMAGE_PIXELS)",
            "shrink it first; or, if you trust where it comes from, raise PIL.Image.MAX_IMAGE_PIXELS",
        ) from error
    except UnidentifiedImageError as error:
        came = f"{what} is no image that Pillow can read{_looks_like(data)}"
        remedy = "convert it to one of these, or leave it out"
        raise InputError(came, "an image file: JPEG, PNG, WebP, GIF, BMP, TIFF ...", remedy) from error
    except _DAMAGE as error:
        if isinstance(error, InputError):
            raise
        raise _damaged(what, error) from error


def _damaged(what: str, error: BaseException) -> InputError:
    came = f"{what} is damaged or cut short: {str(error) or type(error).__name__}"
    return InputError(came, "a complete image file", "copy, download or export the picture again, or leave it out")


def _looks_like(data: bytes) -> str:
    start = data[:16].lstrip().lower()
    if start.startswith((b"<", b"\xef\xbb\xbf<")):
        return " (it looks like a web page, XML or SVG)"
    if start[4:8] == b"ftyp":
        return " (it looks like HEIC or a video)"
    if start.startswith(b"%pdf"):
        return " (it looks like a PDF)"
    return ""


def _upright_rgb(image: Image.Image, what: str) -> Image.Image:
    try:
        image.load()
        result = _rgb(image)
        turn = _TURNS.get(_orientation(image))  # after load: TIFF files are turned upright while loading
    except _DAMAGE as error:
        raise _damaged(what, error) from error
    if not result.width or not result.height:
        raise InputError(f"{what} has no pixels: {result.width} x {result.height}", "a picture", "leave it out")
    if turn is not None:
        result = result.transpose(turn)
    result.info = {}  # else the rotation would be applied again when the result is read once more
    return result


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _stretched(image).convert("RGB")
    if image.has_transparency_data:
        if image.mode == "La":
            image = image.convert("LA")
        colours = image.convert("RGBA")
        white = Image.new("RGBA", colours.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, colours).convert("RGB")
    return image.convert("RGB")


def _of_whole_numbers(source: Any, came: str, expected: str) -> Pixels:
    """uint8 of the same shape, where nothing need be guessed."""
    if not _WHOLE.match(dtype_name(source) or ""):
        remedy = "scale it to 0..255 and write .astype('uint8'); a float array already prepared is an image, no picture"
        raise InputError(came, expected, remedy)
    values = as_numpy(source)
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.size and (values.min() < 0 or values.max() > 255):
        remedy = f"make it uint8: scale {values.min()}..{values.max()} to 0..255 and write .astype('uint8')"
        raise InputError(came, expected, remedy)
    return values.astype(np.uint8)


def _stretched(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, whole numbers or floats, in 8 bits."""
    values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0, neginf=0)
    low, high = values.min(), values.max()
    if image.mode in ("F", "I") and low >= 0 and high <= 255:
        scaled = values * (255 if high <= 1 and image.mode == "F" else 1)
    elif low >= 0 and high <= 65535:
        scaled = values / 257
    else:
        scaled = (values - low) * (255 / max(high - low, 1e-300))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _of_array(source: Any) -> Image.Image:
    shape = tuple(int(side) for side in source.shape)
    came = f"an array of {dtype_name(source)} {list(shape)}"
    expected = "a uint8 array [height, width, 3], or [height, width] for grey"
    if dtype_name(source) != "uint8":
        source = _of_whole_numbers(source, came, expected)
    if len(shape) == 4:
        remedy = "hand in one picture, such as pictures[0]; or all of them with seewhy.explain_many"
        raise InputError(came + ": a batch", expected, remedy)
    if 0 in shape or len(shape) not in (2, 3):
        raise InputError(came, expected, "check how the array was made")
    if len(shape) == 3 and shape[2] not in (1, 3, 4):
        if shape[0] in (1, 3, 4):
            tensor = hasattr(source, "permute")
            remedy = "picture.permute(1, 2, 0)" if tensor else "np.transpose(picture, (1, 2, 0))"
            raise InputError(came + ": channels first", expected, f"transpose it, channels last: {remedy}")
        raise InputError(came, expected, "keep one channel (grey), three (RGB) or four (RGB and opacity)")
    pixels = np.ascontiguousarray(as_numpy(source))
    return _rgb(Image.fromarray(pixels[..., 0] if shape[2:] == (1,) else pixels))
