"""What vLLM's refusals become. vLLM itself is not here: its modules are stand-ins that have the names which engine.py asks for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.requests import Request

from vlm_server.endpoint import respond
from vlm_server.reading import Question

PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\nIDATx\x9cc\xf8\x0f"
    b"\x00\x01\x01\x01\x00\x1b\xb6\xeeV\x00\x00\x00\x00IEND\xaeB`\x82"
)


class EngineDeadError(Exception):
    pass


class EngineGenerateError(Exception):
    pass


class AnyRequest(BaseModel, extra="allow"):
    pass


class Error(BaseModel):
    """As vLLM 0.32 describes an exception."""

    code: int
    type: str
    message: str


class Raised(Exception):
    """An exception of vLLM's and what vLLM makes of it."""

    def __init__(self, code: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.error = Error(code=code, type=kind, message=message)


@dataclass
class Chat:
    """vLLM's chat handler, which fails: before it answers, or, if `late`, in its answer."""

    error: Exception
    late: bool = False
    model_config = SimpleNamespace(max_model_len=2048)

    def create_error_response(self, error: Exception) -> Any:
        known = error.error if isinstance(error, Raised) else Error(code=500, type="InternalServerError", message=str(error))
        return SimpleNamespace(error=known)

    async def create_chat_completion(self, _asked: object, _request: object) -> AsyncGenerator[str, None]:
        if not self.late:
            raise self.error
        return self._events()

    async def _events(self) -> AsyncGenerator[str, None]:
        yield f'data: {{"error": {self.create_error_response(self.error).error.model_dump_json()}}}\n\n'
        yield "data: [DONE]\n\n"


@pytest.fixture(autouse=True)
def _vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    errors, protocol = "vllm.v1.engine.exceptions", "vllm.entrypoints.openai.chat_completion.protocol"
    for name in (errors, protocol):
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            parent = ".".join(parts[:end])
            if parent not in sys.modules:
                monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    vars(sys.modules[errors]).update(EngineDeadError=EngineDeadError, EngineGenerateError=EngineGenerateError)
    vars(sys.modules[protocol]).update(ChatCompletionRequest=AnyRequest)


def answered(chat: Chat, stream: bool) -> tuple[int, str, str | None]:
    """Status, code, Retry-After."""
    models = SimpleNamespace(base_model_paths=[SimpleNamespace(name="PaddleOCR-VL-0.9B")])
    app = SimpleNamespace(state=SimpleNamespace(openai_serving_models=models, openai_serving_chat=chat))
    request = Request({"type": "http", "app": app, "headers": []})
    response = asyncio.run(respond(request, Question(image=PIXEL, stream=stream)))
    assert response.media_type == "application/problem+json"
    body = bytes(response.body).decode()
    code = next(code for code in ("overloaded", "engine_unavailable", "invalid_request", "bad_image") if code in body)
    return response.status_code, code, response.headers.get("retry-after")


FULL_QUEUE = Raised(503, "Service Unavailable", "The engine is currently busy and cannot accept new requests.")
FULL_OF_TOKENS = Raised(503, "Service Unavailable", "The engine has reached its prefill token backlog limit.")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", [FULL_QUEUE, FULL_OF_TOKENS, Raised(429, "Too Many Requests", "")], ids=str)
def test_a_full_queue_is_overloaded_and_says_when_to_come_back(error: Exception, late: bool, stream: bool) -> None:
    assert answered(Chat(error, late), stream) == (503, "overloaded", "5")


@pytest.mark.parametrize("late", [False, True])
def test_a_failed_generation_is_no_overload_although_it_has_the_same_status(late: bool) -> None:
    error = Raised(503, "ServiceUnavailableError", "Request failed; please retry")
    assert answered(Chat(error, late), stream=False) == (503, "engine_unavailable", "5")


@pytest.mark.parametrize("late", [False, True])
def test_what_vllm_finds_wrong_with_the_question_is_the_questions_fault(late: bool) -> None:
    error = Raised(400, "BadRequestError", "The decoder prompt is longer than the maximum model length")
    assert answered(Chat(error, late), stream=False) == (400, "invalid_request", None)


@pytest.mark.parametrize("error", [EngineDeadError(), EngineGenerateError(), RuntimeError("a defect")], ids=repr)
def test_a_dead_engine_and_a_defect_are_an_answer_all_the_same(error: Exception) -> None:
    assert answered(Chat(error), stream=False) == (503, "engine_unavailable", "5")
