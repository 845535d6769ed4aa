"""A service that asks for a key. Here the browser's network says 401, so that it does not matter how the service checks keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.web.conftest import Person

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

KEY = "k-3f9a"
PROBLEM = '{"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "A key is needed.", "code": "unauthorized"}'


def guard(route: Route) -> None:
    if route.request.headers.get("authorization") == f"Bearer {KEY}":
        route.continue_()
    else:
        route.fulfill(status=401, content_type="application/problem+json", body=PROBLEM)


def test_the_key_is_asked_for_sent_in_a_header_and_kept_for_the_tab_alone(person: Person) -> None:
    person.page.route("**/ocr/**", guard)
    person.visit()
    person.send("act.pdf")
    row = person.page.locator(".job", has_text="act.pdf")
    expect(row).to_contain_text("The API key is missing or wrong.")
    person.page.get_by_role("alert").get_by_role("button", name="API key").click()
    person.page.get_by_label("Key", exact=True).fill(KEY)
    person.page.get_by_role("button", name="Save").click()
    expect(person.page.get_by_role("alert")).to_be_hidden()
    row.get_by_role("button", name="Try act.pdf again").click()
    person.page.locator(".badge.state-complete").wait_for()
    person.open("act.pdf")
    expect(person.page.locator(".page-image")).to_be_visible()
    person.page.locator(".menu summary").click()
    with person.page.expect_download() as download:
        person.page.get_by_role("link", name="JSON (.json)").click()
    assert download.value.path().read_bytes().startswith(b"{")
    assert person.page.evaluate("() => JSON.stringify(localStorage)").count(KEY) == 0
    assert KEY not in person.page.url
    person.page.reload()
    expect(person.page.locator(".page-image")).to_be_visible()
