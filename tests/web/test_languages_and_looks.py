"""Languages, themes, a phone, and what assistive technology meets."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Person

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

RUSSIAN = {"locale": "ru-RU", "viewport": {"width": 1280, "height": 860}}
DARK = {"locale": "en-US", "viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"}
PHONE = {"locale": "ru-RU", "viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}


def background(person: Person) -> str:
    return str(person.page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor"))


def open_document(person: Person) -> None:
    person.visit()
    person.send("act.pdf", orders="pages=2")
    person.page.locator(".badge.state-complete").wait_for()
    person.open("act.pdf")


def test_the_language_is_switched_and_remembered(person: Person) -> None:
    open_document(person)
    expect(person.page.locator("html")).to_have_attribute("lang", "en")
    person.page.get_by_role("button", name="RU русский").click()
    expect(person.page.locator("html")).to_have_attribute("lang", "ru")
    expect(person.page.locator(".doc-state")).to_contain_text("Готово")
    expect(person.page.locator(".box").first).to_have_attribute("aria-label", "Блок 1 из 9: название, текстовый слой. Акт № 1")
    person.page.reload()
    expect(person.page.locator(".doc-state")).to_contain_text("Готово")


@pytest.mark.parametrize("settings", [RUSSIAN])
def test_a_russian_browser_gets_russian(person: Person) -> None:
    person.visit()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Документы в Markdown и JSON")
    assert "Распознавание" in person.page.title()


def test_the_theme_is_the_systems_until_one_is_chosen(person: Person) -> None:
    person.visit()
    light = background(person)
    person.page.emulate_media(color_scheme="dark")
    dark = background(person)
    assert dark != light
    person.page.get_by_label("Theme").select_option("light")
    assert background(person) == light
    person.page.reload()
    assert background(person) == light


@pytest.mark.parametrize("settings", [PHONE])
def test_on_a_phone_picture_and_text_take_turns_and_nothing_is_wider_than_the_screen(person: Person) -> None:
    open_document(person)
    picture, text = person.page.locator(".pane-page"), person.page.locator(".pane-text")
    expect(picture).to_be_visible()
    expect(text).to_be_hidden()
    person.page.locator(".box").nth(2).tap()
    expect(text).to_be_visible()
    expect(picture).to_be_hidden()
    expect(person.page.locator(".block").nth(2)).to_be_in_viewport()
    person.page.get_by_role("button", name="Изображение").tap()
    expect(picture).to_be_visible()
    assert person.page.evaluate("() => document.documentElement.scrollWidth") == 375
    person.page.get_by_role("link", name="Все документы").tap()
    expect(person.page.locator(".job")).to_have_count(1)
    assert person.page.evaluate("() => document.documentElement.scrollWidth") == 375


def barriers(person: Person) -> list[str]:
    """What axe-core finds wrong, by WCAG 2.2 at level AA and its own best practices."""
    person.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    result: dict[str, Any] = person.page.evaluate("() => axe.run()")
    assert len(result["passes"]) > 15
    return [f"{found['id']}: {found['help']} {[node['html'][:120] for node in found['nodes'][:3]]}" for found in result["violations"]]


@pytest.mark.parametrize("settings", [RUSSIAN, DARK, PHONE], ids=["light", "dark", "phone"])
def test_no_barriers_on_any_view(person: Person) -> None:
    person.visit()
    person.page.locator(".options summary").click()
    assert barriers(person) == []
    person.send("act.pdf", orders="pages=2")
    person.page.locator(".badge.state-complete").wait_for()
    assert barriers(person) == []
    person.open("act.pdf")
    person.page.locator(".formula .katex").wait_for(state="attached")
    person.page.locator(".box").nth(6).click()
    assert barriers(person) == []
    person.page.locator(".view-switch button").nth(1).click()
    person.page.locator(".menu summary").click()
    assert barriers(person) == []


@pytest.mark.parametrize("settings", [DARK, PHONE], ids=["dark", "phone"])
def test_no_barriers_where_something_went_wrong(person: Person) -> None:
    person.visit()
    person.send("broken.pdf", orders="no such order")
    person.page.locator(".badge.state-failed").wait_for()
    person.page.set_input_files("#files", {"name": "notes.pdf", "mimeType": "application/pdf", "buffer": b"no PDF at all"})
    person.page.locator(".badge.state-refused").wait_for()
    person.send("half.pdf", orders="pages=2 fails=1")
    person.page.locator(".badge.state-partial").wait_for()
    assert barriers(person) == []
    person.page.get_by_role("link", name="half.pdf").click()
    person.page.locator(".message").filter(visible=True).first.wait_for()
    assert barriers(person) == []
    person.page.route("**/ocr/**", lambda route: route.abort())
    person.page.reload()
    expect(person.page.locator("#away")).to_be_visible()
    assert barriers(person) == []
    person.complaints[:] = [text for text in person.complaints if "net::ERR_" not in text]
