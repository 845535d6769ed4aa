"""Which pages are read."""

from __future__ import annotations

import pytest

from ocr_service.domain.documents import DocumentInfo
from ocr_service.domain.errors import DocumentUnreadable, InvalidRequest
from ocr_service.pipeline.selection import asked_pages


def test_without_a_selection_all_pages_are_read() -> None:
    assert list(asked_pages(DocumentInfo(3), None)) == [1, 2, 3]


def test_a_selection_is_read_in_order_and_each_page_once() -> None:
    assert list(asked_pages(DocumentInfo(9), (7, 1, 3, 7))) == [1, 3, 7]


@pytest.mark.parametrize(("selection", "said"), [((2, 4, 9), "no page 4: the document has 3 pages"), ((0,), "no page 0"), ((), "No page")])
def test_a_page_that_does_not_exist_is_refused_with_the_number_there_is(selection: tuple[int, ...], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        asked_pages(DocumentInfo(3), selection)
    assert caught.value.field == "pages"


def test_a_document_without_pages_is_unreadable() -> None:
    with pytest.raises(DocumentUnreadable, match="no pages"):
        asked_pages(DocumentInfo(0), None)
