"""Formulas, seals, charts and text without any reading, as PP-StructureV3 hands them on when those models are loaded."""

from __future__ import annotations

import numpy as np

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.structure_v3.blocks import PageContext, blocks_of
from ocr_service.engines.structure_v3.raw import RawBlock, RawLine, RawPage, RawRegion, RawSeal

BOX = (100.0, 100.0, 500.0, 200.0)


def page(label: str, content: str = "", *, lines: list[RawLine] | None = None, seal: RawSeal | None = None, chart: str = "") -> RawPage:
    """A page with one region."""
    return RawPage(
        width=800,
        height=1000,
        angle=0,
        blocks=[RawBlock(label, content, BOX)],
        regions=[RawRegion(label, 0.9, BOX)],
        lines=lines or [],
        tables=[],
        seals=[seal] if seal else [],
        charts=[chart] if chart else [],
    )


def paper(*, ink: bool) -> Image:
    gray = np.full((1000, 800), 255, np.uint8)
    if ink:
        gray[140:160, 150:450] = 0
    return gray


def blocks(raw: RawPage, *, ink: bool = True) -> list[Block]:
    return list(blocks_of(raw, PageContext(paper(ink=ink), 100)))


def test_a_recognised_formula_is_latex() -> None:
    (formula,) = blocks(page("formula", "$$ E = mc^2 $$", lines=[RawLine("E = mc^2", 1.0, BOX, "formula")]))
    assert (formula.label, formula.format, formula.content) == (LayoutLabel.FORMULA, ContentFormat.LATEX, "E = mc^2")


def test_a_formula_that_only_ocr_has_read_is_text() -> None:
    (formula,) = blocks(page("formula", "E=mc2", lines=[RawLine("E=mc2", 0.7, BOX)]))
    assert (formula.label, formula.format, formula.content) == (LayoutLabel.FORMULA, ContentFormat.TEXT, "E=mc2")


def test_an_inline_formula_stands_in_its_sentence_between_dollars() -> None:
    lines = [RawLine("where", 0.9, (100, 100, 200, 130)), RawLine("x^2", 1.0, (210, 100, 260, 130), "formula")]
    (text,) = blocks(page("text", "where $x^2$", lines=lines))
    assert text.content == "where $x^2$"


def test_what_was_read_on_a_seal_is_kept_as_its_lines() -> None:
    (seal,) = blocks(page("seal", "ООО «Ромашка»", seal=RawSeal(["ООО «Ромашка»", "Москва"], [0.9, 0.8])))
    assert (seal.label, seal.format) == (LayoutLabel.SEAL, ContentFormat.IMAGE)
    assert [(line.text, line.confidence) for line in seal.lines] == [("ООО «Ромашка»", 0.9), ("Москва", 0.8)]


def test_the_data_of_a_chart_are_kept_as_its_lines() -> None:
    (chart,) = blocks(page("chart", "year | sum\n2024 | 5", chart="year | sum\n2024 | 5"))
    assert (chart.label, chart.format) == (LayoutLabel.CHART, ContentFormat.IMAGE)
    assert [line.text for line in chart.lines] == ["year | sum", "2024 | 5"]


def test_a_region_of_text_in_which_nothing_was_read_is_kept_as_a_picture() -> None:
    (signature,) = blocks(page("text"))
    assert (signature.label, signature.bbox) == (LayoutLabel.IMAGE, BOX)
    assert "nothing was read" in signature.warnings[0]


def test_a_region_of_text_on_blank_paper_is_nothing() -> None:
    assert blocks(page("text"), ink=False) == []


def test_a_picture_full_of_text_is_text() -> None:
    lines = [RawLine(f"Line {row} of a scan in the page", 0.9, (110, 100 + row * 30, 490, 125 + row * 30)) for row in range(3)]
    found = blocks(page("image", lines=lines))
    assert [(block.label, len(block.lines)) for block in found] == [(LayoutLabel.TEXT, 3)]


def test_a_bulleted_region_becomes_list_items() -> None:
    lines = [RawLine(f"• item {row}", 0.9, (110, 100 + row * 30, 300, 125 + row * 30)) for row in range(3)]
    found = blocks(page("text", lines=lines))
    expected = [(LayoutLabel.LIST_ITEM, "•", f"item {row}") for row in range(3)]
    assert [(block.label, block.marker, block.content) for block in found] == expected
