"""Every task once through the VLM server's `/v1/markdown`, and whether the answers make sense."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from ocr_service.warming.samples import TASKS, Sample, large_sample, sample
from ocr_service.warming.table import Row, WarmupFailed, timed

# The model card's largest image is 3600 tokens of 28 × 28 pixels; the rest is the prompt.
_MAX_PROMPT_TOKENS = 3600 + 100
_MAX_ANSWER_TOKENS = 256
_PATIENCE_S = 300.0
_ENDED = {"stop", "length", "repetition"}


class VlmWarmup:
    """`strict`: the answers must also be right, which needs real weights. `api_key`: for a vLLM that was started with --api-key."""

    def __init__(self, url: str, *, strict: bool, api_key: str | None = None) -> None:
        self._url = url
        self._strict = strict
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(timeout=_PATIENCE_S, trust_env=False, headers=headers)

    def run(self) -> list[Row]:
        """Raises WarmupFailed at the first answer that cannot be."""
        rows, tokens = [], 0
        with self._client:
            for task in TASKS:
                asked = sample(task)
                seconds, answer = timed(lambda asked=asked: self._ask(asked))  # type: ignore[misc]
                rows.append(Row(f"VLM {task}", seconds, _summary(answer)))
                tokens = tokens or _prompt_tokens(answer)
            asked = large_sample()
            seconds, answer = timed(lambda: self._ask(asked))
            rows.append(Row("VLM large picture", seconds, _summary(answer)))
            self._check_pixel_limits(tokens, _prompt_tokens(answer))
        return rows

    def _ask(self, asked: Sample) -> dict[str, Any]:
        body = {"image": base64.b64encode(asked.png).decode(), "task": asked.task, "max_tokens": _MAX_ANSWER_TOKENS}
        try:
            response = self._client.post(self._url, json=body)
        except httpx.HTTPError as error:
            raise WarmupFailed(f"task {asked.task}: {type(error).__name__}") from error
        if response.status_code == httpx.codes.NOT_FOUND:
            raise WarmupFailed("the server has no /v1/markdown: its endpoint plugin was not loaded (VLLM_PLUGINS, vLLM 0.26 or newer)")
        if response.is_error:
            raise WarmupFailed(f"task {asked.task}: HTTP {response.status_code}: {response.text[:200]}")
        answer = response.json()
        self._check(asked, answer)
        return dict(answer)

    def _check(self, asked: Sample, answer: dict[str, Any]) -> None:
        if not isinstance(answer.get("markdown"), str) or answer.get("task") != asked.task or answer.get("finish_reason") not in _ENDED:
            raise WarmupFailed(f"task {asked.task}: not an answer of /v1/markdown: {str(answer)[:200]}")
        if not self._strict:
            return
        if asked.must_have not in answer["markdown"]:
            read = answer["markdown"][:100]
            raise WarmupFailed(
                f"task {asked.task}: {asked.must_have!r} was to be read, not {read!r}; do model, chat template and vLLM match?"
            )
        if answer["finish_reason"] != "stop" and asked.must_have:
            raise WarmupFailed(f"task {asked.task}: the answer does not end ({answer['finish_reason']}); do model and chat template match?")

    def _check_pixel_limits(self, small: int, large: int) -> None:
        if not 0 < small < large <= _MAX_PROMPT_TOKENS:
            raise WarmupFailed(f"pixel limits are not honoured: {small} tokens for a small picture, {large} for a large one")


def _prompt_tokens(answer: dict[str, Any]) -> int:
    usage = answer.get("usage")
    return int(usage.get("prompt_tokens", 0)) if isinstance(usage, dict) else 0


def _summary(answer: dict[str, Any]) -> str:
    return f"{_prompt_tokens(answer)} tokens in, {len(answer['markdown'])} characters out, {answer['finish_reason']}"
