"""What the service answers, as frozen values. Fields that a newer service adds are ignored; the README says what each means.

Boxes are (left, top, right, bottom) in pixels of the upright page at its `dpi`; times are in seconds.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

Box = tuple[float, float, float, float]


class _Result(msgspec.Struct, frozen=True):
    pass


class PageError(_Result, frozen=True):
    """Why a page failed."""

    code: str
    detail: str


class TextLayer(_Result, frozen=True):
    """Whether the page's own text was used, and why."""

    used: bool
    reason: str


class Refinement(_Result, frozen=True):
    """What became of the question to the VLM: `not_needed`, `accepted`, `rejected`, `failed`."""

    status: str
    reason: str
    agreement: float | None
    attempts: int
    answer: str | None


class Cell(_Result, frozen=True):
    """A table cell; row and column count from 0."""

    row: int
    column: int
    rowspan: int
    colspan: int
    text: str
    is_header: bool
    bbox: Box | None


class Table(_Result, frozen=True):
    """A table's grid."""

    rows: int
    columns: int
    cells: tuple[Cell, ...]


class Line(_Result, frozen=True):
    """A line of text as it was read; `confidence` 0–1, None where the characters are the file's own."""

    bbox: Box
    text: str
    confidence: float | None


class Block(_Result, frozen=True):
    """A part of a page: a paragraph, a table, a picture. `source` says who read it."""

    id: str
    label: str
    bbox: Box
    polygon: tuple[tuple[float, float], ...]
    order: int
    content: str
    format: str
    confidence: float | None
    source: str
    level: int | None
    marker: str | None
    refinement: Refinement
    table: Table | None
    lines: tuple[Line, ...]
    warnings: tuple[str, ...]


class Page(_Result, frozen=True):
    """A page; what is None on a failed one, is not known of it. `images`: names of files under `images/`; `image`: the whole page's.
    `cached`: it was read before, maybe in another document."""

    page: int
    status: str
    error: PageError | None
    width: int | None
    height: int | None
    dpi: int | None
    rotation: int | None
    skew: float | None
    text_layer: TextLayer | None
    blocks: tuple[Block, ...]
    markdown: str
    images: tuple[str, ...]
    timings: dict[str, float]
    warnings: tuple[str, ...]
    attempts: int
    image: str | None = None
    cached: bool = False

    @property
    def failed(self) -> bool:
        return self.status == "failed"


class UsedOptions(_Result, frozen=True):
    """What was asked for, the service's defaults filled in."""

    pages: tuple[int, ...] | None
    dpi: int
    lang: str
    text_layer: str
    outputs: tuple[str, ...]
    use_vlm: bool
    vlm_policy: str
    include_running: bool


class S3Copy(_Result, frozen=True):
    """The document in S3; `urls` is empty while it is pending."""

    status: str
    location: str
    urls: dict[str, str]


class Summary(_Result, frozen=True):
    """A document without its pages. `outputs`: name → path below the document's folder, for `download`."""

    document_id: str
    filename: str
    sha256: str
    media_type: str
    size_bytes: int
    status: str
    page_count: int
    failed_pages: tuple[int, ...]
    created_at: datetime | None
    engine: str
    options: UsedOptions
    outputs: dict[str, str]
    urls: dict[str, str]
    s3: S3Copy | None
    timings: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def partial(self) -> bool:
        """Whether a page failed."""
        return self.status == "partial"


class Document(Summary, frozen=True):
    """A document: the pages that were asked for, and the Markdown of all of them."""

    pages: tuple[Page, ...]
    markdown: str


class Health(_Result, frozen=True):
    """`status`: `healthy`, `degraded` (it serves, but the VLM or S3 is away), `unhealthy`."""

    status: str
    models_present: bool
    models_path: str
    vllm_status: str
    vllm_url: str
    use_vlm_api: bool
    output_dir: str
    s3_storage: str


class Ready(_Result, frozen=True):
    """Whether documents are accepted, and why not."""

    status: str
    reasons: tuple[str, ...]

    @property
    def ready(self) -> bool:
        return self.status == "ready"


class Version(_Result, frozen=True):
    """What runs there. `engine` is empty until the first page worker is ready."""

    service: str
    python: str
    engine: str
    libraries: dict[str, str]
