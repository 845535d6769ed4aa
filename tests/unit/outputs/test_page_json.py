"""A page's JSON: its shape, and the way back."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.blocks import (
    Block,
    ContentFormat,
    LayoutLabel,
    Refinement,
    RefinementStatus,
    Source,
    TableCell,
    TableGrid,
    TextLine,
)
from ocr_service.domain.documents import MediaType, PageAnalysis, PageError, PageResult, Picture, TextLayerVerdict
from ocr_service.domain.geometry import BBox, Point, Upright
from ocr_service.outputs.page_json import decode_page, encode_page
from tests.unit.outputs.blocks import block, failed_page, page, table
from tests.unit.outputs.grids import grids

_PAGE = PageResult(
    3,
    PageAnalysis(
        page=3,
        dpi=200,
        upright=Upright(1654, 2339, 90, -1.23456),
        text_layer=TextLayerVerdict(used=False, reason="letters unmapped"),
        blocks=(
            Block(
                id="b1",
                label=LayoutLabel.LIST_ITEM,
                bbox=BBox(10.04, 20.06, 300, 41.99),
                order=0,
                content="Пункт",
                source=Source.OCR,
                polygon=(Point(10, 20), Point(300, 20), Point(300, 42), Point(10, 42)),
                confidence=0.98765,
                marker="2.1.",
                lines=(TextLine(BBox(10, 20, 300, 42), "Пункт", 0.98765),),
                refinement=Refinement(RefinementStatus.REJECTED, "digits differ", 0.51239, 2, "Пункт 7"),
                warnings=("слабый текст",),
            ),
            Block(
                id="b2",
                label=LayoutLabel.TABLE,
                bbox=BBox(10, 60, 300, 200),
                order=1,
                content="",
                source=Source.TABLE_MODEL,
                format=ContentFormat.HTML,
                table=TableGrid(1, 2, (TableCell(0, 0, "007", colspan=2, is_header=True, bbox=BBox(10, 60, 300, 200)),)),
            ),
        ),
        pictures=(Picture("p0003-b07.png", MediaType.PNG, b"..."),),
        timings={"ocr": 0.12345},
        warnings=("read at 150 dpi",),
    ),
    attempts=2,
)


def test_a_page_has_exactly_these_keys() -> None:
    assert json.loads(encode_page(_PAGE)) == {
        "page": 3,
        "status": "ok",
        "error": None,
        "width": 1654,
        "height": 2339,
        "dpi": 200,
        "rotation": 90,
        "skew": -1.235,
        "text_layer": {"used": False, "reason": "letters unmapped"},
        "blocks": [
            {
                "id": "b1",
                "label": "list_item",
                "bbox": [10.0, 20.1, 300.0, 42.0],
                "polygon": [[10.0, 20.0], [300.0, 20.0], [300.0, 42.0], [10.0, 42.0]],
                "order": 0,
                "content": "Пункт",
                "format": "text",
                "confidence": 0.988,
                "source": "ocr",
                "level": None,
                "marker": "2.1.",
                "refinement": {"status": "rejected", "reason": "digits differ", "agreement": 0.512, "attempts": 2, "answer": "Пункт 7"},
                "table": None,
                "lines": [{"bbox": [10.0, 20.0, 300.0, 42.0], "text": "Пункт", "confidence": 0.988}],
                "warnings": ["слабый текст"],
            },
            {
                "id": "b2",
                "label": "table",
                "bbox": [10.0, 60.0, 300.0, 200.0],
                "polygon": [],
                "order": 1,
                "content": '<table>\n<tr><th colspan="2">007</th></tr>\n</table>',
                "format": "html",
                "confidence": None,
                "source": "table_model",
                "level": None,
                "marker": None,
                "refinement": {"status": "not_needed", "reason": "", "agreement": None, "attempts": 0, "answer": None},
                "table": {
                    "rows": 1,
                    "columns": 2,
                    "cells": [
                        {
                            "row": 0,
                            "column": 0,
                            "rowspan": 1,
                            "colspan": 2,
                            "text": "007",
                            "is_header": True,
                            "bbox": [10.0, 60.0, 300.0, 200.0],
                        }
                    ],
                },
                "lines": [],
                "warnings": [],
            },
        ],
        "markdown": '2.1. Пункт\n\n<table>\n<tr><th colspan="2">007</th></tr>\n</table>',
        "images": ["p0003-b07.png"],
        "timings": {"ocr": 0.123},
        "warnings": ["read at 150 dpi"],
        "attempts": 2,
        "image": None,
        "cached": False,
    }


def test_a_failed_page_says_why_and_has_the_same_keys() -> None:
    failed = PageResult(2, error=PageError("page_timed_out", "The page took longer than 60 s."), attempts=2)
    data = json.loads(encode_page(failed))
    assert data.keys() == json.loads(encode_page(_PAGE)).keys()
    assert (data["status"], data["error"]["code"]) == ("failed", "page_timed_out")
    assert (data["blocks"], data["markdown"], data["width"]) == ([], "", None)


def test_a_page_comes_back_from_its_json_but_for_rounding_and_picture_data() -> None:
    once = decode_page(encode_page(_PAGE))
    assert once.analysis is not None
    assert once.analysis.pictures == (Picture("p0003-b07.png", MediaType.PNG, b""),)
    assert once.analysis.blocks[0].marker == "2.1."
    assert decode_page(encode_page(once)) == once
    assert decode_page(encode_page(failed_page(2))) == failed_page(2)


@given(grids())
def test_any_table_comes_back_from_json(table_grid: TableGrid) -> None:
    result = decode_page(encode_page(page(1, replace(table("x"), table=table_grid))))
    assert result.analysis is not None
    assert result.analysis.blocks[0].table == table_grid


@given(st.text())
def test_any_text_can_be_written_even_half_surrogates_and_control_characters(text: str) -> None:
    written = page(1, block(text + "\udc80\x00", lines=(TextLine(BBox(0, 0, 1, 1), text + "\ud800"),)))
    result = decode_page(encode_page(written))
    assert result.analysis is not None
    assert result.analysis.blocks[0].content.endswith("\ufffd")


def test_running_heads_are_in_the_blocks_always_and_in_the_markdown_if_asked_for() -> None:
    result = page(1, block("Шапка", LayoutLabel.HEADER), block("Текст."))
    assert json.loads(encode_page(result))["markdown"] == "Текст."
    assert json.loads(encode_page(result, include_running=True))["markdown"] == "Шапка\n\nТекст."
    assert len(json.loads(encode_page(result))["blocks"]) == 2
