"""A service that asks for a key, and does so for real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.running import RunningServer, running
from tests.web.conftest import Person

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

KEY, OTHER_KEY = "k-3f9a-of-sixteen-and-more", "k-77b0-of-sixteen-and-more"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running("tests/web/serve.py", tmp_path_factory.mktemp("guarded"), OCR_API_KEYS=f"one:{KEY},two:{OTHER_KEY}") as server:
        yield server


def enter(person: Person, key: str) -> None:
    person.page.get_by_label("Key", exact=True).fill(key)
    person.page.get_by_role("button", name="Save").click()


def test_the_key_is_asked_for_sent_in_a_header_and_kept_for_the_tab_alone(person: Person, guarded: RunningServer) -> None:
    person.server = guarded
    person.visit()
    person.send("act.pdf", orders=f"pages=3 gate={person.gate()} gate_after=2")
    row = person.page.locator(".job", has_text="act.pdf")
    expect(row).to_contain_text("The API key is missing or wrong.")
    person.page.get_by_role("alert").get_by_role("button", name="API key").click()
    enter(person, KEY)
    expect(person.page.get_by_role("alert")).to_be_hidden()
    row.get_by_role("button", name="Try act.pdf again").click()
    expect(row).to_contain_text("2 of 3 pages")
    person.open("act.pdf")
    expect(person.page.locator(".page-button")).to_have_text(["1", "2"])
    person.gate().touch()
    expect(person.page.locator(".page-button")).to_have_text(["1", "2", "3"])
    expect(person.page.locator(".page-image")).to_be_visible()
    person.page.locator(".menu summary").click()
    with person.page.expect_download() as download:
        person.page.get_by_role("link", name="JSON (.json)").click()
    assert download.value.path().read_bytes().startswith(b"{")
    assert person.page.evaluate("() => JSON.stringify(localStorage)").count(KEY) == 0
    assert KEY not in person.page.url
    person.page.reload()
    expect(person.page.locator(".page-image")).to_be_visible()


def test_a_document_of_another_key_is_not_to_be_had_until_the_key_is_the_right_one(person: Person, guarded: RunningServer) -> None:
    person.server = guarded
    theirs = {"Authorization": f"Bearer {KEY}"}
    document = guarded.client.post("/ocr/jobs", files={"file": ("theirs.pdf", b"%PDF-1.7 pages=1 \n")}, headers=theirs).json()
    person.visit()
    person.page.get_by_role("button", name="API key").click()
    enter(person, OTHER_KEY)
    person.page.goto(f"{guarded.url}/#/d/{document['job_id']}")
    expect(person.page.locator(".document > .message")).to_contain_text("This document is not on the service")
    person.page.get_by_role("button", name="API key").click()
    enter(person, KEY)
    expect(person.page.locator(".block").first).to_be_visible()
    expect(person.page.locator("h1")).to_have_text("theirs.pdf")
