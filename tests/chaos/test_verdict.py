"""The checker sees what it is there for: answers are broken in every way that it has to notice."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.marks import Mark, marks_in
from tests.chaos.verdict import wrongs, wrongs_of_pages

DOCUMENT = 12


def page(number: int, text: str) -> dict[str, Any]:
    return {"page": number, "status": "ok", "error": None, "markdown": text, "blocks": [{"content": text}]}


def sound() -> dict[str, Any]:
    pages = [page(number, f"Договор {Mark(DOCUMENT, number)}, лист") for number in (1, 2, 3)]
    return {"status": "complete", "pages": pages, "markdown": "\n\n".join(page["markdown"] for page in pages)}


def lost_page(answer: dict[str, Any]) -> None:
    del answer["pages"][1]


def lost_text(answer: dict[str, Any]) -> None:
    answer["pages"][1] |= page(2, "Договор, лист")


def lost_block(answer: dict[str, Any]) -> None:
    answer["pages"][1]["blocks"].clear()


def doubled_page(answer: dict[str, Any]) -> None:
    answer["pages"].append(answer["pages"][1])


def doubled_text(answer: dict[str, Any]) -> None:
    answer["pages"][1]["markdown"] *= 2


def swapped_pages(answer: dict[str, Any]) -> None:
    answer["pages"][0]["page"], answer["pages"][1]["page"] = 2, 1


def page_of_another_document(answer: dict[str, Any]) -> None:
    answer["pages"][1]["markdown"] += str(Mark(DOCUMENT + 1, 2))


def page_too_many(answer: dict[str, Any]) -> None:
    answer["pages"].append(page(4, str(Mark(DOCUMENT, 4))))


def failed_page(answer: dict[str, Any]) -> None:
    answer["pages"][1] |= {"status": "failed", "error": {"code": "worker_crashed", "detail": ""}}


def partial(answer: dict[str, Any]) -> None:
    answer["status"] = "partial"


def markdown_without_a_page(answer: dict[str, Any]) -> None:
    answer["markdown"] = answer["pages"][0]["markdown"]


def markdown_out_of_order(answer: dict[str, Any]) -> None:
    answer["markdown"] = "\n\n".join(page["markdown"] for page in reversed(answer["pages"]))


BREAKINGS = [
    lost_page, lost_text, lost_block, doubled_page, doubled_text, swapped_pages, page_of_another_document, page_too_many, failed_page,
    partial, markdown_without_a_page, markdown_out_of_order,
]  # fmt: skip


def test_a_sound_answer_is_sound() -> None:
    assert wrongs(DOCUMENT, 3, sound()) == []


@pytest.mark.parametrize("breaking", BREAKINGS)
def test_an_answer_that_is_not_what_was_sent_is_seen(breaking: Callable[[dict[str, Any]], None]) -> None:
    answer = copy.deepcopy(sound())
    breaking(answer)
    assert wrongs(DOCUMENT, 3, answer)


def test_the_order_of_streamed_pages_does_not_matter() -> None:
    assert wrongs_of_pages(DOCUMENT, [1, 2, 3], sound()["pages"][::-1]) == []


def test_a_misread_mark_is_no_mark() -> None:
    mark = Mark(4711, 29)
    assert marks_in(f"a {mark} b {mark}0") == [mark]
    for position in range(11):
        misread = list(str(mark))
        misread[position] = str((int(misread[position]) + 1) % 10)
        assert marks_in("".join(misread)) == []
