"""Head cells over several columns, of which only the text's place, or a short rule under it, tells how many."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.words import Word

Spans = dict[tuple[int, int], list[Word]]
_OFF_CENTRE = 0.2  # of the span's width that the text's middle may be off the span's


def widened(spans: Spans, columns: int, bounds: Sequence[float], rules: Sequence[tuple[float, float, float]]) -> Spans:
    """The row's cells, each filled one taking in the empty ones beside it that it stands over."""
    empty = {first for (first, last), words in spans.items() if not words and first == last}
    result: Spans = {}
    for span, words in sorted(spans.items(), key=lambda item: not item[1]):
        if words:
            wide = _ruled(span, words, bounds, rules, empty) or _centred(span, words, bounds, empty)
            result[wide] = words
            empty -= set(range(wide[0], wide[1] + 1))
    for column in range(columns):
        if not any(first <= column <= last for first, last in result):
            result[column, column] = []
    return result


def _reachable(span: tuple[int, int], empty: set[int]) -> tuple[int, int]:
    first, last = span
    while first - 1 in empty and first > 1:
        first -= 1
    while last + 1 in empty:
        last += 1
    return first, last


def _ruled(
    span: tuple[int, int], words: Sequence[Word], bounds: Sequence[float], rules: Sequence[tuple[float, float, float]], empty: set[int]
) -> tuple[int, int] | None:
    """The columns over a short rule that lies close under the text."""
    box = BBox.around(word.bbox for word in words)
    under = [rule for rule in rules if 0 <= rule[2] - box.y1 < 2 * box.height and rule[0] <= box.center.x <= rule[1]]
    if not under:
        return None
    left, right, _ = min(under, key=lambda rule: rule[2])
    low, high = _reachable(span, empty)
    middles = [(a + b) / 2 for a, b in itertools.pairwise(bounds)]
    over = [column for column in range(low, high + 1) if left <= middles[column] <= right]
    return (min(*over, span[0]), max(*over, span[1])) if over else None


def _centred(span: tuple[int, int], words: Sequence[Word], bounds: Sequence[float], empty: set[int]) -> tuple[int, int]:
    """The widest run of columns in whose middle the text stands, if the text is not in the middle of its own."""
    middle = BBox.around(word.bbox for word in words).center.x
    low, high = _reachable(span, empty)

    def off(first: int, last: int) -> float:
        return abs((bounds[first] + bounds[last + 1]) / 2 - middle) / (bounds[last + 1] - bounds[first])

    if span[0] == 0 or off(*span) <= _OFF_CENTRE:
        return span
    runs = [(first, last) for first in range(low, span[0] + 1) for last in range(span[1], high + 1) if off(first, last) <= _OFF_CENTRE / 2]
    return max(runs, key=lambda run: run[1] - run[0], default=span)
