"""The warm-up against servers that answer well and badly, and a real worker."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from ocr_service.settings import Settings
from ocr_service.warming.page import warm_up_page
from ocr_service.warming.samples import NUMBER, TASKS
from ocr_service.warming.table import Row, WarmupFailed, rendered
from ocr_service.warming.vlm import VlmWarmup

Change = Callable[[dict[str, Any]], dict[str, Any] | int]


class Vlm:
    """Answers as /v1/markdown does, changed by the test; a number is a status."""

    def __init__(self) -> None:
        self.change: Change = lambda answer: answer
        self.asked: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.url = ""


@pytest.fixture
def vlm() -> Iterator[Vlm]:
    vlm = Vlm()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            vlm.asked.append(body)
            vlm.keys.add(self.headers["Authorization"])
            tokens = min(len(base64.b64decode(body["image"])) // 100, 1300)
            answer = {"markdown": f"№ {NUMBER}", "task": body["task"], "finish_reason": "stop", "usage": {"prompt_tokens": tokens}}
            changed = vlm.change(answer)
            content = json.dumps(changed if isinstance(changed, dict) else {}).encode()
            self.send_response(200 if isinstance(changed, dict) else changed)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vlm.url = f"http://127.0.0.1:{server.server_address[1]}/v1/markdown"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield vlm
    server.shutdown()
    server.server_close()
    thread.join()


def failure(vlm: Vlm, change: Change, *, strict: bool = True) -> str:
    vlm.change = change
    with pytest.raises(WarmupFailed) as caught:
        VlmWarmup(vlm.url, strict=strict).run()
    return str(caught.value)


def test_every_task_is_asked_once_and_a_large_picture(vlm: Vlm) -> None:
    rows = VlmWarmup(vlm.url, strict=True).run()
    assert vlm.keys == {None}
    assert [body["task"] for body in vlm.asked] == [*TASKS, "ocr"]
    assert all(base64.b64decode(body["image"]).startswith(b"\x89PNG") for body in vlm.asked)
    assert [row.step for row in rows] == [*(f"VLM {task}" for task in TASKS), "VLM large picture"]


def test_a_server_that_wants_a_key_gets_it(vlm: Vlm) -> None:
    VlmWarmup(vlm.url, strict=True, api_key="hush").run()
    assert vlm.keys == {"Bearer hush"}


def test_an_answer_that_was_not_read_from_the_picture_is_noticed(vlm: Vlm) -> None:
    assert f"'{NUMBER}' was to be read, not 'blah'" in failure(vlm, lambda answer: {**answer, "markdown": "blah"})


def test_an_answer_that_does_not_end_is_noticed(vlm: Vlm) -> None:
    assert "does not end (length)" in failure(vlm, lambda answer: {**answer, "finish_reason": "length"})


def test_the_contract_alone_asks_for_no_sense(vlm: Vlm) -> None:
    vlm.change = lambda answer: {**answer, "markdown": "blah", "finish_reason": "length"}
    assert len(VlmWarmup(vlm.url, strict=False).run()) == len(TASKS) + 1


@pytest.mark.parametrize("wrong", [{"markdown": None}, {"task": "seal?"}, {"finish_reason": "abort"}])
def test_what_is_no_answer_of_the_endpoint_is_noticed_even_so(vlm: Vlm, wrong: dict[str, Any]) -> None:
    assert "not an answer of /v1/markdown" in failure(vlm, lambda answer: {**answer, **wrong}, strict=False)


@pytest.mark.parametrize("tokens", [0, 5000])
def test_pixel_limits_that_are_not_honoured_are_noticed(vlm: Vlm, tokens: int) -> None:
    def change(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "usage": {"prompt_tokens": tokens}} if len(vlm.asked) == len(TASKS) + 1 else answer

    assert "pixel limits are not honoured" in failure(vlm, change, strict=False)


def test_a_server_without_the_plugin_a_broken_one_and_none_are_told_apart(vlm: Vlm) -> None:
    assert "endpoint plugin was not loaded" in failure(vlm, lambda _answer: 404)
    assert "HTTP 500" in failure(vlm, lambda _answer: 500)
    with pytest.raises(WarmupFailed, match="ConnectError"):
        VlmWarmup("http://127.0.0.1:1/v1/markdown", strict=True).run()


def test_a_page_goes_through_the_real_engine() -> None:
    row = warm_up_page(Settings())
    assert (row.step, row.outcome.startswith("embedded")) == ("layout and OCR", True)


def test_an_engine_that_reads_nonsense_is_noticed() -> None:
    with pytest.raises(WarmupFailed, match=f"{NUMBER} was to be read"):
        warm_up_page(Settings(), engine="tests.faults.well_behaved:build")


def test_the_table_has_a_line_a_step() -> None:
    assert rendered([Row("VLM ocr", 1.234, "ok")]) == "VLM ocr                  1.23 s  ok\n"
