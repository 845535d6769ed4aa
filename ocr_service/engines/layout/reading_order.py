"""In which order the regions of a page are read: a recursive X-Y cut.

A cut never goes through a region. Columns are cut first where they run beside each other over the whole of what is being ordered, so
that two columns are read one after the other even where their paragraphs happen to end at the same height; bands one under
another are cut next. What can be cut no more is read by height, then from left to right.
"""

from __future__ import annotations

from collections.abc import Sequence

from ocr_service.domain.geometry import BBox

_TOLERANCE = 3.0
# Of the width of its column: the end of a column is a paragraph or its last lines.
_COLUMN_SHARE = 0.6


def reading_order(boxes: Sequence[BBox]) -> list[int]:
    """Indices of the boxes in reading order."""
    return _ordered(list(range(len(boxes))), boxes)


def _ordered(indices: list[int], boxes: Sequence[BBox]) -> list[int]:
    if len(indices) < 2:
        return indices
    columns = _cut(indices, boxes, axis=0)
    if len(columns) > 1:
        return [index for column in columns for index in _ordered(column, boxes)]
    bands = _cut(indices, boxes, axis=1)
    if len(bands) > 1:
        return [index for band in _united(bands, boxes) for index in _ordered(band, boxes)]
    return sorted(indices, key=lambda index: (boxes[index].y0, boxes[index].x0))


def _cut(indices: Sequence[int], boxes: Sequence[BBox], axis: int) -> list[list[int]]:
    """Groups that do not overlap along the axis (0: x, 1: y), in its direction."""
    groups: list[list[int]] = []
    end = float("-inf")
    for index in sorted(indices, key=lambda item: boxes[item][axis]):
        start, stop = boxes[index][axis], boxes[index][axis + 2]
        if groups and start < end - _TOLERANCE:
            groups[-1].append(index)
        else:
            groups.append([index])
        end = max(end, stop)
    return groups


def _united(bands: list[list[int]], boxes: Sequence[BBox]) -> list[list[int]]:
    """Neighbouring bands that share columns become one: their columns are read through, not band by band.

    What stands below one column alone is that column's end, because columns are seldom equally long, if it is about as wide as
    the column; a heading over what comes below is not.
    """
    united = [list(bands[0])]
    for band in bands[1:]:
        joined = united[-1] + band
        columns = _cut(united[-1], boxes, 0)
        shares = len(columns) > 1 and len(_cut(joined, boxes, 0)) == len(columns)
        if shares and (len(_cut(band, boxes, 0)) > 1 or _goes_on(band, columns, boxes)):
            united[-1] = joined
        else:
            united.append(list(band))
    # One band holding everything would be cut in the same way for ever.
    return united if len(united) > 1 else [list(band) for band in bands]


def _goes_on(band: Sequence[int], columns: Sequence[Sequence[int]], boxes: Sequence[BBox]) -> bool:
    """Whether the band lies below one of the columns and fills it."""
    own = BBox.around(boxes[index] for index in band)
    over = [BBox.around(boxes[index] for index in column) for column in columns]
    return any(
        column.x0 - _TOLERANCE <= own.x0 and own.x1 <= column.x1 + _TOLERANCE and own.width > _COLUMN_SHARE * column.width
        for column in over
    )
