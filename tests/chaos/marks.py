"""A mark on every page that is sent, by which the page is known again wherever it turns up."""

from __future__ import annotations

import re
from typing import NamedTuple

from typing_extensions import override

_MARK = re.compile(r"(?<!\d)(\d{5})(\d{4})(\d{2})(?!\d)")


class Mark(NamedTuple):
    """Page `page` (from 1) of the `document`-th document that was sent."""

    document: int
    page: int

    @override
    def __str__(self) -> str:
        """Eleven digits; the last two tell a misread mark from another page's."""
        return f"{self.document:05}{self.page:04}{_check(self):02}"


def marks_in(text: str) -> list[Mark]:
    """Every mark in the text, in its order."""
    found = [(Mark(int(document), int(page)), int(check)) for document, page, check in _MARK.findall(text)]
    return [mark for mark, check in found if check == _check(mark)]


def _check(mark: Mark) -> int:
    return (mark.document * 10_000 + mark.page) % 97
