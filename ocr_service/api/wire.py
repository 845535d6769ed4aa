"""The JSON that leaves the service, as types: what the OpenAPI schema shows. Kept apart from the domain, so that either can change alone.

The document's JSON is written by `outputs/`, straight to disk; a test holds it against these types.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ocr_service.domain.blocks import ContentFormat, LayoutLabel, RefinementStatus, Source
from ocr_service.domain.documents import DocumentStatus, MediaType, OutputKind, PageStatus, RemoteStatus, TextLayerMode, VlmPolicy
from ocr_service.domain.jobs import JobStage, JobState


class Wire(BaseModel):
    """A JSON object without unknown keys."""

    model_config = ConfigDict(extra="forbid")


class Problem(Wire):
    """An error (RFC 9457). `code` is stable: branch on it, not on the texts."""

    type: str = Field(description="`urn:ocr-service:problem:<code>`.")
    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do, for people.")
    code: str
    request_id: str | None = None
    field: str | None = Field(default=None, description="The form field that is at fault; left out if none is.")
    retry_after_s: int | None = Field(default=None, description="When to try again, as in the header Retry-After; left out if pointless.")

    def to_json(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()


class Health(Wire):
    """The truth about the service, at most a few seconds old."""

    status: Literal["healthy", "degraded", "unhealthy"]
    models_present: bool
    models_path: str
    vllm_status: Literal["available", "unavailable", "disabled"]
    vllm_url: str
    use_vlm_api: bool
    output_dir: str
    s3_storage: Literal["not_configured", "configured", "unreachable"]


class Live(Wire):
    """The process runs its event loop."""

    status: Literal["alive"]


class Ready(Wire):
    """Whether documents are accepted, and why not."""

    status: Literal["ready", "not_ready"]
    reasons: list[str]


class Version(Wire):
    """What runs here."""

    service: str
    python: str
    engine: str = Field(description="Empty until the first page worker is ready.")
    libraries: dict[str, str]


Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the upright page."""


class PageErrorAnswer(Wire):
    """Why a page failed; the other pages are not touched by it."""

    code: str
    detail: str


class TextLayer(Wire):
    """Whether the page's own text was used instead of OCR, and why."""

    used: bool
    reason: str


class RefinementAnswer(Wire):
    """What became of the question to the VLM about a block."""

    status: RefinementStatus
    reason: str
    agreement: float | None
    attempts: int
    answer: str | None


class Cell(Wire):
    """A table cell; row and column count from 0."""

    row: int
    column: int
    rowspan: int
    colspan: int
    text: str
    is_header: bool
    bbox: Box | None


class Table(Wire):
    """A table's grid."""

    rows: int
    columns: int
    cells: list[Cell]


class Line(Wire):
    """A line of text as it was read; `confidence` is null where the characters are the file's own."""

    bbox: Box
    text: str
    confidence: float | None


class BlockAnswer(Wire):
    """A region of the page. `content` of a table is HTML, of a picture the name of its file under `images/`."""

    id: str
    label: LayoutLabel
    bbox: Box
    polygon: list[tuple[float, float]]
    order: int
    content: str
    format: ContentFormat
    confidence: float | None
    source: Source
    level: int | None
    marker: str | None
    refinement: RefinementAnswer
    table: Table | None
    lines: list[Line]
    warnings: list[str]


class Page(Wire):
    """A page. Width, height, dpi, rotation, skew and text_layer are null on a failed page, `error` is null on any other."""

    page: int
    status: PageStatus
    error: PageErrorAnswer | None
    width: int | None
    height: int | None
    dpi: int | None
    rotation: int | None
    skew: float | None
    text_layer: TextLayer | None
    blocks: list[BlockAnswer]
    markdown: str
    images: list[str]
    timings: dict[str, float]
    warnings: list[str]
    attempts: int
    image: str | None = Field(description="The one of `images` that shows the whole upright page; null unless `page_images` was asked for.")
    cached: bool = Field(description="Whether the page was not read anew: one that looks and reads the same was kept.")


class Options(Wire):
    """What was asked for, defaults filled in; `pages` is null where all were."""

    pages: list[int] | None
    dpi: int
    lang: str
    text_layer: TextLayerMode
    outputs: list[OutputKind]
    use_vlm: bool
    vlm_policy: VlmPolicy
    include_running: bool


class S3Copy(Wire):
    """The document in S3; `urls` (output name → link) is empty while it is pending."""

    status: RemoteStatus
    location: str
    urls: dict[str, str]


class Summary(Wire):
    """A document without its pages and Markdown. `page_count` is the file's. `timings` are seconds."""

    document_id: str
    filename: str
    sha256: str
    media_type: MediaType
    size_bytes: int
    status: DocumentStatus
    page_count: int
    failed_pages: list[int]
    created_at: str | None
    engine: str
    options: Options
    outputs: dict[str, str] = Field(description="Name → path below the document's folder.")
    urls: dict[str, str] = Field(description="Name → where this service serves the same file.")
    s3: S3Copy | None = Field(description="The copy in S3; null where S3 is not configured.")
    timings: dict[str, float]
    warnings: list[str]


class Document(Summary):
    """A document: the pages that were asked for, and the Markdown of all of them."""

    pages: list[Page]
    markdown: str


class SummaryLine(Wire):
    """The last line of a stream that went well."""

    summary: Summary


class ErrorLine(Wire):
    """The last line of a stream that broke off."""

    error: Problem


class JobErrorAnswer(Wire):
    """Why a job failed."""

    code: str
    detail: str


class JobLinks(Wire):
    """Where more is to be had; `document` and `markdown` once the job is complete or partial."""

    self: str
    events: str
    document: str
    markdown: str


class Job(Wire):
    """A document on its way, or at its end."""

    job_id: str
    document_id: str = Field(description="The same: results are below /ocr/documents/{document_id}.")
    state: JobState
    stage: JobStage
    filename: str
    size_bytes: int
    sha256: str
    page_count: int | None = Field(description="Pages that were asked for; null until the file was opened.")
    pages_done: int
    pages_failed: int
    pages_per_second: float | None = Field(description="Of this job; null until known.")
    eta_s: float | None = Field(description="Seconds until the last page; null until known.")
    queue_position: int | None = Field(description="1 is next; null unless queued.")
    created_at: str
    started_at: str | None
    finished_at: str | None
    expires_at: str | None = Field(description="When its results are removed; null if they are kept.")
    attempts: int = Field(description="How often it was begun: more than 1 after a restart of the service.")
    error: JobErrorAnswer | None
    warnings: list[str]
    links: JobLinks


class JobList(Wire):
    """Jobs, newest first. `next_cursor` asks for the next page; null on the last."""

    jobs: list[Job]
    next_cursor: str | None
