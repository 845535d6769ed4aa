"""Lines of text and what they look like as a crop of a page at 200 dpi: black on white, a few fonts and sizes, some margin around.

Russian and English words, made-up words of one script, numbers, dates. Scripts are never mixed inside a word: «О» and "O" look the
same, and only the word tells which one it is. `held_out` words are never trained on.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

DPI = 200
FONTS = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Bold.ttf")
POINTS = (10.5, 13.0)  # type sizes, smallest and largest
SUPERSAMPLING = 2
VOWELS = {"ru": "аеиоуыэюя", "en": "aeiouy"}
CONSONANTS = {"ru": "бвгджзйклмнпрстфхцчшщьё", "en": "bcdfghjklmnpqrstvwxz"}


@dataclass(frozen=True, slots=True)
class Line:
    """A crop and what it says; `centres` are the middles of its characters, in pixels from the crop's left."""

    text: str
    image: Image.Image
    centres: tuple[float, ...]


@cache
def words(language: str, *, held_out: bool) -> tuple[str, ...]:
    """A tenth of the words, told by their checksum, is for testing only."""
    listed = Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split()
    cyrillic = language == "ru"
    return tuple(word for word in listed if (word[0] >= "\u0400") == cyrillic and (zlib.crc32(word.encode()) % 10 == 0) == held_out)


def make_text(rng: random.Random, longest: int, *, held_out: bool = False) -> str:
    """A line of at most `longest` characters."""
    language = rng.choice(("ru", "ru", "en"))
    text = _token(rng, language, held_out)[:longest]
    while rng.random() < 0.85:
        more = f"{text} {_token(rng, language, held_out)}"
        if len(more) > longest:
            break
        text = more
    return text.strip()


def _token(rng: random.Random, language: str, held_out: bool) -> str:
    kind = rng.random()
    if kind < 0.3:
        return _number(rng)
    word = _invented(rng, language) if kind < 0.5 and not held_out else rng.choice(words(language, held_out=held_out))
    case = rng.random()
    word = word.upper() if case < 0.12 else word.capitalize() if case < 0.35 else word
    return word + (rng.choice(".,:;") if rng.random() < 0.12 else "")


def _number(rng: random.Random) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 6)))
    shape = rng.random()
    if shape < 0.6:
        return digits
    if shape < 0.75:
        return f"{digits}{rng.choice('.,')}{rng.randint(0, 99):02}"
    if shape < 0.9:
        return f"{rng.randint(1, 31):02}.{rng.randint(1, 12):02}.{rng.randint(1990, 2039)}"
    return rng.choice(("№{}", "({})", "{}%", "{}-{}", "{}/{}")).format(digits[:4], rng.randint(1, 99))


def _invented(rng: random.Random, language: str) -> str:
    vowel_next = rng.random() < 0.4
    letters = []
    for _ in range(rng.randint(2, 8)):
        letters.append(rng.choice((VOWELS if vowel_next else CONSONANTS)[language]))
        vowel_next = rng.random() < (0.2 if vowel_next else 0.75)
    return "".join(letters)


@cache
def _font(name: str, pixels: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(name, pixels)


def draw(text: str, rng: random.Random) -> Line:
    """Drawn at twice the size and shrunk, because a page renderer does not snap letters to whole pixels either."""
    points = rng.choice((POINTS[0], 11.0, 12.0, 12.0, POINTS[1]))
    font = _font(rng.choice(FONTS), points / 72 * DPI * SUPERSAMPLING)
    ascent, descent = font.getmetrics()
    left, right, above, below = (rng.randint(2, 40) for _ in range(4))
    width = int(font.getlength(text)) + left + right
    image = Image.new("L", (width, ascent + descent + above // 2 + below // 2 - 8), 255)
    ImageDraw.Draw(image).text((left, above // 2 - 4), text, fill=rng.randint(0, 60), font=font)
    edges = [font.getlength(text[:index]) for index in range(len(text) + 1)]
    centres = tuple((left + (before + after) / 2) / SUPERSAMPLING for before, after in pairwise(edges))
    return Line(text, image.reduce(SUPERSAMPLING), centres)
