from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import arrays

from ocr_service.engines.tables.cells import Span, compact, merge_units

SHAPE = (4, 5)


@given(arrays(bool, (SHAPE[0] + 1, SHAPE[1])), arrays(bool, (SHAPE[0], SHAPE[1] + 1)))
def test_whatever_is_drawn_the_cells_are_rectangles_that_cover_the_grid_once(below: np.ndarray, beside: np.ndarray) -> None:
    places = [
        (row, column)
        for span in merge_units(below, beside)
        for row in range(span.row, span.row + span.rowspan)
        for column in range(span.column, span.column + span.colspan)
    ]
    assert sorted(places) == [(row, column) for row in range(SHAPE[0]) for column in range(SHAPE[1])]


@given(arrays(bool, (SHAPE[0] + 1, SHAPE[1])), arrays(bool, (SHAPE[0], SHAPE[1] + 1)))
def test_compact_cells_cover_a_grid_in_which_every_row_and_column_begins_a_cell(below: np.ndarray, beside: np.ndarray) -> None:
    spans = compact(merge_units(below, beside))
    rows, columns = max(span.row + span.rowspan for span in spans), max(span.column + span.colspan for span in spans)
    assert {span.row for span in spans} == set(range(rows))
    assert {span.column for span in spans} == set(range(columns))
    assert sum(span.rowspan * span.colspan for span in spans) == rows * columns


def test_a_cell_in_the_shape_of_an_l_becomes_its_rectangle() -> None:
    below, beside = np.ones((3, 2), bool), np.ones((2, 3), bool)
    below[1, 0] = beside[0, 1] = False
    assert merge_units(below, beside) == [Span(0, 0, 2, 2)]
