"""The picture, the blocks and the text of a document, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Person

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

BLOCKS = 9


@pytest.fixture
def reader(person: Person) -> Person:
    """With a document of three pages open."""
    person.visit()
    person.send("act.pdf", orders="pages=3")
    person.page.locator(".badge.state-complete").wait_for()
    person.open("act.pdf")
    return person


def block(person: Person, number: int) -> str:
    return person.page.locator(".block").nth(number - 1).get_attribute("class") or ""


def test_boxes_lie_where_the_blocks_are(reader: Person) -> None:
    expect(reader.page.locator(".box")).to_have_count(BLOCKS)
    sheet, box = reader.page.locator(".sheet").bounding_box(), reader.page.locator(".box").nth(2).bounding_box()
    assert sheet is not None
    assert box is not None
    scale = sheet["width"] / 1000
    assert sheet["height"] / sheet["width"] == pytest.approx(1.414, rel=0.01)
    assert (box["x"] - sheet["x"] + 3) / scale == pytest.approx(100, abs=3)
    assert (box["y"] - sheet["y"] + 3) / scale == pytest.approx(340, abs=3)
    assert (box["width"] - 6) / scale == pytest.approx(800, abs=3)


def test_a_click_on_a_block_finds_its_text_and_the_other_way_round(reader: Person) -> None:
    boxes, texts = reader.page.locator(".box"), reader.page.locator(".block")
    boxes.nth(6).click()
    expect(texts.nth(6)).to_contain_class("is-selected")
    expect(texts.nth(6)).to_be_in_viewport()
    details = reader.page.locator(".block-details")
    expect(details).to_contain_text("digits contradict the evidence")
    expect(details).to_contain_text("Итого 99 000,00 руб.")
    texts.nth(1).locator("p").click()
    expect(boxes.nth(1)).to_contain_class("is-selected")
    expect(boxes.nth(1)).to_have_attribute("aria-current", "true")
    expect(boxes.nth(6)).not_to_contain_class("is-selected")
    expect(details).to_contain_text("98 %")


def test_sources_and_doubts_are_told_by_more_than_colour(reader: Person) -> None:
    def style(number: int) -> str:
        return str(reader.page.locator(".box").nth(number - 1).evaluate("node => getComputedStyle(node).borderTopStyle"))

    assert [style(number) for number in (1, 2, 5, 6)] == ["solid", "dashed", "double", "dotted"]
    doubtful = reader.page.locator(".box.is-doubtful")
    expect(doubtful).to_have_count(4)
    expect(doubtful.locator(".mark")).to_have_text(["!"] * 4)
    names = [node.get_attribute("aria-label") or "" for node in doubtful.all()]
    kinds = ("low confidence", "low confidence", "rejected", "digits differ")
    assert [kind in name for kind, name in zip(kinds, names, strict=True)] == [True] * 4
    expect(reader.page.locator(".legend li")).to_have_text(["text layer: 1", "OCR: 5", "table model: 1", "VLM: 2", "!In doubt: 4"])


def test_a_line_in_doubt_is_found_within_a_table_that_is_sure_as_a_whole(reader: Person) -> None:
    line, sheet = reader.page.locator(".weak-line"), reader.page.locator(".sheet").bounding_box()
    expect(line).to_have_count(1)
    found = line.bounding_box()
    assert sheet is not None
    assert found is not None
    scale = sheet["width"] / 1000
    assert (found["x"] - sheet["x"]) / scale == pytest.approx(500, abs=3)
    assert (found["y"] - sheet["y"]) / scale == pytest.approx(640, abs=3)
    reader.page.locator(".box").nth(4).click()
    details = reader.page.locator(".block-details")
    expect(details).to_contain_text("low confidence")
    expect(details).to_contain_text("140 250,00 – 71 %")


def test_tables_lists_headings_and_formulas_are_rendered_or_shown_raw(reader: Person) -> None:
    text = reader.page.locator(".rendered")
    expect(text.get_by_role("heading", name="Акт № 1")).to_be_visible()
    expect(text.get_by_role("listitem")).to_have_count(2)
    expect(text.get_by_role("columnheader")).to_have_text(["Наименование", "Сумма, руб."])
    expect(text.locator(".formula .katex")).to_be_visible()
    expect(text.locator(".block").nth(7).locator(".katex")).to_have_count(1)
    reader.page.get_by_role("button", name="Markdown", exact=True).click()
    expect(text).to_be_hidden()
    expect(reader.page.locator(".raw")).to_contain_text("# Акт № 1")
    reader.page.keyboard.press("r")
    expect(text).to_be_visible()


def test_the_keyboard_goes_through_blocks_pages_and_doubts(reader: Person) -> None:
    boxes, press = reader.page.locator(".box"), reader.page.keyboard.press
    press("j")
    expect(boxes.nth(0)).to_be_focused()
    press("j")
    press("ArrowDown")
    expect(boxes.nth(2)).to_be_focused()
    press("k")
    expect(boxes.nth(1)).to_be_focused()
    expect(reader.page.locator(".block").nth(1)).to_contain_class("is-selected")
    press("n")
    expect(boxes.nth(3)).to_be_focused()
    press("ArrowRight")
    expect(reader.page.locator(".page-button[aria-current]")).to_have_text("2")
    expect(reader.page.locator(".rendered")).to_contain_text("Акт № 2")
    for _ in range(5):
        press("n")
    expect(reader.page.locator(".page-button[aria-current]")).to_have_text("3")
    expect(boxes.nth(3)).to_contain_class("is-selected")
    press("Escape")
    expect(reader.page.locator(".is-selected")).to_have_count(0)
    press("ArrowLeft")
    expect(reader.page.locator(".page-button[aria-current]")).to_have_text("2")


def test_enter_goes_from_the_picture_to_the_text_and_stays_within_reach(reader: Person) -> None:
    marks = reader.page.locator(".block-mark")
    marks.nth(0).focus()
    reader.page.keyboard.press("j")
    reader.page.keyboard.press("j")
    expect(marks.nth(1)).to_be_focused()
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(".box").nth(1)).to_have_attribute("aria-current", "true")
    tab_stops = reader.page.locator(".box[tabindex='0'], .block-mark[tabindex='0']")
    expect(tab_stops).to_have_count(2)


def test_shortcuts_are_listed_and_can_be_switched_off(reader: Person) -> None:
    reader.page.keyboard.press("?")
    dialog = reader.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Next doubtful block")
    dialog.get_by_label("Shortcuts are on").uncheck()
    dialog.get_by_role("button", name="Close").click()
    reader.page.keyboard.press("j")
    expect(reader.page.locator(".is-selected")).to_have_count(0)


def test_an_address_names_the_page(reader: Person) -> None:
    reader.page.get_by_role("button", name="Page 3").click()
    expect(reader.page.locator(".rendered")).to_contain_text("Акт № 3")
    reader.page.reload()
    expect(reader.page.locator(".rendered")).to_contain_text("Акт № 3")
    reader.page.go_back()
    expect(reader.page.locator(".rendered")).to_contain_text("Акт № 1")


def test_a_document_without_pictures_still_shows_its_blocks(person: Person) -> None:
    answer = person.server.post(b"%PDF-1.7 pages=1 \n", name="sent-by-curl.pdf").json()
    person.visit(f"#/d/{answer['document_id']}")
    expect(person.page.locator(".box")).to_have_count(BLOCKS)
    expect(person.page.locator("main")).to_contain_text("No picture of this page was asked for")
    expect(person.page.locator("h1")).to_have_text("sent-by-curl.pdf")
