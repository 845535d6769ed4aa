"""Formulas inside of text: what is one, and one way of marking them.

A model writes `\\(x\\)` and `\\[x\\]`, sometimes `$x$` and `$$x$$`; Markdown knows the latter two. PaddleX drops every `$` of a text that
has a formula, and the prices with it; here only pairs of the model's own delimiters are rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# A doubled backslash is a line break (`\\[2pt]`), not the beginning of a delimiter.
_TOKEN = re.compile(r"(\\\\|\\[()\[\]]|\$\$)")
_CLOSES = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_CLOSERS = {"\\)", "\\]"}


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text. `delimiter` is the one that began it: `\\(`, `\\[`, `$$`, or "" for what is no formula."""

    text: str
    delimiter: str = ""


def parts(text: str, *, dollars: bool) -> list[Part] | None:
    """The text in stretches; None if a delimiter has no partner. `dollars`: `$$` delimits, too, which in prose it need not."""
    found: list[Part] = []
    opener, start = "", 0
    tokens = _TOKEN.split(text)
    for index in range(1, len(tokens), 2):
        token = tokens[index]
        if token == "\\\\" or (token == "$$" and not dollars):  # noqa: S105  not a password
            continue
        if opener and token != _CLOSES[opener]:
            return None
        if not opener and token in _CLOSERS:
            return None
        found.append(Part("".join(tokens[start:index]), opener))
        opener, start = ("" if opener else token), index + 1
    found.append(Part("".join(tokens[start:]), opener))
    return None if opener else found


def with_dollars(text: str) -> str | None:
    """The text with `$…$` and `$$…$$`; None if a delimiter has no partner."""
    found = parts(text, dollars=False)
    return None if found is None else _joined(found)


def _joined(found: Sequence[Part]) -> str:
    signs = {"": "", "\\(": "$", "\\[": "$$"}
    return "".join(f"{signs[part.delimiter]}{part.text.strip() if part.delimiter else part.text}{signs[part.delimiter]}" for part in found)
