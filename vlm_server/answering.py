"""One answer: what the model writes, watched for loops, cut at the asked length, counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from vlm_server.loop_guard import LoopGuard
from vlm_server.problems import engine_unavailable
from vlm_server.reading import Question


class Piece(Protocol):
    """See `engine.Piece`."""

    @property
    def text(self) -> str: ...
    @property
    def finish_reason(self) -> str | None: ...
    @property
    def prompt_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the engine counted them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """`raw` is everything that was written, `markdown` that without a loop."""

    markdown: str
    raw: str
    finish_reason: str
    usage: Usage

    def body(self, question: Question, model: str) -> dict[str, Any]:
        usage = asdict(self.usage) | {"total_tokens": self.usage.prompt_tokens + self.usage.completion_tokens}
        body = {"markdown": self.markdown, "task": question.task.value, "model": model, "finish_reason": self.finish_reason, "usage": usage}
        return body | ({"raw": self.raw} if question.raw else {})


async def watched(pieces: AsyncIterator[Piece], max_tokens: int) -> AsyncGenerator[str | Answer, None]:
    """The text piece by piece, then the `Answer`. The caller closes `pieces`: after a loop they are not read to their end."""
    guard, reason, prompt, completion = LoopGuard(), "", 0, 0
    async for piece in pieces:
        prompt, completion = max(prompt, piece.prompt_tokens), max(completion, piece.completion_tokens)
        reason = piece.finish_reason or reason
        if piece.text:
            looping = guard.feed(piece.text)
            yield piece.text
            if looping:
                yield Answer(guard.useful, guard.text, "repetition", Usage(prompt, completion))
                return
        if completion >= max_tokens and not reason:
            reason = "length"
            break
    if reason not in {"stop", "length"}:  # "abort", "error": the engine gave up, whatever it had written
        raise engine_unavailable()
    yield Answer(guard.text, guard.text, reason, Usage(prompt, completion))
