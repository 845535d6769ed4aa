"""Columns that the layout model tore off a table."""

from __future__ import annotations

import pytest

from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.regions import Region
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.words import Word
from ocr_service.engines.tables.torn import widened

PITCH, HEIGHT = 40, 24
TABLE = Region("table", BBox(100, 100, 700, 400))
COLUMN = Region("text", BBox(800, 105, 1200, 395))
WHOLE = BBox(100, 100, 1200, 400)


def line(text: str, x: float, y: float) -> PageLine:
    box = BBox(x, y, x + 300, y + HEIGHT)
    return PageLine(box, (Word(box, text, 0.9),), 22, confidence=0.9)


def rows(texts: list[str], x: float, shift: float = 0, pitch: float = PITCH) -> list[PageLine]:
    return [line(text, x, 110 + pitch * index + shift) for index, text in enumerate(texts)]


NAMES = rows(["Показатель", "Доход", "Расход", "Налог", "Итого", "Остаток", "Прочее"], 120)
FIGURES = ["2025", "1 204,5", "980,1", "88,0", "136,4", "12,7", "0,3"]
PROSE = ["Доход вырос и", "расход тоже стал", "больше, чем был", "год назад, хотя", "налог прежний;", "остаток меньше,", "чем ожидали."]


@pytest.mark.parametrize("shift", [-8, 0, 8])
def test_figures_on_the_rows_of_a_table_belong_to_it(shift: float) -> None:
    assert [table.bbox for table in widened([TABLE], [COLUMN], [*NAMES, *rows(FIGURES, 820, shift)])] == [WHOLE]


def test_a_column_to_the_left_belongs_to_it_too() -> None:
    left = Region("text", COLUMN.bbox._replace(x0=0, x1=90))
    figures = rows(FIGURES, -150)
    assert [table.bbox for table in widened([TABLE], [left], [*NAMES, *figures])] == [BBox(0, 100, 700, 400)]


def test_prose_on_the_same_rows_does_not() -> None:
    assert widened([TABLE], [COLUMN], [*NAMES, *rows(PROSE, 820)]) == [TABLE]


@pytest.mark.parametrize(("shift", "pitch"), [(PITCH / 2, PITCH), (0, 52)])
def test_figures_between_the_rows_or_at_another_pitch_do_not(shift: float, pitch: float) -> None:
    assert widened([TABLE], [COLUMN], [*NAMES, *rows(FIGURES[:6], 820, shift, pitch)]) == [TABLE]


@pytest.mark.parametrize("region", [COLUMN.bbox._replace(y1=250), COLUMN.bbox._replace(x0=650), COLUMN.bbox._replace(y0=420, y1=700)])
def test_a_region_that_does_not_stand_beside_the_whole_table_does_not(region: BBox) -> None:
    assert widened([TABLE], [Region("text", region)], [*NAMES, *rows(FIGURES, 820)]) == [TABLE]


def test_three_rows_say_too_little() -> None:
    table, column = (Region(region.kind, region.bbox._replace(y1=225)) for region in (TABLE, COLUMN))
    assert widened([table], [column], [*NAMES[:3], *rows(FIGURES[:3], 820)]) == [table]
