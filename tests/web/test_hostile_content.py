"""Content of a document never runs as script: not through the service, and not if the service itself were deceived."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pymupdf
import pytest
from playwright.sync_api import Route, expect

from tests.e2e.running import RunningServer, running
from tests.web.conftest import Person

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ATTACKS = [
    "<img src=x onerror=\"globalThis.ran='img'\">",
    "<script>globalThis.ran='script'</script>",
    "<svg onload=\"globalThis.ran='svg'\"></svg>",
    "[press](javascript:globalThis.ran='link')",
    "<a href=\"javascript:globalThis.ran='a'\">press</a>",
    "</td></table><iframe srcdoc=\"<script>parent.ran='iframe'</script>\"></iframe>",
    r"$\href{javascript:globalThis.ran='tex'}{x}$ $\htmlData{x=1}{y}$",
]
# Violations are told to the page before they are told to the console: a policy that had to step in is a failure, too.
WATCH = """() => { globalThis.ran = null; globalThis.caught = [];
  const note = (event) => globalThis.caught.push(event.violatedDirective + " " + event.blockedURI);
  document.addEventListener("securitypolicyviolation", note); }"""


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running("server_vllm.py", tmp_path_factory.mktemp("real"), OCR_WORKERS="1") as server:
        yield server


def hostile_pdf() -> bytes:
    """The attacks as born-digital text, as cells of a ruled table, and as a link."""
    document = pymupdf.open()
    page = document.new_page(width=842, height=842)
    for row, attack in enumerate(ATTACKS):
        page.insert_text((40, 60 + 24 * row), attack, fontsize=10)
        cell = pymupdf.Rect(40, 300 + 40 * row, 800, 340 + 40 * row)
        page.draw_rect(cell, width=1)
        page.draw_line((120, cell.y0), (120, cell.y1), width=1)
        page.insert_text((50, cell.y0 + 24), str(row + 1), fontsize=10)
        page.insert_text((130, cell.y0 + 24), attack, fontsize=10)
    page.insert_link({"kind": pymupdf.LINK_URI, "from": pymupdf.Rect(40, 50, 300, 70), "uri": "javascript:globalThis.ran='uri'"})
    content: bytes = document.tobytes()
    return content


def nothing_ran(person: Person) -> None:
    for _ in range(2):
        for link in person.page.locator(".pane-text a").all():
            link.click()
        person.page.locator(".view-switch button").nth(1).click()
        person.page.locator(".view-switch button").nth(0).click()
    assert person.page.evaluate("() => [globalThis.ran, globalThis.caught]") == [None, []]
    assert person.page.locator(".panes script, .panes iframe, .panes a, .panes object, .panes [onerror], .panes [onload]").count() == 0


def test_a_hostile_pdf_is_shown_as_the_text_it_is(person: Person, real_server: RunningServer) -> None:
    person.server = real_server
    name = "<img src=x onerror=globalThis.ran='name'>.pdf"
    answer = real_server.post(hostile_pdf(), name=name, data={"outputs": "page_images"}).json()
    person.page.add_init_script(f"({WATCH})()")
    person.page.goto(f"{real_server.url}/#/d/{answer['document_id']}")
    person.page.locator(".block").first.wait_for()
    expect(person.page.locator(".rendered")).to_contain_text("onerror=")
    expect(person.page.locator(".rendered :is(th, td)").filter(has_text="onerror").first).to_be_visible()
    nothing_ran(person)


def deceive(value: Any) -> Any:
    """Every text of a page's JSON becomes an attack, but for the words that the page goes by."""
    if isinstance(value, dict):
        kept = {"id", "label", "format", "source", "status", "image"}
        return {key: item if key in kept else deceive(item) for key, item in value.items()}
    if isinstance(value, list):
        return [deceive(item) for item in value]
    return " ".join(ATTACKS) if isinstance(value, str) else value


def test_a_deceived_service_cannot_make_the_page_run_anything(person: Person) -> None:
    answer = person.server.post(b"%PDF-1.7 pages=1 \n", data={"outputs": "page_images"}).json()

    def lie(route: Route) -> None:
        route.fulfill(content_type="application/json", body=json.dumps(deceive(route.fetch().json())))

    person.page.route("**/pages/0001.json", lie)
    person.page.add_init_script(f"({WATCH})()")
    person.visit(f"#/d/{answer['document_id']}")
    person.page.locator(".block").first.wait_for()
    expect(person.page.locator(".rendered")).to_contain_text("<img src=x onerror=")
    person.page.locator(".box").nth(6).click()
    expect(person.page.locator(".block-details")).to_contain_text("<script>")
    nothing_ran(person)
    person.complaints[:] = [text for text in person.complaints if "404" not in text]


def test_the_browser_itself_would_refuse_to_parse_html_from_text(person: Person) -> None:
    """The last line of defence is up: the page has no need of it."""
    person.visit()
    refused = person.page.evaluate(
        """() => {
          try { document.createElement("p").innerHTML = "<b>x</b>"; } catch (error) { return error instanceof TypeError; }
          return false;
        }"""
    )
    assert refused
    person.complaints.clear()
