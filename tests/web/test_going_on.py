"""What a person sees of a job that outlasts the page, the connection and the service."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Dialog, Locator, Request, Route, expect

from tests.e2e.running import RunningServer, running, wait_until
from tests.web.conftest import Person

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SCRIPT = "tests/web/serve.py"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One job at a time, and results that are soon removed."""
    settings = {"OCR_WORKERS": "1", "OCR_JOBS_AT_A_TIME": "1", "OCR_RESULTS_KEEP_S": "4"}
    with running(SCRIPT, tmp_path_factory.mktemp("narrow"), **settings) as server:
        yield server


def row(person: Person, name: str) -> Locator:
    found: Locator = person.page.locator(".job", has_text=name)
    return found


def test_a_page_that_is_loaded_again_in_the_middle_goes_on_where_it_was(person: Person) -> None:
    person.visit()
    gate = person.gate()
    person.send("long.pdf", orders=f"pages=5 gate={gate} gate_after=2")
    expect(row(person, "long.pdf")).to_contain_text("2 of 5 pages")
    person.page.reload()
    expect(row(person, "long.pdf")).to_contain_text("2 of 5 pages")
    person.open("long.pdf")
    person.page.get_by_role("button", name="Page 2").click()
    person.page.reload()
    expect(person.page.locator(".page-button")).to_have_text(["1", "2"])
    expect(person.page.locator(".rendered")).to_contain_text("Акт № 2")
    expect(person.page.locator(".doc-state")).to_contain_text("Being read")
    gate.touch()
    expect(person.page.locator(".doc-state")).to_contain_text("Done")
    expect(person.page.locator(".page-button")).to_have_count(5)
    expect(person.page.locator(".rendered")).to_contain_text("Акт № 2")


def test_work_goes_on_while_no_page_is_open(person: Person) -> None:
    person.visit()
    gate = person.gate()
    person.send("alone.pdf", orders=f"pages=3 gate={gate} gate_after=1")
    expect(row(person, "alone.pdf")).to_contain_text("Being read")
    job_id = person.page.evaluate("() => JSON.parse(localStorage.getItem('ocr.history'))[0].id")
    person.page.goto("about:blank")
    gate.touch()
    wait_until(lambda: person.server.client.get(f"/ocr/jobs/{job_id}").json()["state"] == "complete", "the job to be done")
    person.visit()
    expect(row(person, "alone.pdf")).to_contain_text("Done")


def test_the_browser_asks_only_while_a_file_is_on_its_way(person: Person) -> None:
    person.visit()
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    person.page.on("dialog", leave)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    person.page.route("**/ocr/jobs", hold)
    person.send("slow.pdf")
    # Browsers ask only a person who has done something on the page.
    row(person, "slow.pdf").get_by_text("Sending").click()
    person.page.reload()
    assert asked == ["beforeunload"]
    held[0].abort()
    person.page.unroute("**/ocr/jobs")
    gate = person.gate()
    person.send("accepted.pdf", orders=f"pages=2 gate={gate} gate_after=1")
    row(person, "accepted.pdf").get_by_text("Being read").click()
    person.page.reload()
    assert asked == ["beforeunload"]
    gate.touch()
    expect(row(person, "accepted.pdf")).to_contain_text("Done")


def test_a_service_that_is_killed_and_started_again_is_taken_up_without_a_page_lost_or_told_twice(person: Person, tmp_path: Path) -> None:
    gate, trace, folder = person.gate(), person.gate("trace"), tmp_path / "service"
    folder.mkdir()
    asked: list[Request] = []
    person.page.on("request", lambda request: asked.append(request) if request.url.endswith("/events") else None)
    with running(SCRIPT, folder, OCR_WORKERS="1", OCR_JOBS_LEASE_S="1.5") as first:
        person.server = first
        person.visit()
        person.send("scan.pdf", orders=f"pages=4 gate={gate} gate_after=2 trace={trace}")
        person.open("scan.pdf")
        expect(person.page.locator(".page-button")).to_have_text(["1", "2"])
        first.send(signal.SIGKILL)
        first.process.wait()
        notice = person.page.locator("#away")
        expect(notice).to_contain_text("The service cannot be reached. Trying again")
        expect(person.page.locator("#announcer")).to_contain_text("cannot be reached")
        expect(person.page.locator(".rendered")).to_contain_text("Акт № 1")
        # A page that is turned to meanwhile comes as soon as it can.
        person.page.get_by_role("button", name="Page 2").click()
    gate.touch()
    with running(SCRIPT, folder, OCR_WORKERS="1", OCR_JOBS_LEASE_S="1.5", OCR_PORT=str(first.port)):
        expect(notice).to_be_hidden()
        expect(person.page.locator(".doc-state")).to_contain_text("Done", timeout=60_000)
        expect(person.page.locator(".page-button")).to_have_text(["1", "2", "3", "4"])
        expect(person.page.locator(".rendered")).to_contain_text("Акт № 2")
        assert asked[-1].headers["last-event-id"] == "2"
        assert sorted(set(trace.read_text().split())) == ["1", "2", "3", "4"]
    person.complaints[:] = [text for text in person.complaints if "net::ERR_" not in text]


