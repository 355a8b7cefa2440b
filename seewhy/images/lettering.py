"""Text on pictures: fonts, colours of ink and paper, and lines that fit."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import ImageFont

INK, PAPER, FAINT = (32, 33, 36), (255, 255, 255), (95, 99, 104)


def printable(text: str) -> str:
    """Accents joined to their letters; blanks for line ends, control characters and halves of surrogates."""
    return "".join(letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", str(text)))


def wrapped(text: str, letters: ImageFont.FreeTypeFont, width: float, most: int) -> list[str]:
    """The text in lines that fit, at most so many; what is left out is shown by an ellipsis."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and letters.getlength(longer) <= width:
            lines[-1] = longer
            continue
        while letters.getlength(word) > width and len(word) > 1 and len(lines) <= most:  # a word longer than a line
            fits = next(n for n in range(len(word), 0, -1) if n == 1 or letters.getlength(word[:n]) <= width)
            lines.append(word[:fits])
            word = word[fits:]
        lines.append(word)
    if len(lines) <= most:
        return [line for line in lines if line]
    last = lines[most - 1]
    while last and letters.getlength(last + "…") > width:
        last = last[:-1]
    return [*lines[: most - 1], last.rstrip() + "…"]


@lru_cache(maxsize=64)
def font(size: int, plain: bool = True) -> ImageFont.FreeTypeFont:
    """Pillow's own font, which has hardly more than ASCII; else the one in matplotlib: accents, Greek, Cyrillic, signs.

    What both lack is drawn as an empty frame.
    """
    if not plain:
        from matplotlib import get_data_path

        return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)
    letters = ImageFont.load_default(size)
    assert isinstance(letters, ImageFont.FreeTypeFont)  # Pillow's wheels hold FreeType; a size asks for it
    return letters
