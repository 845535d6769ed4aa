"""What is asked of the VLM about one region of a page, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ocr_service.domain.blocks import ContentFormat, TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.domain.media import MediaType


class VlmTask(StrEnum):
    """What a region is read as; the `task` of `POST /v1/markdown`."""

    OCR = "ocr"
    TABLE = "table"
    FORMULA = "formula"
    CHART = "chart"
    SEAL = "seal"


class FinishReason(StrEnum):
    """Why the generation ended. `repetition`: the server stopped a loop; what it read before is in the answer."""

    STOP = "stop"
    LENGTH = "length"
    REPETITION = "repetition"


@dataclass(frozen=True, slots=True)
class Crop:
    """An encoded cut-out of the upright page for the VLM. `bbox` is what it shows, margin included, in upright page pixels.

    `width` and `height` are the picture's own; a tiny or very long cut-out lies in the middle of white.
    """

    block_id: str
    bbox: BBox
    width: int
    height: int
    media_type: MediaType
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A block that the VLM is to be asked about. `crops`: one for each attempt, the later with more margin; at least one."""

    block_id: str
    task: VlmTask
    crops: tuple[Crop, ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the VLM generates; None leaves the server's default. Temperature 0 is greedy."""

    temperature: float = 0.0
    repetition_penalty: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class VlmAnswer:
    """One answer. `raw` is the server's text as it came; `content` is in the block's format: plain text, HTML of a table, LaTeX.

    `table` is set for tables that are well formed; `defect` says in one phrase why `content` cannot be used ("" when it can):
    unbalanced markup, nothing in it, another task's markup. Tokens are the server's own count, 0 where it gives none.
    """

    raw: str
    content: str
    format: ContentFormat
    finish_reason: FinishReason
    table: TableGrid | None = None
    defect: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    model: str = ""
