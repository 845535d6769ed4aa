"""A real browser on the real page of a real server. Without Chromium these tests are skipped, or fail with OCR_TEST_WEB=1."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts.setup import chromium
from tests.e2e.running import RunningServer, running

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PATIENCE_MS = 20_000


@dataclass
class Person:
    """A browser window, and what went wrong in it: errors, refusals by the content security policy, requests to elsewhere."""

    page: playwright.Page  # type: ignore[name-defined]
    server: RunningServer
    folder: Path
    complaints: list[str] = field(default_factory=list)

    def visit(self, address: str = "") -> None:
        self.page.goto(f"{self.server.url}/{address}")
        self.page.locator("main > *").wait_for()

    def send(self, *names: str, orders: str = "pages=1") -> None:
        """Choose files; `orders` are the fake engine's."""
        self.page.set_input_files("#files", [{"name": name, "mimeType": "application/pdf", "buffer": pdf(orders)} for name in names])

    def open(self, name: str) -> None:
        self.page.get_by_role("link", name=name).click()
        self.page.locator(".block").first.wait_for(state="attached")

    def gate(self, name: str = "gate") -> Path:
        """A file that pages wait for (`gate=…`)."""
        return self.folder / name


def pdf(orders: str) -> bytes:
    return f"%PDF-1.7 {orders} \n".encode()


# One a module: while it is open, its event loop counts as running in this thread, and no other test could run one.
@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:  # type: ignore[name-defined]
    path = chromium.find()
    if path is None:
        reason = "no Chromium found: apt-get install chromium-headless-shell"
        if os.environ.get("OCR_TEST_WEB") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with playwright.sync_playwright() as started:
        # Inside of a container there is often no sandbox to be had; the page is our own.
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running("tests/web/serve.py", tmp_path_factory.mktemp("web"), OCR_WORKERS="2") as server:
        yield server


@pytest.fixture
def settings() -> dict[str, object]:
    """Of the browser window: overridden where a test wants another language or size."""
    return {"locale": "en-US", "viewport": {"width": 1280, "height": 860}}


@pytest.fixture
def person(
    browser: playwright.Browser,  # type: ignore[name-defined]
    server: RunningServer,
    settings: dict[str, object],
    tmp_path: Path,
) -> Iterator[Person]:
    """A fresh browser profile. Whatever a test does, nothing may go wrong in the page."""
    context = browser.new_context(**settings)
    context.set_default_timeout(PATIENCE_MS)
    someone = Person(context.new_page(), server, tmp_path)
    page = someone.page
    page.on("pageerror", lambda error: someone.complaints.append(f"error: {error}"))
    page.on("console", lambda message: someone.complaints.append(message.text) if _is_bad(message.type, message.text) else None)
    page.on("request", lambda request: someone.complaints.append(request.url) if not _is_ours(request.url, someone.server.url) else None)
    try:
        yield someone
    finally:
        context.close()
    assert someone.complaints == []


def _is_bad(kind: str, text: str) -> bool:
    # A refused upload is a 4xx that the browser reports by itself.
    return kind in {"error", "warning"} and not re.match(r"Failed to load resource: the server responded with a status of 4\d\d", text)


def _is_ours(address: str, url: str) -> bool:
    return address.startswith((f"{url}/", f"blob:{url}/"))
