"""The fake VLM server itself: tests that rest on it are worth what it is worth."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import pytest

from tests.fakes.scenario import eventually, run
from tests.fakes.vlm_acts import Act, Answer, Drip, Fail, Garbage, HangUp, Moment, Reset, Say, Stall
from tests.fakes.vlm_server import FakeVlm, in_turn, vlm_in_thread

IMAGE = b"\x89PNG the bytes as they are"
DATA_URL = "data:image/png;base64," + base64.b64encode(IMAGE).decode()
MARKDOWN: dict[str, Any] = {"image": DATA_URL, "task": "table"}
CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": DATA_URL}}, {"type": "text", "text": "Table Recognition:"}],
        }
    ],
}


def test_both_ways_of_asking_are_understood_as_the_same_question() -> None:
    async def scenario() -> None:
        async with FakeVlm(lambda asked: Answer(f"{asked.task} of {len(asked.image)}")) as vlm, httpx.AsyncClient() as client:
            own = await client.post(vlm.url, json=MARKDOWN)
            openai = await client.post(f"{vlm.openai_url}/chat/completions", json=CHAT)
            expected = f"table of {len(IMAGE)}"
            assert own.json()["markdown"] == openai.json()["choices"][0]["message"]["content"] == expected
            assert [(asked.task, asked.image, asked.media_type) for asked in vlm.asked] == [("table", IMAGE, "image/png")] * 2
            assert vlm.connections == 1

    run(scenario())


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (Reset(), httpx.ReadError),
        (Reset(Moment.IN_BODY), httpx.ReadError),
        (HangUp(Moment.BEFORE_ANSWER), httpx.RemoteProtocolError),
        (HangUp(Moment.AFTER_HEAD), httpx.RemoteProtocolError),
        (HangUp(Moment.IN_BODY), httpx.RemoteProtocolError),
        (Garbage(), httpx.RemoteProtocolError),
        (Stall(), httpx.ReadTimeout),
        (Stall(Moment.IN_BODY), httpx.ReadTimeout),
    ],
)
def test_each_way_to_break_an_answer_looks_as_it_should_to_a_client(act: Act, error: type[Exception]) -> None:
    async def scenario() -> None:
        async with FakeVlm(in_turn(act)) as vlm, httpx.AsyncClient(timeout=0.3) as client:
            with pytest.raises(error):
                await client.post(vlm.url, json=MARKDOWN)
            # Only a client that leaves a stalled server is counted as gone.
            if isinstance(act, Stall):
                await eventually(lambda: vlm.disconnects == [0])
            else:
                assert vlm.disconnects == []
            await eventually(lambda: vlm.open_connections == 0 and vlm.in_flight == 0)

    run(scenario())


def test_acts_come_in_turn_and_the_last_one_repeats() -> None:
    async def scenario() -> None:
        script = in_turn(Fail(503, retry_after="7"), Say(b"[]"), Drip("drop by drop", pause_s=0.001, chunk=20), Answer("fine"))
        async with FakeVlm(script) as vlm, httpx.AsyncClient() as client:
            answers = [await client.post(vlm.url, json=MARKDOWN) for _ in range(5)]
            assert [answer.status_code for answer in answers] == [503, 200, 200, 200, 200]
            assert answers[0].headers["retry-after"] == "7"
            assert answers[1].json() == []
            assert [answer.json()["markdown"] for answer in answers[2:]] == ["drop by drop", "fine", "fine"]

    run(scenario())


def test_the_key_guards_v1_and_not_the_health_page() -> None:
    async def scenario() -> None:
        async with FakeVlm(in_turn(Answer("text")), api_key="key") as vlm, httpx.AsyncClient() as client:
            base = f"http://127.0.0.1:{vlm.port}"
            assert (await client.get(f"{base}/health")).status_code == 200
            assert (await client.get(f"{base}/v1/models")).status_code == 401
            models = await client.get(f"{base}/v1/models", headers={"Authorization": "Bearer key"})
            assert models.json()["data"][0]["id"] == vlm.model
            assert (await client.post(f"{base}/v1/nothing", headers={"Authorization": "Bearer key"})).status_code == 404
            bad = await client.post(vlm.url, json={"task": "ocr"}, headers={"Authorization": "Bearer key"})
            assert bad.status_code == 400

    run(scenario())


def test_a_gate_holds_the_answer_and_what_is_in_flight_is_counted() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()
        async with FakeVlm(in_turn(Answer("text", gate=gate))) as vlm, httpx.AsyncClient() as client:
            asking = [asyncio.create_task(client.post(vlm.url, json=MARKDOWN)) for _ in range(3)]
            await eventually(lambda: vlm.in_flight == 3)
            gate.set()
            await asyncio.gather(*asking)
            assert (vlm.peak_in_flight, vlm.in_flight) == (3, 0)

    run(scenario())


def test_it_runs_in_a_thread_for_tests_without_an_event_loop() -> None:
    with vlm_in_thread(lambda asked: Answer(asked.task)) as vlm:
        assert httpx.post(vlm.url, json=MARKDOWN).json()["markdown"] == "table"
    with pytest.raises(httpx.ConnectError):
        httpx.get(vlm.url)
