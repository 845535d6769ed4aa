"""Random tables with spans."""

from __future__ import annotations

from hypothesis import strategies as st

from ocr_service.domain.blocks import TableCell, TableGrid

CELL_TEXTS = st.text(alphabet="аяAZ09 <>&\"'|=@+-*`#\n.,;/_$", max_size=12)


@st.composite
def grids(draw: st.DrawFn, max_side: int = 6) -> TableGrid:
    """A grid in which cells of random size cover every position once."""
    rows, columns = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    taken: set[tuple[int, int]] = set()
    cells = []
    for row in range(rows):
        for column in range(columns):
            if (row, column) in taken:
                continue
            colspan = draw(st.integers(1, 3))
            while any((row, column + right) in taken or column + right >= columns for right in range(colspan)):
                colspan -= 1
            rowspan = min(draw(st.integers(1, 3)), rows - row)
            taken |= {(row + down, column + right) for down in range(rowspan) for right in range(colspan)}
            cells.append(TableCell(row, column, draw(CELL_TEXTS), rowspan, colspan, draw(st.booleans())))
    return TableGrid(rows, columns, tuple(cells))


def covered(grid: TableGrid) -> list[tuple[int, int]]:
    """Every position that a cell covers, as often as it does."""
    return sorted(
        (cell.row + down, cell.column + right) for cell in grid.cells for down in range(cell.rowspan) for right in range(cell.colspan)
    )


def positions(grid: TableGrid) -> list[tuple[int, int]]:
    return [(row, column) for row in range(grid.rows) for column in range(grid.columns)]
