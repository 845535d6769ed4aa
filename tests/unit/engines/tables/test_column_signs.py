from __future__ import annotations

from ocr_service.domain.blocks import TableCell, TableGrid
from ocr_service.engines.tables.column_signs import with_column_signs


def grid(*columns: tuple[str, ...], head: str = "Сумма") -> TableGrid:
    """A table of these columns, each below the same head."""
    texts = [(head, *column) for column in columns]
    places = [(row, column) for row in range(len(texts[0])) for column in range(len(texts))]
    return TableGrid(len(texts[0]), len(texts), tuple(TableCell(row, column, texts[column][row]) for row, column in places))


def column(found: TableGrid, place: int) -> tuple[str, ...]:
    return tuple(cell.text for cell in found.cells if cell.column == place and cell.row)


def test_a_column_of_amounts_has_one_sign() -> None:
    found = with_column_signs(grid(("22 080.00", "4 416,00", "(155.00)", "1 986 230,50")))
    assert column(found, 0) == ("22 080,00", "4 416,00", "(155,00)", "1 986 230,50")


def test_what_is_no_amount_and_columns_without_a_comma_stay() -> None:
    other = ("19.02.24", "1.10", "101.00", "2.5")
    found = with_column_signs(grid(other, ("7,50", "12.50", "1.5", "11.06.2024")))
    assert column(found, 0) == other
    assert column(found, 1) == ("7,50", "12,50", "1.5", "11.06.2024")


def test_one_comma_among_many_points_is_dirt() -> None:
    amounts = ("100.00", "200.00", "300.00", "400,00", "500.00")
    assert column(with_column_signs(grid(amounts)), 0) == amounts


def test_a_table_without_russian_words_keeps_its_points() -> None:
    amounts = ("9,90", "29.70", "3.14")
    assert column(with_column_signs(grid(amounts, head="Ratio")), 0) == amounts


def test_a_rate_among_rates_has_its_sign() -> None:
    found = with_column_signs(grid(("20%", "2096", "20%6", "10%", "без НДС"), ("2096", "1 096", "5", "96", "")))
    assert column(found, 0) == ("20%", "20%", "20%", "10%", "без НДС")
    assert column(found, 1) == ("2096", "1 096", "5", "96", "")


def test_a_number_that_is_no_rate_of_its_column_stays() -> None:
    texts = ("20%", "1%", "19%", "1896", "96")
    assert column(with_column_signs(grid(texts)), 0) == texts
