"""Why one attempt to ask the VLM gave no answer, and what follows from it."""

from __future__ import annotations


class Trouble(Exception):
    """`again`: another attempt may help. `retry_after_s`: the server's own wish. `is_failure`: it counts against the server.

    `detail` is shown to the client: it never holds the server's address or words.
    """

    def __init__(self, detail: str, *, again: bool, is_failure: bool = True, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.again = again
        self.is_failure = is_failure
        self.retry_after_s = retry_after_s


class NotThere(Trouble):
    """The server has no such path or model."""
