"""The characters that a PDF page itself carries, as words and lines where a viewer shows them, mended where that is safe.

What nobody sees is kept apart and not used: text in render mode 3, white on white, under a picture or a black bar, of no size. It is
where OCR layers of unknown quality and instructions to language models hide.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pymupdf

from ocr_service.domain.errors import PageFailed
from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.page.words import Word

# ActualText may say anything, whatever the glyphs show; ligatures are taken apart.
LAYER_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_IGNORE_ACTUALTEXT | pymupdf.TEXT_MEDIABOX_CLIP
_BOLD_CHARS, _FILLED, _STROKED = 8, 16, 32
_ITALIC, _MONO, _BOLD = 2, 8, 16
# A sheet of the smallest print has 20,000 characters.
MAX_CHARS = 200_000
_SMALLEST_PT = 1.0
# Difference of grey between a word's ink and its ground below which nobody can read it.
_LEAST_CONTRAST = 20

_MENDED = {
    **dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", ("ff", "fi", "fl", "ffi", "ffl", "st", "st"), strict=True)),
    # Bullets and ticks of Symbol and Wingdings, which lie in the private use area.
    "\uf0b7": "•", "\uf0a7": "▪", "\uf0d8": "➢", "\uf0fc": "✓", "\uf06f": "○", "\uf02d": "-",
}  # fmt: skip
_SOFT_HYPHEN = "\u00ad"
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A line of the text layer. `bbox` in pixels; `direction`: clockwise turn of its baseline in degrees, 0 for upright text."""

    bbox: BBox
    words: tuple[Word, ...]
    size_pt: float
    bold: bool
    italic: bool
    mono: bool
    direction: int

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class LayerText:
    """The text layer of a page at some dpi, in the order of the file. `hidden` is what nobody sees, `outside` how many words lie
    off the page, `unmapped` how many visible characters stood for nothing."""

    lines: tuple[LayerLine, ...]
    hidden: tuple[LayerLine, ...]
    outside: int
    unmapped: int
    too_much: bool = False

    @property
    def words(self) -> list[Word]:
        return [word for line in self.lines for word in line.words]

    @property
    def direction(self) -> int:
        """Clockwise turn in degrees (0, 90, 180, 270) in which most of the visible letters stand; 0 without any."""
        return main_direction(self.lines)


def main_direction(lines: Iterable[LayerLine]) -> int:
    """Clockwise turn in degrees (0, 90, 180, 270) in which most letters of the lines stand; 0 without any."""
    letters = dict.fromkeys((0, 90, 180, 270), 0)
    for line in lines:
        letters[line.direction] += len(line.text)
    return max(letters, key=lambda turn: letters[turn])


def read_layer(page: pymupdf.Page, number: int, dpi: int, gray: Callable[[], Image]) -> LayerText:
    """The text layer of a page in pixels at `dpi`. `gray` renders the whole page at any dpi, to show what can be seen; it is asked for
    every word.

    Raises PageFailed.
    """
    try:
        textpage = page.get_textpage(flags=LAYER_FLAGS)
        if len(textpage.extractText()) > MAX_CHARS:
            return LayerText((), (), 0, 0, too_much=True)
        blocks = textpage.extractRAWDICT()["blocks"]
    except MemoryError:
        raise
    except Exception as error:
        raise PageFailed(f"The text of page {number} is damaged and could not be read.") from error
    return _Reader(page, dpi, gray).read(blocks)


