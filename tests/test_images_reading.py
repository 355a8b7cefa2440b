"""Every kind of picture becomes the RGB that a person sees, and what is none is told apart in words."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seewhy.errors import InputError
from seewhy.images.reading import as_numpy, dtype_name, is_picture, name_of, read
from tests.conftest import REAL as PICTURES

REAL = PICTURES / "ilsvrc"


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixel(source, x=0, y=0):
    return read(source).getpixel((x, y))


@pytest.fixture
def photo():
    y, x = np.mgrid[:48, :64]
    return np.stack([4 * x, 5 * y, 255 - 2 * x - y], -1).astype(np.uint8)


def test_path_pil_bytes_and_array_are_the_same_picture(photo, tmp_path):
    image = Image.fromarray(photo)
    path = tmp_path / "photo.png"
    image.save(path)
    for source in (path, str(path), image, path.read_bytes(), bytearray(path.read_bytes()), photo):
        result = read(source)
        assert result.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(result), photo)


def test_result_is_new_and_the_source_is_left_alone(photo):
    image = Image.fromarray(photo)
    read(image).putpixel((0, 0), (1, 2, 3))
    np.testing.assert_array_equal(np.asarray(image), photo)
    read(photo[..., 0]).putpixel((0, 0), (1, 2, 3))
    assert photo[0, 0, 0] == 0


@pytest.mark.parametrize(("orientation", "corner"), [(1, 0), (2, 1), (3, 3), (4, 2), (5, 0), (6, 2), (7, 3), (8, 1)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_exif_rotation_is_applied_once(orientation, corner, kind):
    """`corner`: which stored corner (0 1 above 2 3) is seen at the upper left."""
    stored = np.zeros((2, 3, 3), np.uint8)
    stored[[0, 0, 1, 1], [0, 2, 0, 2], 0] = (10, 20, 30, 40)
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = read(encoded(Image.fromarray(stored), kind, exif=exif))
    assert result.size == ((3, 2) if orientation < 5 else (2, 3))
    assert result.getpixel((0, 0))[0] == (10, 20, 30, 40)[corner]
    assert read(result).tobytes() == result.tobytes()


def test_damaged_exif_is_no_reason_to_refuse(photo):
    assert read(encoded(Image.fromarray(photo), "PNG", exif=b"Exif\0\0II*\0\xff\xff")).size == (64, 48)


def test_what_is_transparent_lies_on_white():
    half = Image.new("RGBA", (2, 1), (200, 0, 0, 0))
    half.putpixel((1, 0), (200, 0, 0, 51))
    assert pixel(half) == (255, 255, 255)
    assert pixel(half, 1) == (244, 204, 204)
    assert pixel(np.asarray(half), 1) == (244, 204, 204)
    assert pixel(Image.new("LA", (1, 1), (100, 255))) == (100, 100, 100)
    assert pixel(Image.new("LA", (1, 1), (100, 0))) == (255, 255, 255)
    palette = Image.new("P", (2, 1))
    palette.putpalette([9, 8, 7, 60, 50, 40])
    palette.putpixel((1, 0), 1)
    assert pixel(palette, 1) == (60, 50, 40)
    file = encoded(palette, "PNG", transparency=0)
    assert (pixel(file), pixel(file, 1)) == ((255, 255, 255), (60, 50, 40))
    assert pixel(encoded(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG", transparency=(1, 2, 3))) == (255, 255, 255)


def test_grey_and_one_bit():
    assert pixel(Image.new("L", (1, 1), 77)) == (77, 77, 77)
    assert pixel(Image.new("1", (1, 1), 1)) == (255, 255, 255)
    assert pixel(np.full((2, 2), 77, np.uint8)) == (77, 77, 77)
    assert pixel(np.full((2, 2, 1), 77, np.uint8)) == (77, 77, 77)


@pytest.mark.parametrize("big", [False, True])
def test_sixteen_bit_grey_is_scaled_not_cut_off(big):
    grey = np.array([[0, 257, 32896, 65535]], ">u2" if big else "<u2")
    for source in (encoded(Image.fromarray(grey), "PNG"), Image.fromarray(grey.astype(np.int32))):
        assert np.asarray(read(source))[0, :, 1].tolist() == [0, 1, 128, 255]


def test_whole_numbers_and_truth_values_are_pixels_where_they_fit(photo):
    for kind in (np.int64, np.uint16, np.int32):
        assert read(photo.astype(kind)).tobytes() == photo.tobytes()
    assert np.asarray(read(photo > 99)).tobytes() == ((photo > 99) * np.uint8(255)).tobytes()
    for wrong in (photo.astype(np.uint16) * 257, photo.astype(np.int64) - 300):
        with pytest.raises(InputError, match="make it uint8: scale"):
            read(wrong)


def test_grey_of_32_bits_within_0_255_is_taken_as_it_is():
    grey = np.array([[0, 7, 255]], np.int32)
    assert np.asarray(read(Image.fromarray(grey)))[0, :, 0].tolist() == [0, 7, 255]
    assert np.asarray(read(Image.fromarray(grey * 10)))[0, :, 0].tolist() == [0, 0, 10]


def test_grey_in_floats():
    for values, expected in [([0, 0.5, 1], [0, 128, 255]), ([0, 128, 255], [0, 128, 255]), ([-3, 0, 3], [0, 128, 255])]:
        assert np.asarray(read(Image.fromarray(np.array([values], np.float32))))[0, :, 0].tolist() == expected
    assert pixel(Image.fromarray(np.array([[np.nan, 1]], np.float32))) == (0, 0, 0)


def test_cmyk_jpeg_keeps_its_colours(photo):
    """Pillow writes CMYK as Adobe does, inverted: read the wrong way round, bright would be dark."""
    result = np.asarray(read(encoded(Image.fromarray(photo).convert("CMYK"), "JPEG", quality=98)), int)
    assert np.abs(result - photo).mean() < 4


@pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} is missing")
def test_real_photos_are_read_as_pillow_reads_them():
    for path in sorted(REAL.glob("*.JPEG"))[:5]:
        np.testing.assert_array_equal(np.asarray(read(path)), np.asarray(Image.open(path).convert("RGB")))


def test_uint8_tensor_is_a_picture(photo):
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(photo)
    assert is_picture(tensor)
    assert read(tensor).tobytes() == photo.tobytes()
    with pytest.raises(InputError, match=r"permute\(1, 2, 0\)"):
        read(tensor.permute(2, 0, 1))
    assert not is_picture(tensor.float())
    assert as_numpy(torch.ones(2, dtype=torch.bfloat16, requires_grad=True)).dtype == np.float32
    assert dtype_name(tensor.half()) == "float16"


def test_pictures_and_images_are_told_apart(photo, tmp_path):
    for source in ("a.png", tmp_path, b"", memoryview(b"x"), Image.new("L", (1, 1)), photo):
        assert is_picture(source)
    for source in (photo.astype(np.int64), photo > 9):
        assert is_picture(source)
    for source in (photo.astype(np.float32), photo[..., 0].astype(np.int64), None, 3, [photo], np.arange(3)):
        assert not is_picture(source)


def test_names(photo, tmp_path):
    path = tmp_path / "cat.01.png"
    Image.fromarray(photo).save(path)
    with Image.open(path) as image:
        sources = [path, str(path), image, Image.fromarray(photo), b"x", memoryview(b"x"), photo]
        names = [name_of(source) for source in sources]
    assert names == ["cat.01.png"] * 3 + ["picture"] * 3 + ["array"]


def refused(source):
    with pytest.raises(InputError) as caught:
        read(source)
    return str(caught.value)


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"", "nothing in the file"),
        (b"<!DOCTYPE html><p>404", "no image that Pillow can read (it looks like a web page, XML or SVG)"),
        (b"\0\0\0\x18ftypheic\0\0", "(it looks like HEIC or a video)"),
        (b"%PDF-1.7 ....", "(it looks like a PDF)"),
        (b"nothing at all", "no image that Pillow can read\n"),
    ],
)
def test_what_is_no_image_is_named(contents, words, tmp_path):
    path = tmp_path / "x.jpg"
    path.write_bytes(contents)
    message = refused(path)
    assert repr(str(path)) in message
    assert words in message
    assert "\n  expected: a" in message
    assert "\n  to do: " in message


def test_nothing_is_no_picture():
    assert refused(b"").startswith("nothing in these 0 bytes\n")
    assert refused("").startswith("an empty path\n")
    with pytest.raises(InputError, match="an array of <U1\n  expected: an array of numbers"):
        as_numpy(np.array(["x"]))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_truncated_files_are_refused(kind, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8)
    whole = encoded(Image.fromarray(noise), kind)
    path = tmp_path / "cut.img"
    path.write_bytes(whole[: len(whole) // 2])
    assert str(path) in refused(path)


def test_truncated_pil_image_is_refused(photo):
    whole = encoded(Image.fromarray(photo), "PNG")
    assert "damaged or cut short" in refused(Image.open(io.BytesIO(whole[: len(whole) // 2])))


def test_missing_files_and_folders(tmp_path):
    (tmp_path / "kitten.png").write_bytes(b"x")
    assert "did you mean" in refused(tmp_path / "kiten.png")
    assert "kitten.png" in refused(tmp_path / "kiten.png")
    message = refused(tmp_path)
    assert "is a folder" in message
    assert "explain_many" in message
    assert "no file" in refused(tmp_path / "no" / "such.png")
    assert "null" in refused("a\0b").lower()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("limit", [48 * 64 - 1, 100])
def test_decompression_bombs_are_refused(photo, limit, monkeypatch):
    """Above the limit Pillow only warns, above twice the limit it refuses; we refuse both."""
    data = encoded(Image.fromarray(photo), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    message = refused(data)
    assert "too large" in message
    assert f"at most {limit:,} pixels" in message


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [
        ((3, 20, 30), np.uint8, "np.transpose(picture, (1, 2, 0))"),
        ((1, 20, 30), np.uint8, "channels first"),
        ((2, 20, 30, 3), np.uint8, "explain_many"),
        ((20, 30, 2), np.uint8, "keep one channel"),
        ((0, 30, 3), np.uint8, "[0, 30, 3]"),
        ((20,), np.uint8, "[20]"),
        ((20, 30, 3), np.float32, "an array of float32 [20, 30, 3]"),
        ((20, 30, 3), np.complex64, ".astype('uint8')"),
    ],
)
def test_arrays_of_another_kind(shape, dtype, words):
    assert words in refused(np.zeros(shape, dtype))


def test_other_objects():
    assert "a picture of type NoneType" in refused(None)
    assert "a picture of type list" in refused([1])


def test_importing_is_cheap():
    modules = ("reading", "preparing", "resizing", "drawing", "masking", "panels")
    code = f"import sys, {', '.join('seewhy.images.' + name for name in modules)}; print(*sys.modules)"
    root = Path(__file__).parents[1]
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root).stdout
    assert not {"torch", "tensorflow", "keras", "jax", "matplotlib", "scipy", "pandas"} & set(loaded.split())
