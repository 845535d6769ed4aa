"""Which form of answer a client wants, from its `Accept` header."""

from __future__ import annotations

from enum import StrEnum


class AnswerKind(StrEnum):
    """The forms in which a document is answered, best liked first."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"
    MARKDOWN = "text/markdown"


def preferred(accept: str | None) -> AnswerKind:
    """The form with the highest q-value; JSON where there is a tie, no header, or nothing that we have."""
    ranges = _media_ranges(accept or "")
    best = max(AnswerKind, key=lambda kind: _quality(kind, ranges))  # max() keeps the first of equals
    return best if _quality(best, ranges) > 0 else AnswerKind.JSON


def _media_ranges(accept: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for item in accept.split(","):
        media, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = next((_number(value[2:]) for value in parameters if value.startswith("q=")), 1.0)
        ranges[media] = max(quality, ranges.get(media, 0.0))
    return ranges


def _number(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def _quality(kind: AnswerKind, ranges: dict[str, float]) -> float:
    """The most specific range that matches decides (RFC 9110 §12.5.1)."""
    for media in (kind.value, f"{kind.value.split('/')[0]}/*", "*/*"):
        if media in ranges:
            return ranges[media]
    return 0.0