def test_the_list_keeps_what_it_knows_while_the_service_is_away(person: Person) -> None:
    person.visit()
    gate = person.gate()
    person.send("kept.pdf", orders=f"pages=3 gate={gate} gate_after=2")
    expect(row(person, "kept.pdf")).to_contain_text("2 of 3 pages")
    person.page.route("**/ocr/jobs/*", lambda route: route.abort())
    expect(person.page.locator("#away")).to_be_visible()
    gate.touch()
    expect(row(person, "kept.pdf")).to_contain_text("2 of 3 pages")
    person.page.unroute("**/ocr/jobs/*")
    expect(person.page.locator("#away")).to_be_hidden(timeout=20_000)
    expect(row(person, "kept.pdf")).to_contain_text("Done")
    person.complaints[:] = [text for text in person.complaints if "net::ERR_" not in text]


def test_an_upload_that_meets_no_service_is_sent_again_under_the_same_key(person: Person) -> None:
    person.visit()
    keys: list[str | None] = []

    def lose_the_answer(route: Route) -> None:
        keys.append(route.request.header_value("idempotency-key"))
        if len(keys) == 1:
            accepted = httpx.post(route.request.url, headers=route.request.all_headers(), content=route.request.post_data_buffer)
            assert accepted.status_code == 202
            route.abort()
        else:
            route.continue_()

    person.page.route("**/ocr/jobs", lose_the_answer)
    person.send("once.pdf")
    expect(row(person, "once.pdf")).to_contain_text("The service cannot be reached; trying again in")
    expect(row(person, "once.pdf")).to_contain_text("Done")
    assert keys[0] is not None
    assert keys == [keys[0]] * 2
    jobs = person.server.client.get("/ocr/jobs").json()["jobs"]
    assert [job["filename"] for job in jobs].count("once.pdf") == 1
    person.complaints[:] = [text for text in person.complaints if "net::ERR_" not in text]


def test_the_place_in_the_queue_the_rate_and_the_time_left_are_told(person: Person, narrow: RunningServer) -> None:
    person.server = narrow
    person.visit()
    gate = person.gate()
    person.send("first.pdf", orders=f"pages=40 seconds=0.1 gate={gate} gate_after=12")
    expect(row(person, "first.pdf")).to_contain_text("of 40 pages")
    person.send("second.pdf", "third.pdf")
    for place in (1, 2):
        expect(person.page.locator(".job", has_text=f"In the queue, number {place}")).to_have_count(1)
    expect(row(person, "first.pdf")).to_contain_text("pages/s")
    expect(row(person, "first.pdf")).to_contain_text("left")
    row(person, "first.pdf").get_by_role("button", name="Cancel first.pdf").click()
    expect(row(person, "first.pdf")).to_contain_text("Cancelled")
    gate.touch()
    for name in ("second.pdf", "third.pdf"):
        expect(row(person, name)).to_contain_text("Done")


def test_a_cancelled_document_keeps_its_pages(person: Person) -> None:
    person.visit()
    person.send("half.pdf", orders=f"pages=4 gate={person.gate()} gate_after=2")
    person.open("half.pdf")
    expect(person.page.locator(".page-button")).to_have_text(["1", "2"])
    person.page.get_by_role("button", name="Cancel").click()
    expect(person.page.locator(".doc-state")).to_contain_text("Cancelled")
    expect(person.page.get_by_role("button", name="Cancel")).to_be_hidden()
    person.page.reload()
    expect(person.page.locator(".doc-state")).to_contain_text("Cancelled")
    expect(person.page.locator(".page-button")).to_have_text(["1", "2"])
    expect(person.page.locator(".page-image")).to_be_visible()


def test_a_document_that_has_expired_says_when(person: Person, narrow: RunningServer) -> None:
    person.server = narrow
    person.visit()
    person.send("short-lived.pdf")
    expect(row(person, "short-lived.pdf")).to_contain_text("kept until")
    job_id = person.page.evaluate("() => JSON.parse(localStorage.getItem('ocr.history'))[0].id")
    wait_until(lambda: narrow.client.get(f"/ocr/jobs/{job_id}").status_code == 404, "the job to expire")
    person.page.reload()
    expect(row(person, "short-lived.pdf")).to_contain_text("Expired on")
    row(person, "short-lived.pdf").get_by_role("link").click()
    expect(person.page.locator(".document > .message")).to_contain_text("It removed this one on")
    person.page.go_back()
    row(person, "short-lived.pdf").get_by_role("button", name="Remove short-lived.pdf").click()
    expect(row(person, "short-lived.pdf")).to_have_count(0)


def test_a_job_that_failed_is_sent_again_from_the_file_that_was_chosen(person: Person) -> None:
    person.visit()
    person.send("broken.pdf", orders="no such order")
    expect(row(person, "broken.pdf")).to_contain_text("The file is damaged or empty and cannot be opened.")
    row(person, "broken.pdf").get_by_role("button", name="Try broken.pdf again").click()
    expect(row(person, "broken.pdf")).to_have_count(1)
    expect(row(person, "broken.pdf")).to_contain_text("Failed")
    # A new tab does not have the file.
    person.page.reload()
    expect(row(person, "broken.pdf")).to_contain_text("Failed")
    expect(row(person, "broken.pdf").get_by_role("button")).to_have_count(1)
