from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.reading_order import reading_order


def test_one_column_is_read_from_top_to_bottom() -> None:
    boxes = [BBox(0, 200, 100, 280), BBox(0, 0, 100, 80), BBox(0, 100, 60, 180)]
    assert reading_order(boxes) == [1, 2, 0]


def test_columns_under_a_title_are_read_one_after_the_other() -> None:
    title = BBox(0, 0, 210, 40)
    left = [BBox(0, 60, 100, 120), BBox(0, 130, 100, 260)]
    right = [BBox(110, 60, 210, 150), BBox(110, 160, 210, 240)]
    assert reading_order([title, *right, *left]) == [0, 3, 4, 1, 2]


def test_columns_are_read_through_even_where_their_paragraphs_end_at_the_same_height() -> None:
    left = [BBox(0, 0, 100, 100), BBox(0, 110, 100, 200)]
    right = [BBox(110, 0, 210, 100), BBox(110, 110, 210, 200)]
    top = BBox(0, -60, 210, -20)
    assert reading_order([top, left[0], right[0], left[1], right[1]]) == [0, 1, 3, 2, 4]


def test_a_picture_over_both_columns_parts_what_is_above_from_what_is_below() -> None:
    above = [BBox(0, 0, 100, 100), BBox(110, 0, 210, 100)]
    picture = BBox(0, 110, 210, 200)
    below = [BBox(0, 210, 100, 300), BBox(110, 210, 210, 300)]
    assert reading_order([*below, picture, *above]) == [3, 4, 2, 0, 1]


def test_three_columns_are_read_from_left_to_right() -> None:
    boxes = [BBox(x, y, x + 90, y + 90) for x in (200, 0, 100) for y in (100, 0)]
    assert reading_order(boxes) == [3, 2, 5, 4, 1, 0]


@pytest.mark.parametrize("longer", ["left", "right"])
def test_the_end_of_the_longer_column_is_read_with_its_column(longer: str) -> None:
    left = [BBox(0, 0, 100, 90), BBox(0, 100, 100, 190)]
    right = [BBox(110, 0, 210, 90), BBox(110, 100, 210, 190)]
    end = BBox(0, 200, 80, 240) if longer == "left" else BBox(110, 200, 190, 240)
    order = [0, 1, 4, 2, 3] if longer == "left" else [0, 1, 2, 3, 4]
    assert reading_order([*left, *right, end]) == order


def test_a_heading_below_columns_is_not_the_end_of_one() -> None:
    left, right = BBox(0, 0, 100, 90), BBox(110, 0, 210, 90)
    assert reading_order([left, right, BBox(0, 100, 40, 115), BBox(0, 120, 210, 200)]) == [0, 1, 2, 3]


def test_boxes_that_touch_a_little_are_still_parted() -> None:
    assert reading_order([BBox(0, 98, 100, 200), BBox(0, 0, 100, 100)]) == [1, 0]


@pytest.mark.parametrize("boxes", [[], [BBox(0, 0, 1, 1)]])
def test_nothing_and_one_region_are_in_order(boxes: list[BBox]) -> None:
    assert reading_order(boxes) == list(range(len(boxes)))


_SIDES = st.integers(0, 400)
_LENGTHS = st.integers(10, 400)
_BOXES = st.lists(st.builds(lambda x, y, w, h: BBox(x, y, x + w, y + h), _SIDES, _SIDES, _LENGTHS, _LENGTHS), max_size=25)


@given(_BOXES)
def test_every_region_is_read_exactly_once(boxes: list[BBox]) -> None:
    assert sorted(reading_order(boxes)) == list(range(len(boxes)))


@given(_BOXES.flatmap(lambda boxes: st.tuples(st.just(boxes), st.permutations(boxes))))
def test_the_order_does_not_depend_on_the_order_of_finding(found: tuple[list[BBox], list[BBox]]) -> None:
    """Regions that begin at the very same point are left out: which of them comes first is open."""
    corners = [(box.x0, box.y0) for box in found[0]]
    first, second = ([box for box in boxes if corners.count((box.x0, box.y0)) == 1] for boxes in found)
    assert [second[index] for index in reading_order(second)] == [first[index] for index in reading_order(first)]
