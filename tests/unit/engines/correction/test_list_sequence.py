from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_service.domain.blocks import Block, LayoutLabel, Source
from ocr_service.domain.geometry import BBox
from ocr_service.engines.correction.list_sequence import with_counted_markers


def items(*markers: str | None) -> list[Block]:
    return [
        Block(
            id=f"b{order:02d}",
            label=LayoutLabel.LIST_ITEM if marker else LayoutLabel.TEXT,
            bbox=BBox(0, 20 * order, 100, 20 * order + 18),
            order=order,
            content="слово",
            source=Source.OCR,
            marker=marker,
        )
        for order, marker in enumerate(markers)
    ]


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        (["а)", "6)", "в)"], ["а)", "б)", "в)"]),
        (["ж)", "3)", "и)"], ["ж)", "з)", "и)"]),
        (["1)", "2)", "з)", "4)"], ["1)", "2)", "3)", "4)"]),
        (["5.", "б."], ["5.", "6."]),
    ],
)
def test_a_marker_between_its_neighbours_is_the_one_that_counts_on(read: list[str], meant: list[str]) -> None:
    assert [block.marker for block in with_counted_markers(items(*read))] == meant


@pytest.mark.parametrize(
    "markers",
    [["1)", "6)"], ["5)", "6)", "7)"], ["а)", "6."], ["а)", None, "6)"], ["•", "6)"], ["6)", "7)"], ["2.", "3.", "4."], ["я)", "3)"]],
)
def test_other_markers_stay_as_they_were_read(markers: list[str | None]) -> None:
    assert [block.marker for block in with_counted_markers(items(*markers))] == markers


def test_paragraphs_that_begin_with_a_marker_count_on_as_well() -> None:
    texts = ["а) сечение кабеля", "6) расчёт нагрузки", "в) светильники"]
    blocks = [replace(block, content=text) for block, text in zip(items(None, None, None), texts, strict=True)]
    assert [block.content for block in with_counted_markers(blocks)] == ["а) сечение кабеля", "б) расчёт нагрузки", "в) светильники"]


def test_a_figure_that_begins_a_paragraph_stays() -> None:
    texts = ["а) сечение кабеля", "6 светильников", "5) первое", "6) второе"]
    blocks = [replace(block, content=text) for block, text in zip(items(None, None, None, None), texts, strict=True)]
    assert [block.content for block in with_counted_markers(blocks)] == texts
