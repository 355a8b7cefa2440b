"""Text on pictures: fonts, colours of ink and paper, and lines that fit."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import ImageFont

INK, PAPER, FAINT = (32, 33, 36), (255, 255, 255), (95, 99, 104)


def printable(text: str) -> str:
    """Accents joined to their letters; blanks for control characters and halves of surrogates; line ends are kept."""
    letters = unicodedata.normalize("NFC", str(text))
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in letters)


def wrapped(text: str, letters: ImageFont.FreeTypeFont, width: float, most: int) -> list[str]:
    """The text in lines that fit, at most so many; what is left out is shown by an ellipsis.

    Lines end where the text's own do and between words; within a word that is longer than a line, if it can be behind
    a point, dash or underscore, as they stand in names of layers and files.
    """
    lines: list[str] = []
    for part in text.splitlines():
        fresh = True
        for word in part.split():
            longer = word if fresh else f"{lines[-1]} {word}"
            if not fresh and letters.getlength(longer) <= width:
                lines[-1] = longer
                continue
            while letters.getlength(word) > width and len(word) > 1 and len(lines) <= most:
                fits = next(n for n in range(len(word), 0, -1) if n == 1 or letters.getlength(word[:n]) <= width)
                joint = max(word.rfind(sign, 0, fits) for sign in "._-/") + 1
                fits = joint if joint > fits // 3 else fits
                lines.append(word[:fits])
                word = word[fits:]
            lines.append(word)
            fresh = False
    lines = [line for line in lines if line]
    if len(lines) <= most:
        return lines
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
