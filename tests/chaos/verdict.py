"""Whether an answer is the document that was sent: no page lost, doubled, or another document's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.chaos.marks import Mark, marks_in


def wrongs(document: int, pages: int, answer: dict[str, Any]) -> list[str]:
    """What is wrong with the JSON answer to document number `document` of so many pages; empty if nothing is."""
    found = wrongs_of_pages(document, range(1, pages + 1), answer["pages"])
    if answer["status"] != "complete":
        found.append(f"the status is {answer['status']!r}")
    expected = [Mark(document, page) for page in range(1, pages + 1)]
    if not found and marks_in(answer["markdown"]) != expected:
        found.append("the Markdown does not hold every page's mark once and in order")
    return found


def wrongs_of_pages(document: int, expected: Sequence[int], pages: Sequence[dict[str, Any]]) -> list[str]:
    """The same for pages alone, in whatever order they come."""
    numbers = Counter(page["page"] for page in pages)
    found = [f"page {number} is lost" for number in expected if not numbers[number]]
    found += [f"page {number} came {times} times" for number, times in numbers.items() if times > 1]
    found += [f"page {number} was never sent" for number in numbers if number not in expected]
    for page in pages:
        found += _wrongs_of_page(Mark(document, page["page"]), page)
    return found


def _wrongs_of_page(own: Mark, page: dict[str, Any]) -> list[str]:
    where = f"page {own.page}"
    if page["status"] != "ok":
        return [f"{where} failed: {(page['error'] or {}).get('code', 'without a reason')}"]
    blocks = "\n".join(block["content"] for block in page["blocks"])
    found = []
    for name, text in (("Markdown", page["markdown"]), ("blocks", blocks)):
        marks = Counter(marks_in(text))
        if not marks[own]:
            found.append(f"{where} has lost its text: its mark is not in its {name}")
        if marks[own] > 1:
            found.append(f"{where} has its text {marks[own]} times in its {name}")
        found += [f"{where} holds the text of page {mark.page} of document {mark.document}" for mark in marks if mark != own]
    return found
