"""POST /v1/markdown in real vLLM on the CPU, with the tiny checkpoint that reads. On with OCR_TEST_VLLM=1 (make test sets vLLM up)."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import random
import socket

import httpx
import psutil
import pytest
from PIL import Image, features

from ocr_service.domain.geometry import BBox
from ocr_service.domain.media import MediaType
from ocr_service.domain.vlm import Crop, Sampling, VlmAnswer, VlmTask
from ocr_service.vlm.client import VlmClient
from ocr_service.vlm.config import ClientConfig
from tests.vlm_server.real import API_KEY, Server, until

pytestmark = [
    pytest.mark.skipif(os.environ.get("OCR_TEST_VLLM") != "1", reason="real vLLM is tested with OCR_TEST_VLLM=1 (needs 2.5 GB)"),
    pytest.mark.timeout(900),
    pytest.mark.e2e,
]


def crop(text: str = "Seconds", seed: int = 1) -> bytes:
    from tests.vlm_server.tiny.lines import draw

    out = io.BytesIO()
    draw(text, random.Random(seed)).image.save(out, "PNG")
    return out.getvalue()


def asked(image: bytes, **fields: object) -> dict[str, object]:
    return {"image": base64.b64encode(image).decode(), **fields}


def noise() -> bytes:
    """A picture without text, which the model writes about for as long as it may."""
    out = io.BytesIO()
    Image.effect_noise((600, 200), 90).save(out, "PNG")
    return out.getvalue()


def test_json_and_multipart_give_the_same_answer_with_usage_and_a_finish_reason(vllm: Server) -> None:
    by_json = vllm.http.post("/v1/markdown", json=asked(crop())).json()
    by_form = vllm.http.post("/v1/markdown", files={"file": ("crop.png", crop())}, data={"task": "ocr"}).json()

    assert by_json == by_form
    assert by_json["finish_reason"] == "stop"
    assert by_json["task"] == "ocr"
    assert by_json["usage"]["total_tokens"] == by_json["usage"]["prompt_tokens"] + by_json["usage"]["completion_tokens"] > 0


def test_a_stream_ends_with_the_answer_that_comes_without_streaming(vllm: Server) -> None:
    lines = vllm.http.post("/v1/markdown", json=asked(crop(), stream=True)).text.split("\n\n")
    events = [line.removeprefix("data: ") for line in lines if line]

    assert events[-1] == "[DONE]"
    whole = json.loads(events[-2])
    assert "".join(json.loads(event)["delta"] for event in events[:-2]) == whole["markdown"]
    assert whole == vllm.http.post("/v1/markdown", json=asked(crop())).json()


def test_max_tokens_ends_an_answer_with_length(vllm: Server) -> None:
    answer = vllm.http.post("/v1/markdown", json=asked(crop(), max_tokens=2)).json()

    assert answer["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (2000, 2)])
def test_a_crop_too_small_or_too_elongated_is_read_and_not_refused(vllm: Server, size: tuple[int, int]) -> None:
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, "PNG")

    assert vllm.http.post("/v1/markdown", json=asked(out.getvalue(), max_tokens=4)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (asked(b"no image"), 400, "bad_image"),
        ({"image": "%%%"}, 400, "bad_image"),
        (asked(b"x", task="poem"), 400, "invalid_request"),
        ({"image": "A" * (33 * 1024 * 1024)}, 413, "too_large"),
    ],
    ids=["no image", "no base64", "no such task", "too many bytes"],
)
def test_a_bad_request_is_a_problem_and_the_connection_lives_on(vllm: Server, body: dict[str, object], status: int, code: str) -> None:
    refused = vllm.http.post("/v1/markdown", json=body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers["content-type"] == "application/problem+json"
    assert vllm.http.post("/v1/markdown", json=asked(crop())).status_code == 200


@pytest.mark.skipif(not features.check("freetype2"), reason="Pillow without FreeType draws no text")
def test_the_services_client_hears_the_same_from_vllms_own_chat_completions(vllm: Server) -> None:
    """Every task, through VLLM_URL=…/v1/markdown and …/v1: prompts, pixels and sampling have to be the same for that."""
    sampling = Sampling(temperature=0.0, repetition_penalty=1.05, max_tokens=40)

    async def answers(url: str) -> dict[tuple[int, VlmTask], VlmAnswer]:
        client = VlmClient(ClientConfig(url, API_KEY), Silent())
        try:
            return {(n, task): await client.read(picture, task, sampling) for n, picture in enumerate(pictures) for task in VlmTask}
        finally:
            await client.aclose()

    pictures = [
        Crop("b01", BBox(0, 0, 1, 1), 1, 1, MediaType.PNG, crop(text, seed))
        for text, seed in (("Поставщик", 3), ("15.03.2024", 4), ("Seconds", 1))
    ]
    own, official = (asyncio.run(answers(f"{vllm.url}/v1{path}")) for path in ("/markdown", ""))

    assert own == official
    assert own[2, VlmTask.OCR].content == "Seconds"


class Silent:
    """A ClientObserver."""

    def vlm_asked(self, task: VlmTask, outcome: str, seconds: float, prompt_tokens: int, completion_tokens: int) -> None:
        """Nobody counts here."""

    def vlm_retried(self) -> None:
        """Nor here."""


def test_without_the_api_key_nobody_is_answered(vllm: Server) -> None:
    assert httpx.post(f"{vllm.url}/v1/markdown", json=asked(crop()), timeout=60).status_code == 401


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_ends_its_generation_in_the_engine(vllm: Server, stream: bool) -> None:
    body = json.dumps(asked(noise(), max_tokens=1000, temperature=2.0, stream=stream)).encode()
    head = "POST /v1/markdown HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer for-tests\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    # What a model says at this temperature may by chance be over before anyone sees it run; not five times in a row.
    for _ in range(5):
        finished = _finished(vllm)
        with socket.create_connection(("127.0.0.1", int(vllm.url.rpartition(":")[2]))) as client:
            client.sendall(head.encode() + body)
            _until_seen(vllm, finished)
        until(lambda: vllm.running() == 0, 30, "the end of the generation")
        if _finished(vllm) == finished:
            return
    pytest.fail("every generation ran to its end instead of being aborted")


def _until_seen(vllm: Server, finished: float) -> None:
    until(lambda: vllm.running() > 0 or _finished(vllm) > finished, 60, "a generation")


def _finished(vllm: Server) -> float:
    lines = vllm.http.get("/metrics").text.splitlines()
    ends = ('finished_reason="length"', 'finished_reason="stop"')
    ended = [line for line in lines if line.startswith("vllm:request_success_total") and any(end in line for end in ends)]
    return sum(float(line.split()[-1]) for line in ended)


@pytest.mark.skipif(not features.check("freetype2"), reason="Pillow without FreeType draws no text")
def test_it_reads_lines_with_words_that_it_was_never_trained_on(vllm: Server) -> None:
    import edlib

    from tests.vlm_server.tiny.lines import draw, make_text

    rng, wrong, letters = random.Random(2026), 0, 0
    for _ in range(60):
        line = draw(make_text(rng, 16, held_out=True), rng)
        out = io.BytesIO()
        line.image.save(out, "PNG")
        read = vllm.http.post("/v1/markdown", json=asked(out.getvalue(), max_tokens=60)).json()["markdown"]
        wrong += edlib.align(line.text, read)["editDistance"]
        letters += len(line.text)

    assert wrong / letters < MOST_WRONG, f"{wrong} of {letters} characters wrong"


MOST_WRONG = 0.25  # 15.6 % when it was trained


def test_a_dead_engine_is_503_with_retry_after(vllm: Server) -> None:
    """This server does not come back; whoever wants one after this gets another."""
    for child in psutil.Process(vllm.process.pid).children(recursive=True):
        if "EngineCore" in child.name() or "EngineCore" in " ".join(child.cmdline()):
            child.kill()
    until(lambda: vllm.http.get("/health").status_code == 503, 60, "an unhealthy server")

    answer = vllm.http.post("/v1/markdown", json=asked(crop()))

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
