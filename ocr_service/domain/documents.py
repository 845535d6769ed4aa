"""The document on its way: the upload, what is known of it, the analysed page, the page's result, the document's result."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from ocr_service.domain.blocks import Block
from ocr_service.domain.geometry import Upright
from ocr_service.domain.media import MediaType as MediaType
from ocr_service.domain.vlm import Question


class TextLayerMode(StrEnum):
    """`auto`: believe a PDF's own text where it can be trusted; `ignore`: always OCR; `only`: never OCR."""

    AUTO = "auto"
    IGNORE = "ignore"
    ONLY = "only"


class OutputKind(StrEnum):
    """Extras that are made on request, beside `result.json` and `document.md`, which are always made."""

    SEARCHABLE_PDF = "searchable_pdf"
    TABLES = "tables"
    PAGE_IMAGES = "page_images"


class VlmPolicy(StrEnum):
    """Which blocks are shown to the VLM: those that need it, every one that it could help, or none. `domain/questions.py` has the rules."""

    AUTO = "auto"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An upload as it lies on disk. `filename` is the client's, for display only; `password` opens an encrypted PDF."""

    path: Path
    media_type: MediaType
    filename: str
    sha256: str
    size_bytes: int
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What opening the file told."""

    page_count: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageOptions:
    """Everything but the file and the page number that the recognition of a page depends on. `lang` is an ISO 639-1 code.

    `image`: a small picture of the whole page is wanted, too.
    """

    dpi: int = 200
    lang: str = "ru"
    text_layer: TextLayerMode = TextLayerMode.AUTO
    vlm_policy: VlmPolicy = VlmPolicy.NONE
    image: bool = False


@dataclass(frozen=True, slots=True)
class DocumentOptions:
    """A request: which pages (1-based, ascending, None for all), how each is read, what is made of them."""

    page: PageOptions = field(default_factory=PageOptions)
    pages: tuple[int, ...] | None = None
    outputs: frozenset[OutputKind] = frozenset()
    include_running: bool = False

    @property
    def use_vlm(self) -> bool:
        return self.page.vlm_policy is not VlmPolicy.NONE


@dataclass(frozen=True, slots=True)
class TextLayerVerdict:
    """Whether the page's own text was used, and why (a short phrase for people, e.g. "trusted", "no text", "letters unmapped")."""

    used: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded cut-out of the upright page, named as its file under `images/` will be ("p0003-b07.png")."""

    name: str
    media_type: MediaType
    data: bytes = field(repr=False)


def page_image_name(page: int) -> str:
    """The name of the picture of a whole page; a cut-out's name goes on with its block."""
    return f"p{page:04d}.jpg"


@dataclass(frozen=True, slots=True)
class PageAnalysis:
    """What a page worker returns. `page` counts from 1; `timings` are seconds per stage; `blocks` are in reading order.

    `questions`: what the VLM is to be asked, in the order of the blocks, with the crops to show; they go no further than the refiner.
    `cached`: the page was read before, maybe in another document. `cache_key`: under which it may be kept, empty if it may not.
    """

    page: int
    dpi: int
    upright: Upright
    text_layer: TextLayerVerdict
    blocks: tuple[Block, ...]
    pictures: tuple[Picture, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    cached: bool = False
    cache_key: str = ""

    @property
    def image(self) -> str | None:
        """The name of the picture that shows the whole page, None where none was wanted."""
        name = page_image_name(self.page)
        return name if any(picture.name == name for picture in self.pictures) else None


class PageStatus(StrEnum):
    """Whether a page could be read."""

    OK = "ok"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PageError:
    """Why a page failed: a stable code and a sentence that says what to do."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class PageResult:
    """A finished page: exactly one of `analysis` and `error` is set. `attempts` counts worker runs."""

    page: int
    analysis: PageAnalysis | None = None
    error: PageError | None = None
    attempts: int = 1

    @property
    def status(self) -> PageStatus:
        return PageStatus.OK if self.error is None else PageStatus.FAILED


class DocumentStatus(StrEnum):
    """`partial`: at least one page was read and at least one failed."""

    COMPLETE = "complete"
    PARTIAL = "partial"


class RemoteStatus(StrEnum):
    """`pending`: not all files are there yet, and the service keeps trying."""

    UPLOADED = "uploaded"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class RemoteCopy:
    """The document in the object store. `location` names its folder there, `urls` (output name → link) is empty until it is uploaded."""

    status: RemoteStatus
    location: str
    urls: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentResult:
    """The document as a whole; its pages are on disk. `page_count` is the file's, `pages` those that were asked for.

    `outputs` maps a name (`json`, `markdown`, `source`, `searchable_pdf`, `tables_xlsx`, …) to a path relative to the document's folder;
    it and `created_at` are filled in when the document is finished. `remote` is None where there is no object store.
    """

    document_id: str
    source: SourceFile
    options: DocumentOptions
    status: DocumentStatus
    page_count: int
    pages: tuple[int, ...]
    failed_pages: tuple[int, ...]
    engine: str
    outputs: dict[str, str] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    created_at: datetime | None = None
    remote: RemoteCopy | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a finished document; `name` is its path relative to the document's folder."""

    name: str
    path: Path
    media_type: str
    size_bytes: int
