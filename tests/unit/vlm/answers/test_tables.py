"""Tables out of a model's words: OTSL, HTML, pipes, commas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.blocks import ContentFormat, TableGrid
from ocr_service.domain.vlm import FinishReason, VlmAnswer, VlmTask
from ocr_service.outputs import table_html
from ocr_service.vlm.answers.read import read_answer
from ocr_service.vlm.reply import Reply
from tests.unit.outputs.grids import covered, grids, positions


def read(text: str, task: VlmTask = VlmTask.TABLE) -> VlmAnswer:
    return read_answer(task, Reply(text, FinishReason.STOP))


def html(text: str, task: VlmTask = VlmTask.TABLE) -> str:
    answer = read(text, task)
    assert answer.defect == ""
    assert answer.format is ContentFormat.HTML
    assert answer.table is not None
    assert answer.content == table_html.to_html(answer.table)
    return answer.content.replace("\n", "")


def table(*rows: str) -> str:
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


@pytest.mark.parametrize(
    ("otsl", "rows"),
    [
        ("<fcel>A<fcel>B<nl><fcel>1<ecel><nl>", ["<td>A</td><td>B</td>", "<td>1</td><td></td>"]),
        # PaddleX takes the tag after an empty <fcel> for its text.
        ("<fcel>A<fcel><nl><fcel><fcel>B<nl>", ["<td>A</td><td></td>", "<td></td><td>B</td>"]),
        ("<fcel>A<lcel><fcel>C<nl><ucel><xcel><fcel>D<nl>", ['<td rowspan="2" colspan="2">A</td><td>C</td>', "<td>D</td>"]),
        ("<fcel>A<lcel><nl><fcel>B<fcel>C<nl>", ['<td colspan="2">A</td>', "<td>B</td><td>C</td>"]),
        ("<ecel><fcel>B<nl><ucel><fcel>C<nl>", ['<td rowspan="2"></td><td>B</td>', "<td>C</td>"]),
        # A model that says <ucel> or <lcel> inside of a merged block means <xcel>.
        ("<fcel>A<lcel><nl><ucel><lcel><nl>", ['<td rowspan="2" colspan="2">A</td>', ""]),
        # The last line end may be missing; a line end too many is no row.
        ("<fcel>A<nl><nl><fcel>B", ["<td>A</td>", "<td>B</td>"]),
        # Merges that lead nowhere, and text behind a merge.
        ("<lcel><fcel>A<nl><fcel>B<ucel>C<nl>", ["<td></td><td>A</td>", "<td>B</td><td>C</td>"]),
        ("<ucel><fcel>A<nl><xcel><fcel>B<nl>", ["<td></td><td>A</td>", "<td></td><td>B</td>"]),
        # Ragged rows: most rows say two columns; the empty third is cut, the missing second is filled up.
        ("<fcel>A<fcel>B<ecel><nl><fcel>C<fcel>D<nl><fcel>E<nl>", ["<td>A</td><td>B</td>", "<td>C</td><td>D</td>", "<td>E</td><td></td>"]),
        # Text is never cut, even if only one row has it.
        ("<fcel>A<nl><fcel>B<nl><fcel>C<fcel>D<nl>", ["<td>A</td><td></td>", "<td>B</td><td></td>", "<td>C</td><td>D</td>"]),
        ("<fcel>a<br>b <b> &<nl>", ["<td>a<br>b &lt;b&gt; &amp;</td>"]),
        ("```html\n<fcel>A<nl>\n```", ["<td>A</td>"]),
        (r"<fcel>$5 \(x\)<nl>", ["<td>$5 $x$</td>"]),
        # A figure's mark is text like any other: a document may hold it.
        ("<fcel>[F2]<nl>", ["<td>[F2]</td>"]),
    ],
)
def test_otsl_becomes_html_with_spans(otsl: str, rows: list[str]) -> None:
    assert html(otsl) == table(*rows)


@pytest.mark.parametrize(
    ("markup", "rows"),
    [
        ("<table><tr><td>A</td><td>B</td></tr></table>", ["<td>A</td><td>B</td>"]),
        ("<html><body><table border=1><tr><th colspan='2'>A</th></tr><tr><td>1<td>2</table></body></html>",
         ['<th colspan="2">A</th>', "<td>1</td><td>2</td>"]),
        ('<table><tr><td rowspan="2">A</td><td>B</td></tr><tr><td>C</td></tr></table>', ['<td rowspan="2">A</td><td>B</td>', "<td>C</td>"]),
        ("<table><thead><tr><td>A</td></tr></thead><tbody><tr><td>5 &lt; 6 < 7</td></tr></tbody></table>",
         ["<th>A</th>", "<td>5 &lt; 6 &lt; 7</td>"]),
        ("<table><tr><td>a<br/>b</td><td><b>c</b><sup>2</sup></td></tr></table>", ["<td>a<br>b</td><td>c2</td>"]),
        # Nothing that a browser would run or fetch is left; what is no table's tag is the text that it is.
        ("<table><tr><td onclick='x()'>A<img src=x onerror=y></td><td><script>z</script></td></tr></table>",
         ["<td>A</td><td>&lt;script&gt;z&lt;/script&gt;</td>"]),
    ],
)  # fmt: skip
def test_html_becomes_plain_html(markup: str, rows: list[str]) -> None:
    assert html(markup) == table(*rows)


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("<nl><nl>", "no table"),
        ("<ecel><ecel><nl><ecel><ecel><nl>", "empty"),
        ("just words", "no table"),
        ("Hello, world\nfoo, bar", "no table"),
        ("Table 1 <fcel>A<nl>", "text outside of the table"),
        ("<fcel>A<nl>note<fcel>B<nl>", "text outside of the table"),
        ("<table><tr><td>A</td>", "unbalanced table"),
        ("<tr><td>A</td></tr>", "unbalanced table"),
        ("<table><tr><td><table><tr><td>A</td></tr></table></td></tr></table>", "unbalanced table"),
        ("</table><table><tr><td>A</td></tr>", "unbalanced table"),
        ("<table><tr><td>A</td></tr></table><table><tr><td>B</td></tr></table>", "more than one table"),
        ("Table 1<table><tr><td>A</td></tr></table>", "text outside of the table"),
        ("<table></table><tr><td>A</td></tr>", "text outside of the table"),
        (r"<fcel>\(x<nl>", "unbalanced formula"),
        ("<fcel>A<|LOC_12|><nl>", "markup of another task"),
        ("<fcel>" * 400 + "<nl>" + "<fcel>1<nl>" * 400, "no table"),
        ("<fcel>1" * 8000, "too long"),
    ],
)
def test_what_is_no_whole_table_says_why(text: str, defect: str) -> None:
    answer = read(text)
    assert answer.defect == defect
    assert answer.table is None
    assert answer.raw == text


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Year | Sales\n2023 | 1,5\n2024 | 2", ["<th>Year</th><th>Sales</th>", "<td>2023</td><td>1,5</td>", "<td>2024</td><td>2</td>"]),
        ("| A | B |\n|---|:-:|\n| 1 | a\\|b |", ["<th>A</th><th>B</th>", "<td>1</td><td>a|b</td>"]),
        ("A|B\n1|", ["<th>A</th><th>B</th>", "<td>1</td><td></td>"]),
        ("A|B\n1", None),
        ('Year,Sales\n2023,"1,5"', ["<th>Year</th><th>Sales</th>", "<td>2023</td><td>1,5</td>"]),
        ("Год;Сумма\n2023;1,5\n2024;2,5", ["<th>Год</th><th>Сумма</th>", "<td>2023</td><td>1,5</td>", "<td>2024</td><td>2,5</td>"]),
        ("A\tB\n1\t2", ["<th>A</th><th>B</th>", "<td>1</td><td>2</td>"]),
        ("A,B\n1,2,3", None),
        ('A,B\n1,"2', None),
        ("<fcel>A<nl>", ["<td>A</td>"]),
        ("one line", None),
    ],
)
def test_a_chart_is_a_table_with_a_head(text: str, rows: list[str] | None) -> None:
    if rows is None:
        assert read(text, VlmTask.CHART).defect == "no table"
    else:
        assert html(text, VlmTask.CHART) == table(*rows)


TAGS = st.sampled_from(["<fcel>", "<ecel>", "<lcel>", "<ucel>", "<xcel>", "<nl>", "a", " ", "12", "<br>"])
MARKUP = st.sampled_from(
    ["<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<th>", '<td rowspan="3">', "<td colspan=1000>", "<td rowspan=0>", "<thead>",
     "</thead>", "x", "<", "&", "&lt;", "<!--", "<![", "<td x='", "<p>", "<script>"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(TAGS).map("".join), st.lists(MARKUP).map("".join), st.lists(MARKUP).map("<table>{}".format)))
def test_whatever_a_model_says_the_grid_covers_every_position_once(text: str) -> None:
    for task in (VlmTask.TABLE, VlmTask.CHART):
        answer = read(text, task)
        if answer.table is not None:
            assert covered(answer.table) == positions(answer.table)
            assert answer.table.rows * answer.table.columns > 0
        assert (answer.table is None) == (answer.defect != "")


@given(st.lists(TAGS, min_size=1).map("".join))
def test_otsl_loses_no_text(text: str) -> None:
    answer = read(text)
    if answer.table is not None:
        said = text
        for tag in ("<fcel>", "<ecel>", "<lcel>", "<ucel>", "<xcel>", "<nl>", "<br>"):
            said = said.replace(tag, " ")
        kept = " ".join(cell.text for cell in answer.table.cells)
        assert sorted(kept.replace(" ", "").replace("\n", "")) == sorted(said.replace(" ", ""))


def as_otsl(grid: TableGrid) -> str:
    tags = {}
    for cell in grid.cells:
        for down in range(cell.rowspan):
            for right in range(cell.colspan):
                tags[cell.row + down, cell.column + right] = "<xcel>" if down and right else "<ucel>" if down else "<lcel>"
        tags[cell.row, cell.column] = f"<fcel>{cell.text}" if cell.text else "<ecel>"
    return "".join("".join(tags[row, column] for column in range(grid.columns)) + "<nl>" for row in range(grid.rows))


@given(grids())
def test_a_grid_survives_being_said_in_otsl(grid: TableGrid) -> None:
    answer = read(as_otsl(grid))
    cells = [(cell.row, cell.column, cell.rowspan, cell.colspan, " ".join(cell.text.split())) for cell in grid.cells]
    if not any(text for *_, text in cells):
        assert answer.defect == "empty"
        return
    assert answer.table is not None
    assert (answer.table.rows, answer.table.columns) == (grid.rows, grid.columns)
    assert [(cell.row, cell.column, cell.rowspan, cell.colspan, " ".join(cell.text.split())) for cell in answer.table.cells] == cells