class _Reader:
    """Sorts the raw lines of one page into visible and hidden."""

    def __init__(self, page: pymupdf.Page, dpi: int, gray: Callable[[], Image]) -> None:
        # MuPDF gives text before the page's /Rotate is applied.
        self._matrix = page.rotation_matrix
        self._rotation = int(page.rotation)
        self._page = page.rect
        self._scale = dpi / 72
        self._gray = gray
        self._outside = 0
        self._unmapped = 0
        self._seen: dict[str, list[BBox]] = {}

    def read(self, blocks: list[dict[str, Any]]) -> LayerText:
        visible: list[LayerLine] = []
        hidden: list[LayerLine] = []
        for block in blocks:
            for raw in block.get("lines", ()):
                for line, can_be_seen in self._lines(raw):
                    (visible if can_be_seen else hidden).append(line)
        return LayerText(tuple(visible), tuple(hidden), self._outside, self._unmapped)

    def _lines(self, raw: dict[str, Any]) -> Iterator[tuple[LayerLine, bool]]:
        """The line's seen words as one line, its hidden ones as another."""
        parts: dict[bool, list[tuple[Word, dict[str, Any]]]] = {True: [], False: []}
        for chars, span in _split(raw["spans"]):
            text, unmapped = mend("".join(char["c"] for char in chars))
            rect = self._rect(chars, span)
            if rect is None:
                self._outside += 1
                continue
            seen = self._can_be_seen(rect, span)
            if seen:
                self._unmapped += unmapped
            box = BBox(*(value * self._scale for value in rect))
            if text and not (seen and self._is_repeated(text, box)):
                parts[seen].append((Word(box, text), span))
        for seen, found in parts.items():
            if found:
                yield self._line(found, raw), seen

    def _line(self, found: list[tuple[Word, dict[str, Any]]], raw: dict[str, Any]) -> LayerLine:
        words = tuple(word for word, _ in found)
        total = sum(len(word.text) for word in words)

        def mostly(test: int, key: str) -> bool:
            return 2 * sum(len(word.text) for word, span in found if int(span[key]) & test) > total

        angle = math.degrees(math.atan2(raw["dir"][1], raw["dir"][0])) + self._rotation
        return LayerLine(
            bbox=BBox.around(word.bbox for word in words),
            words=words,
            size_pt=sum(len(word.text) * float(span["size"]) for word, span in found) / total,
            bold=mostly(_BOLD, "flags") or mostly(_BOLD_CHARS, "char_flags"),
            italic=mostly(_ITALIC, "flags"),
            mono=mostly(_MONO, "flags"),
            direction=round(angle / 90) * 90 % 360,
        )

    def _rect(self, chars: list[dict[str, Any]], span: dict[str, Any]) -> BBox | None:
        """The word's box in points as displayed, None where its middle is off the page."""
        # Plain numbers: this runs for every letter of every page, and MuPDF's Rect is slow.
        x0s, y0s, x1s, y1s = zip(*(char["bbox"] for char in chars), strict=True)
        box = BBox(min(x0s), min(y0s), max(x1s), max(y1s))
        size = float(span["size"])
        # Type 3 fonts may claim no height at all.
        if box.height < 0.3 * size and box.width < 0.3 * size * len(chars) + size:
            x, y = chars[0]["origin"]
            box = BBox(box.x0, y - 0.8 * size, max(box.x1, x + 1), y + 0.2 * size)
        if self._rotation:
            box = BBox(*(pymupdf.Rect(*box) * self._matrix))
        # Written so that a box of NaN is off the page too.
        if not (0 <= box.center.x <= self._page.width and 0 <= box.center.y <= self._page.height):
            return None
        return box.clipped(self._page.width, self._page.height)

    def _can_be_seen(self, rect: BBox, span: dict[str, Any]) -> bool:
        if span.get("alpha", 255) == 0 or not int(span["char_flags"]) & (_FILLED | _STROKED):
            return False
        if min(rect.width, rect.height) < _SMALLEST_PT:
            return False
        gray = self._gray()
        sx, sy = gray.shape[1] / self._page.width, gray.shape[0] / self._page.height
        # Without the upper and lower edge, where the rules of a table or the next line's letters would count as ink.
        margin = 0.15 * rect.height
        left, right = int(rect.x0 * sx), math.ceil(rect.x1 * sx)
        top, bottom = int((rect.y0 + margin) * sy), math.ceil((rect.y1 - margin) * sy)
        window = gray[top : max(bottom, top + 1), left : max(right, left + 1)]
        return window.size > 0 and int(window.max()) - int(window.min()) >= _LEAST_CONTRAST

    def _is_repeated(self, text: str, box: BBox) -> bool:
        """The same word almost on the same place: bold made by printing twice, or a shadow."""
        earlier = self._seen.setdefault(text, [])
        if any(box.intersection(other) > 0.6 * max(box.area, other.area) for other in earlier):
            return True
        earlier.append(box)
        return False


def _split(spans: list[dict[str, Any]]) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """The words of a line: runs of characters without a space; a word that changes its font goes by its first letter's."""
    chars: list[dict[str, Any]] = []
    owner: dict[str, Any] = {}
    for span in spans:
        # Never join what is seen with what is not.
        if chars and (span["alpha"], span["char_flags"] & (_FILLED | _STROKED), span["color"]) != (
            owner["alpha"],
            owner["char_flags"] & (_FILLED | _STROKED),
            owner["color"],
        ):
            yield chars, owner
            chars = []
        for char in span["chars"]:
            if char["c"].isspace():
                if chars:
                    yield chars, owner
                chars = []
                continue
            if not chars:
                owner = span
            chars.append(char)
    if chars:
        yield chars, owner


def mend(text: str) -> tuple[str, int]:
    """The text without what no reader sees, and how many of its characters stood for nothing (U+FFFD, private use, control)."""
    if text.isascii() and text.isprintable():
        return text, 0
    kept, unmapped = [], 0
    complex_script = any("\u0590" <= char <= "\u1fff" for char in text)
    for char in text:
        category = unicodedata.category(char)
        if char in _MENDED:
            kept.append(_MENDED[char])
        elif char == "\ufffd" or category in {"Co", "Cc", "Cs", "Cn"}:
            unmapped += 1
        elif char == _SOFT_HYPHEN or category == "Cf" or "\ufe00" <= char <= "\ufe0f":
            # Joiners change the letters of Persian and Hindi; everywhere else they only hide in words.
            if complex_script and char in _JOINERS:
                kept.append(char)
        else:
            kept.append(char)
    mended = unicodedata.normalize("NFC", "".join(kept))
    # A soft hyphen at the end of a line is printed; inside a word it is not.
    return (mended + "-" if text.endswith(_SOFT_HYPHEN) else mended), unmapped


def scaled(text: LayerText, factor: float) -> LayerText:
    """The same text for another dpi: `factor` is the new dpi divided by the old one."""

    def line(old: LayerLine) -> LayerLine:
        words = tuple(replace(word, bbox=BBox(*(value * factor for value in word.bbox))) for word in old.words)
        return replace(old, bbox=BBox(*(value * factor for value in old.bbox)), words=words)

    return replace(text, lines=tuple(map(line, text.lines)), hidden=tuple(map(line, text.hidden)))
