"""What is on the documents of `tests/data`, and how an answer is held against it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ocr_service.api import wire

FOLDER = Path(__file__).parents[1] / "data"
PASSWORD = "открой-42"
# A picture's alternative text says again what its caption says.
_TAG = re.compile(r"</?t[a-z]+[^>]*>|<!--.*?-->|!\[.*?\]\(.*?\)")
_ESCAPE = re.compile(r"\\([^\w\s])")
# A number is one word however its thousands are parted: «140 250,00».
_WORD = re.compile(r"\d+(?:[ \u00a0\u202f]\d{3})*(?:[.,]\d+)?|[^\W\d_]+")


@dataclass(frozen=True)
class Truth:
    """A page's blocks in reading order."""

    blocks: tuple[dict[str, Any], ...]

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [block for block in self.blocks if block["kind"] in kinds]

    @property
    def texts(self) -> list[str]:
        """Everything but what runs along the pages' edges."""
        return [text for block in self.blocks if block["kind"] not in {"header", "number"} for text in _texts(block)]

    @property
    def table(self) -> dict[str, Any]:
        [table] = self.of("table")
        return table


def _texts(block: dict[str, Any]) -> list[str]:
    if block["kind"] == "table":
        return [cell["text"] for cell in block["cells"]]
    return [f"{block.get('marker', '')} {block['text']}".strip()]


@cache
def _all() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))
    return loaded


def of(name: str) -> list[Truth]:
    """The pages of a file."""
    return [Truth(tuple(page)) for page in _all()[name]["pages"]]


def words(text: str) -> Counter[str]:
    """The words and numbers of a text; case, punctuation and how a number's thousands are parted do not count."""
    plain = _ESCAPE.sub(r"\1", _TAG.sub(" ", text)).casefold()
    return Counter(re.sub(r"\s", "", word) for word in _WORD.findall(plain))


def recall(wanted: Iterable[str], got: str) -> float:
    """The share of the wanted words that was found."""
    expected = sum((words(text) for text in wanted), Counter[str]())
    return (expected & words(got)).total() / expected.total()


def precision(wanted: Iterable[str], got: str) -> float:
    """The share of the found words that is wanted."""
    expected, found = sum((words(text) for text in wanted), Counter[str]()), words(got)
    return (expected & found).total() / found.total()


def characters(texts: Iterable[str]) -> str:
    """Letters and digits alone, for scripts without spaces."""
    return "".join(char for text in texts for char in text if char.isalnum())


def digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def spans(cells: Iterable[dict[str, Any]]) -> set[tuple[int, int, int, int]]:
    return {(cell["row"], cell["column"], cell["rowspan"], cell["colspan"]) for cell in cells}


def table_of(page: wire.Page) -> wire.Table:
    """The page's only table."""
    [table] = [block.table for block in page.blocks if block.table is not None]
    return table


def is_in_order(texts: Iterable[str], got: str) -> bool:
    """Whether the beginnings of the texts come one after the other."""
    plain = " ".join(_ESCAPE.sub(r"\1", got).split())
    places = [plain.find(" ".join(text.split()[:3])) for text in texts]
    return -1 not in places and places == sorted(places)
