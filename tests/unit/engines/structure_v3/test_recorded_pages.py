"""The adapter on what the real PP-StructureV3 found on drawn pages (tests/paddle/record.py), among it what the library itself loses."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, Source
from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.words import Word
from ocr_service.engines.structure_v3.blocks import PageContext, blocks_of
from ocr_service.engines.structure_v3.raw import RawPage
from tests.paddle.pages import CASES, DPI, HEIGHT, PARAGRAPH, TABLE, WIDTH

RECORDINGS = Path(__file__).parents[3] / "data" / "structure_v3"


def recording(name: str) -> RawPage:
    return msgspec.json.decode((RECORDINGS / f"{name}.json").read_bytes(), type=RawPage)


def blocks(name: str, layer: list[PageLine] | None = None) -> list[Block]:
    return list(blocks_of(recording(name), PageContext(CASES[name].gray(), DPI, layer)))


def cell_texts(block: Block) -> list[list[str]]:
    assert block.table is not None
    return [[cell.text for cell in block.table.cells if cell.row == row] for row in range(block.table.rows)]


def everything(found: list[Block]) -> str:
    texts = [block.content for block in found if block.format is ContentFormat.TEXT]
    texts += [cell.text for block in found if block.table is not None for cell in block.table.cells]
    return " ".join(texts)


def test_every_case_is_recorded() -> None:
    assert {path.stem for path in RECORDINGS.glob("*.json")} == set(CASES)


def test_blocks_come_with_labels_and_content_in_the_library_s_order() -> None:
    found = blocks("report")
    labels = ["doc_title", "text", "table", "image", "number"]
    assert [block.label for block in found] == labels
    assert [block.order for block in found] == list(range(len(labels)))
    assert len({block.id for block in found}) == len(labels)
    assert found[0].content == "A Report on Small Things"
    assert found[0].level == 1
    assert found[1].content == " ".join(PARAGRAPH)
    assert found[4].content == "7"


def test_a_block_keeps_its_lines_with_scores_as_evidence() -> None:
    text = blocks("report")[1]
    assert [line.text for line in text.lines] == PARAGRAPH
    assert all(line.confidence is not None and 0.9 < line.confidence <= 1 for line in text.lines)
    assert text.source is Source.OCR
    assert text.confidence is not None
    assert text.confidence > 0.9


def test_a_table_has_its_cells_with_spans_and_boxes() -> None:
    table = blocks("report")[2]
    assert table.source is Source.TABLE_MODEL
    assert table.format is ContentFormat.HTML
    assert cell_texts(table) == [["Fruit of this season and what it costs"], *TABLE[1:]]
    assert table.table is not None
    head = table.table.cells[0]
    assert (head.colspan, head.rowspan, head.is_header) == (3, 1, True)
    boxes = [cell.bbox for cell in table.table.cells]
    assert all(box is not None for box in boxes)
    assert head.bbox is not None
    assert head.bbox.width == pytest.approx(table.bbox.width, abs=2)


def test_boxes_are_those_of_the_upright_page_on_a_page_that_lay_on_its_side() -> None:
    page = recording("turned")
    assert (page.angle, page.width, page.height) == (90, WIDTH * 2, HEIGHT * 2)
    upright, turned = blocks("report"), blocks("turned")
    assert [block.label for block in turned] == [block.label for block in upright]
    assert turned[1].content == upright[1].content
    for left, right in zip(upright, turned, strict=True):
        assert left.bbox == pytest.approx(right.bbox, abs=6)


def test_a_seal_that_the_library_drops_because_it_lies_on_text_is_a_block() -> None:
    assert "seal" not in [block.label for block in recording("stamped").blocks]
    found = blocks("stamped")
    assert [block.label for block in found] == [LayoutLabel.TEXT, LayoutLabel.SEAL, LayoutLabel.TEXT]
    # And it takes no line away from the text under it.
    assert [line.text.replace(",and", ", and") for line in found[0].lines] == PARAGRAPH
    assert found[1].format is ContentFormat.IMAGE


def test_a_line_outside_of_all_regions_is_a_block_in_its_place() -> None:
    assert "no region" not in " ".join(block.content for block in recording("stamped").blocks)
    assert blocks("stamped")[2].content == "This line is in no region at all."


def test_a_table_gets_its_own_cells_where_the_library_gives_it_those_of_a_dropped_one() -> None:
    page = recording("nested_tables")
    assert "<td>Weight</td>" not in page.blocks[0].content  # the trap
    (table,) = blocks("nested_tables")
    assert cell_texts(table) == TABLE


def test_lines_that_the_table_model_forgot_are_put_into_the_cells_they_touch() -> None:
    page = recording("missing_row")
    assert "Apple" not in page.blocks[0].content  # the trap
    (table,) = blocks("missing_row")
    assert cell_texts(table) == [["Name", "Weight", "Price"], ["Apple\nMelon", "120\n900", "3.50\n7.25"]]
    assert "left out 3 lines" in table.warnings[0]


def test_a_table_without_rulings_has_cells_with_boxes_too() -> None:
    (table,) = blocks("wireless")
    assert cell_texts(table) == TABLE
    assert table.table is not None
    assert all(cell.bbox is not None for cell in table.table.cells)


def test_labels_of_models_to_come_are_treated_as_the_nearest_with_a_warning() -> None:
    note, table, photo = blocks("unknown_labels")
    assert (note.label, table.label, photo.label) == (LayoutLabel.TEXT, LayoutLabel.TABLE, LayoutLabel.IMAGE)
    assert note.content == PARAGRAPH[0]
    assert ["not known here" in block.warnings[0] for block in (note, table, photo)] == [True] * 3


def test_a_table_that_no_table_model_read_gets_its_cells_from_its_lines() -> None:
    assert recording("unknown_labels").tables == []
    assert cell_texts(blocks("unknown_labels")[1]) == TABLE


def test_a_blank_page_has_no_block() -> None:
    assert blocks("blank") == []


def test_a_page_without_any_region_keeps_all_of_its_lines() -> None:
    assert [block.content for block in blocks("no_layout")] == PARAGRAPH


@pytest.mark.parametrize("name", sorted(set(CASES) - {"turned"}))
def test_everything_that_was_recognised_is_somewhere(name: str) -> None:
    found = blocks(name)
    said = everything(found)
    shown = {line.text for block in found for line in block.lines}
    assert [line.text for line in recording(name).lines if line.text not in said and line.text not in shown] == []


def layer_line(text: str, x0: float, y0: float, x1: float, y1: float) -> PageLine:
    """A line of the file's own text at fractions of the page."""
    box = BBox(x0 * 2 * WIDTH, y0 * 2 * HEIGHT, x1 * 2 * WIDTH, y1 * 2 * HEIGHT)
    return PageLine(box, tuple(Word(box, word) for word in text.split()), 20.0)


def test_trusted_text_of_the_file_wins_over_what_was_recognised() -> None:
    layer = [layer_line("Эти слова – из файла.", 0.13, 0.14, 0.8, 0.16), layer_line("Груша", 0.15, 0.49, 0.25, 0.51)]
    found = blocks("report", layer)
    text, table = found[1], found[2]
    assert (text.content, text.source, text.confidence) == ("Эти слова – из файла.", Source.TEXT_LAYER, None)
    assert cell_texts(table)[1] == ["Груша", "", ""]
    assert table.source is Source.TEXT_LAYER


def test_where_the_file_s_own_text_is_silent_the_region_is_read_from_its_picture() -> None:
    found = blocks("report", [layer_line("Эти слова – из файла.", 0.13, 0.14, 0.8, 0.16)])
    title, text = found[0], found[1]
    assert (title.content, title.source) == ("A Report on Small Things", Source.OCR)
    assert text.source is Source.TEXT_LAYER
