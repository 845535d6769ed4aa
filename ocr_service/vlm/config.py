"""What the client of the VLM server is built from."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Times in seconds. `url` is VLLM_URL, `model` the name to ask a plain OpenAI-compatible server for; "": it is asked which it has.

    A call waits `place_timeout_s` at most for its place among `max_concurrency`; from then on it has `answer_timeout_s`, retries
    included. Within that a connection is given `connect_timeout_s`, and the server may be silent for `first_byte_timeout_s`.
    `retries` come on top of the first attempt. The circuit breaker opens after `failures_to_open` failures in a row.
    """

    url: str
    api_key: str | None = field(default=None, repr=False)
    model: str = ""
    max_concurrency: int = 32
    connect_timeout_s: float = 3.0
    place_timeout_s: float = 300.0
    first_byte_timeout_s: float = 120.0
    answer_timeout_s: float = 150.0
    retries: int = 2
    first_backoff_s: float = 0.25
    longest_backoff_s: float = 10.0
    failures_to_open: int = 5
    first_pause_s: float = 1.0
    longest_pause_s: float = 15.0
