"""From the file to the result, in a browser."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Person, pdf

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_file_is_dropped_and_its_pages_appear_as_they_finish(person: Person) -> None:
    person.visit()
    gate = person.gate()
    content = b64encode(pdf(f"pages=4 gate={gate} gate_after=2")).decode()
    transfer = person.page.evaluate_handle(
        """content => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], "scan.pdf", { type: "application/pdf" }));
          return transfer;
        }""",
        content,
    )
    person.page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    row = person.page.locator(".job", has_text="scan.pdf")
    expect(row).to_contain_text("Being read")
    expect(row.get_by_role("progressbar", name="Progress of scan.pdf")).to_be_visible()
    person.open("scan.pdf")
    expect(person.page.locator(".page-button")).to_have_text(["1", "2"])
    expect(person.page.locator(".page-image")).to_be_visible()
    gate.touch()
    expect(person.page.locator(".doc-state")).to_contain_text("Done")
    expect(person.page.locator(".page-button")).to_have_text(["1", "2", "3", "4"])
    expect(person.page.locator("#announcer")).to_contain_text("Done")


def test_several_files_are_read_and_stay_in_the_history_of_this_browser(person: Person) -> None:
    person.visit()
    person.send("one.pdf", "two.pdf", "three.pdf")
    expect(person.page.locator(".badge.state-complete")).to_have_count(3)
    stored = person.page.evaluate("() => localStorage.getItem('ocr.history')")
    assert {frozenset(entry) for entry in json.loads(stored)} == {frozenset({"id", "name", "at"})}
    person.page.reload()
    expect(person.page.locator(".badge.state-complete")).to_have_count(3)
    person.page.get_by_role("button", name="Remove two.pdf").click()
    expect(person.page.get_by_role("dialog")).to_contain_text("two.pdf")
    person.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(person.page.locator(".job")).to_have_count(2)
    person.page.reload()
    expect(person.page.locator(".job")).to_have_count(2)


def test_the_options_are_sent(person: Person) -> None:
    person.visit()
    person.page.get_by_text("Options for the next files").click()
    person.page.get_by_label("Pages", exact=True).fill("2-3")
    person.page.get_by_label("Resolution, dpi").fill("150")
    person.page.get_by_label("Text layer of a PDF").select_option("ignore")
    person.page.get_by_label("Searchable PDF").uncheck()
    person.send("chosen.pdf", orders="pages=5")
    expect(person.page.locator(".badge.state-complete")).to_have_count(1)
    person.open("chosen.pdf")
    expect(person.page.locator(".page-button")).to_have_text(["2", "3"])
    document = person.server.client.get(f"/ocr/documents/{person.page.url.split('/')[5]}").json()
    options = document["options"]
    assert (options["pages"], options["dpi"], options["text_layer"]) == ([2, 3], 150, "ignore")
    assert set(options["outputs"]) == {"page_images", "tables"}


def test_what_a_document_has_can_be_downloaded(person: Person) -> None:
    person.visit()
    person.page.get_by_text("Options for the next files").click()
    person.page.get_by_label("Searchable PDF").uncheck()
    person.send("акт.pdf")
    person.open("акт.pdf")
    person.page.locator(".menu summary").click()
    expect(person.page.locator(".menu a")).to_have_text(["Markdown (.md)", "JSON (.json)", "Tables (.xlsx)", "Original file"])
    with person.page.expect_download() as download:
        person.page.get_by_role("link", name="Markdown (.md)").click()
    assert download.value.suggested_filename == "акт.md"
    assert "Акт № 1" in download.value.path().read_text(encoding="utf-8")


def test_a_refused_file_says_why_and_can_be_dismissed(person: Person) -> None:
    person.visit()
    person.page.set_input_files("#files", {"name": "notes.pdf", "mimeType": "application/pdf", "buffer": b"no PDF at all"})
    row = person.page.locator(".job", has_text="notes.pdf")
    expect(row).to_contain_text("Not accepted")
    expect(row).to_contain_text("This is not a PDF, PNG, JPEG, WebP or TIFF.")
    expect(person.page.locator("#announcer")).to_contain_text("notes.pdf: Not accepted")
    row.get_by_role("button", name="Dismiss notes.pdf").click()
    expect(row).to_have_count(0)


def test_a_document_is_cancelled_and_its_work_stops(person: Person) -> None:
    person.visit()
    trace = person.gate("trace")
    person.send("long.pdf", orders=f"pages=50 gate={person.gate()} gate_after=1 trace={trace}")
    row = person.page.locator(".job", has_text="long.pdf")
    expect(row).to_contain_text("Being read")
    row.get_by_role("button", name="Cancel long.pdf").click()
    expect(row).to_contain_text("Cancelled")
    expect(row.get_by_role("progressbar")).to_be_hidden()
    # What waits at the gate is given up, so a document after it gets its turn.
    person.send("next.pdf")
    expect(person.page.locator(".job", has_text="next.pdf")).to_contain_text("Done", timeout=40_000)
    assert len(trace.read_text().splitlines()) < 10


def test_a_document_that_is_not_there_says_so(person: Person) -> None:
    person.visit("#/d/aaaaaaaaaaaaaaaaaaaaaaaaaa")
    expect(person.page.locator("main")).to_contain_text("This document is not on the service")
