"""Faults of the library as it is today, and that none of them costs a page. Each test shows the fault first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ocr_service.domain.blocks import LayoutLabel
from ocr_service.domain.errors import PageFailed
from ocr_service.engines.structure_v3.blocks import PageContext, blocks_of
from ocr_service.engines.structure_v3.pipeline import StructurePipeline
from tests.paddle.pages import CASES, DPI, TABLE
from tests.paddle.record import make_pipeline
from tests.paddle.stub_models import build

CASE = CASES["nested_tables"]
TABLE_PAGE = CASES["wireless"].script


def upstream(pipeline: StructurePipeline) -> object:
    """What the library answers when it is asked plainly."""
    return pipeline._pipeline.predict(np.ascontiguousarray(CASE.rgb()[:, :, ::-1]))


def cell_texts(pipeline: StructurePipeline) -> tuple[list[list[str]], tuple[str, ...]]:
    """The texts of the page's only table, and the page's warnings."""
    page, warnings = pipeline(CASE.rgb(), find_orientation=True)
    (table,) = (block for block in blocks_of(page, PageContext(CASE.gray(), DPI)) if block.label is LayoutLabel.TABLE)
    assert table.table is not None
    return [[cell.text for cell in table.table.cells if cell.row == row] for row in range(table.table.rows)], warnings


def test_a_ruled_table_without_a_sure_cell_costs_no_page(models: Path) -> None:
    pipeline = make_pipeline(build(models, replace(TABLE_PAGE, table_kind="wired_table", cell_score=0.1)))
    with pytest.raises(IndexError):
        upstream(pipeline)
    texts, warnings = cell_texts(pipeline)
    assert texts == TABLE
    assert "structure model alone" in warnings[0]


def test_a_kind_of_table_that_the_library_does_not_know_costs_no_page(models: Path) -> None:
    kinds = ("wired_table", "striped_table")
    pipeline = make_pipeline(build(models, replace(TABLE_PAGE, table_kinds=kinds, table_kind="striped_table")))
    with pytest.raises(UnboundLocalError):
        upstream(pipeline)
    texts, warnings = cell_texts(pipeline)
    assert texts == TABLE
    assert "found by their lines and gaps" in warnings[0]


def test_a_page_that_nothing_helps_fails_alone_and_the_next_one_is_read(models: Path) -> None:
    pipeline = make_pipeline(build(models, CASES["blank"].script))
    gray = CASE.gray()
    with pytest.raises(ValueError, match="not enough values"):  # the library takes no grey picture
        pipeline._pipeline.predict(gray)
    with pytest.raises(PageFailed, match="could not be read"):
        pipeline(np.zeros((0, 0, 3), np.uint8), find_orientation=True)
    page, warnings = pipeline(CASES["blank"].rgb(), find_orientation=True)
    assert (page.blocks, warnings) == ([], ())


def test_the_page_is_neither_unwarped_nor_drawn_upon(models: Path) -> None:
    """Upstream unwarps every page unless told not to, and wipes recognised formulas out of the picture it was given."""
    case = CASES["report"]
    pipeline = make_pipeline(build(models, case.script))
    rgb = case.rgb()
    page, _ = pipeline(rgb, find_orientation=True)
    assert (rgb == case.rgb()).all()
    assert page.blocks[0].box == pytest.approx([142, 101, 1047, 185], abs=2)
