"""Executes a notebook anew and keeps its outputs small and free of this machine's paths.

    python examples/execute_notebook.py examples/debugging_a_classifier.ipynb PHOTOS

It runs in a folder of its own, which is gone afterwards. Warnings and progress on stderr are left out.
"""

import argparse
import base64
import io
import os
import re
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image, ImageSequence

_LARGE = 3_000_000  # bytes
_WIDE, _ANIMATED = 900, 320  # pixels
_INLINE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")
_PATH = re.compile(r"(?<![\w.<:/])/(?:[\w.+-]+/)+[\w.+-]*")


def scrubbed(text: str, folder: str) -> str:
    """Paths made relative to the folder it ran in; what is elsewhere keeps its last part."""
    text = text.replace(f"{folder}/", "").replace(folder, ".")
    return _PATH.sub(lambda found: found[0].rstrip("/").rsplit("/", 1)[-1], text)


def small_picture(encoded: str) -> str:
    """A PNG, base64, as JPEG of at most 900 pixels' width."""
    image = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))  # what was see-through is as on the page
    page.thumbnail((_WIDE, 10 * _WIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    page.save(file, "JPEG", quality=82)
    return base64.b64encode(file.getvalue()).decode()


def small_animation(encoded: str) -> str:
    """A GIF, base64, of at most 320 pixels' width."""
    movie = Image.open(io.BytesIO(base64.b64decode(encoded)))
    times, frames = [], []
    for each in ImageSequence.Iterator(movie):
        times.append(each.info.get("duration", 500))
        frame = each.convert("RGB")
        frame.thumbnail((_ANIMATED, 10 * _ANIMATED), Image.Resampling.LANCZOS)
        frames.append(frame.quantize(64, dither=Image.Dither.NONE))
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    return base64.b64encode(file.getvalue()).decode()


def cleaned(notebook: nbformat.NotebookNode, folder: str) -> None:
    """Leaves results alone, pictures small: no stderr, no times, no paths of this machine."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
        for each in cell.outputs:
            if "text" in each:
                each.text = scrubbed(each.text, folder)
            data = each.get("data", {})
            if "text/plain" in data:
                data["text/plain"] = scrubbed(data["text/plain"], folder)
            if "text/html" in data:
                html = data["text/html"].replace(f"{folder}/", "").replace(folder, ".")
                data["text/html"] = _INLINE.sub(lambda found: f"data:image/jpeg;base64,{small_picture(found[1])}", html)
            if "image/png" in data:
                data["image/jpeg"] = small_picture(data.pop("image/png"))
                each.metadata.pop("image/png", None)
            if "image/gif" in data:
                data["image/gif"] = small_animation(data["image/gif"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("photos", type=Path)
    asked = parser.parse_args()
    here = Path(__file__).resolve().parent
    os.environ["PHOTOS"] = str(asked.photos.resolve())
    os.environ["PYTHONPATH"] = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    notebook = nbformat.read(asked.notebook, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=3_600, resources={"metadata": {"path": folder}}).execute()
        cleaned(notebook, folder)
    text = nbformat.writes(notebook)
    if len(text) > _LARGE:
        raise SystemExit(f"{len(text):,} bytes, more than {_LARGE:,}: draw fewer or smaller pictures")
    asked.notebook.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
