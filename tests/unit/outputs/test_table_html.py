"""Tables as HTML, there and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.blocks import TableCell, TableGrid
from ocr_service.outputs.table_html import from_html, to_html
from tests.unit.outputs.blocks import grid
from tests.unit.outputs.grids import covered, grids, positions


def _squeezed(table: TableGrid) -> TableGrid:
    """White space does not survive HTML, and a row in which nothing begins has no place for a column."""
    cells = []
    for cell in table.cells:
        lines = (" ".join(line.split()) for line in cell.text.splitlines())
        cells.append(replace(cell, text="\n".join(line for line in lines if line)))
    return replace(table, cells=tuple(cells))


@given(grids())
def test_any_table_comes_back_from_its_html(table: TableGrid) -> None:
    assert from_html(to_html(table)) == _squeezed(table)


@given(st.lists(st.lists(st.tuples(st.sampled_from(["td", "th"]), st.integers(-1, 5), st.integers(-1, 5)), max_size=5), max_size=6))
def test_whatever_spans_are_claimed_every_position_is_covered_once(rows: list[list[tuple[str, int, int]]]) -> None:
    markup = "".join(
        "<tr>" + "".join(f'<{tag} rowspan="{down}" colspan={right}>x</{tag}>' for tag, down, right in row) + "</tr>" for row in rows
    )
    table = from_html(f"<table>{markup}</table>")
    if table is None:
        assert not any(rows)
    else:
        assert covered(table) == positions(table)


@given(st.text(alphabet="<>/table rd hspan=\"'&;!-x1\n", max_size=200))
def test_no_markup_breaks_the_reader(markup: str) -> None:
    table = from_html(f"<table>{markup}")
    assert table is None or covered(table) == positions(table)


def test_the_markup_is_minimal_and_escaped() -> None:
    cells = (
        TableCell(0, 0, "Итого <b> & «всего»", colspan=2, is_header=True),
        TableCell(1, 0, "две\nстроки", rowspan=2),
        TableCell(1, 1, "1"),
        TableCell(2, 1, "=2"),
    )
    assert to_html(TableGrid(3, 2, cells)) == (
        "<table>\n"
        '<tr><th colspan="2">Итого &lt;b&gt; &amp; «всего»</th></tr>\n'
        '<tr><td rowspan="2">две<br>строки</td><td>1</td></tr>\n'
        "<tr><td>=2</td></tr>\n"
        "</table>"
    )


def test_head_and_body_sections_and_surrounding_text_are_understood() -> None:
    table = "<table border=1><thead><tr><td>а</td><td>б</td></tr></thead><tbody>\n<tr><td>1<td>2</tbody></table>"
    markup = f"Ответ:\n{table} ещё <table><tr><td>x</table>"
    assert from_html(markup) == grid("а|б", "1|2", header_rows=1)


@pytest.mark.parametrize("markup", ["", "текст", "<table></table>", "<table><tr></tr></table>", "<td>x</td>"])
def test_no_table_is_no_table(markup: str) -> None:
    assert from_html(markup) is None


def test_a_table_of_absurd_size_is_refused() -> None:
    row = "<tr>" + '<td colspan="1000">x</td>' * 2 + "</tr>"
    assert from_html(f"<table>{row * 100}</table>") is None
