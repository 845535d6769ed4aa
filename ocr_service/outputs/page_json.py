"""A page as JSON: `pages/0001.json`, an element of `pages` in `result.json`, a line of the stream. All three are the same bytes.

The shape is a contract with clients. It is written from domain values here, and read back from files here, and nowhere else.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ocr_service.domain.blocks import (
    Block,
    ContentFormat,
    LayoutLabel,
    Refinement,
    RefinementStatus,
    Source,
    TableCell,
    TableGrid,
    TextLine,
)
from ocr_service.domain.documents import (
    MediaType,
    PageAnalysis,
    PageError,
    PageResult,
    PageStatus,
    Picture,
    TextLayerVerdict,
)
from ocr_service.domain.geometry import BBox, Point, Upright
from ocr_service.domain.text import printable
from ocr_service.outputs import table_html
from ocr_service.outputs.markdown import page_markdown

# left, top, right, bottom
Box = tuple[float, float, float, float]


class TextLayerJson(msgspec.Struct, frozen=True):
    """Whether the page's own text was used, and why."""

    used: bool
    reason: str


class ErrorJson(msgspec.Struct, frozen=True):
    """Why the page failed."""

    code: str
    detail: str


class RefinementJson(msgspec.Struct, frozen=True):
    """What became of the question to the VLM."""

    status: RefinementStatus
    reason: str
    agreement: float | None
    attempts: int
    answer: str | None


class CellJson(msgspec.Struct, frozen=True):
    """A table cell."""

    row: int
    column: int
    rowspan: int
    colspan: int
    text: str
    is_header: bool
    bbox: Box | None


class TableJson(msgspec.Struct, frozen=True):
    """A table's grid."""

    rows: int
    columns: int
    cells: list[CellJson]


class LineJson(msgspec.Struct, frozen=True):
    """A line as it was read."""

    bbox: Box
    text: str
    confidence: float | None


class BlockJson(msgspec.Struct, frozen=True):
    """A block. `content` of a table is its HTML, of a picture its file's name under `images/`."""

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
    refinement: RefinementJson
    table: TableJson | None
    lines: list[LineJson]
    warnings: list[str]


class PageJson(msgspec.Struct, frozen=True):
    """A page. `width`, `height`, `dpi`, `rotation`, `skew` and `text_layer` are null on a failed page, `error` on any other.

    `images` are all its files under `images/`; `image` is the one of the whole upright page, null unless `page_images` was asked for.
    `cached`: the page was read before, and kept.
    """

    page: int
    status: PageStatus
    error: ErrorJson | None
    width: int | None
    height: int | None
    dpi: int | None
    rotation: int | None
    skew: float | None
    text_layer: TextLayerJson | None
    blocks: list[BlockJson]
    markdown: str
    images: list[str]
    timings: dict[str, float]
    warnings: list[str]
    attempts: int
    image: str | None = None
    cached: bool = False


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(PageJson)


def encode_page(result: PageResult, *, include_running: bool = False) -> bytes:
    """The page's JSON, UTF-8, on one line, without a line end."""
    return _ENCODER.encode(_page(result, include_running=include_running))


def read_page(path: Path) -> PageResult:
    """The page as it was written; numbers are rounded, pictures have no data. Raises OSError, msgspec.DecodeError."""
    return decode_page(path.read_bytes())


def _page(result: PageResult, *, include_running: bool) -> PageJson:
    analysis = result.analysis
    upright = analysis.upright if analysis else None
    return PageJson(
        page=result.page,
        status=result.status,
        error=ErrorJson(result.error.code, printable(result.error.detail)) if result.error else None,
        width=upright.width if upright else None,
        height=upright.height if upright else None,
        dpi=analysis.dpi if analysis else None,
        rotation=upright.orientation if upright else None,
        skew=round(upright.skew, 3) if upright else None,
        text_layer=TextLayerJson(analysis.text_layer.used, printable(analysis.text_layer.reason)) if analysis else None,
        blocks=[_block(block) for block in analysis.blocks] if analysis else [],
        markdown=page_markdown(analysis.blocks, include_running=include_running) if analysis else "",
        images=[picture.name for picture in analysis.pictures] if analysis else [],
        timings={name: round(seconds, 3) for name, seconds in analysis.timings.items()} if analysis else {},
        warnings=[printable(warning) for warning in analysis.warnings] if analysis else [],
        attempts=result.attempts,
        image=analysis.image if analysis else None,
        cached=analysis.cached if analysis else False,
    )


def _block(block: Block) -> BlockJson:
    is_table = block.table is not None and block.format is not ContentFormat.IMAGE
    return BlockJson(
        id=block.id,
        label=block.label,
        bbox=_box(block.bbox),
        polygon=[(round(point.x, 1), round(point.y, 1)) for point in block.polygon],
        order=block.order,
        content=table_html.to_html(block.table) if block.table and is_table else printable(block.content),
        format=ContentFormat.HTML if is_table else block.format,
        confidence=_share(block.confidence),
        source=block.source,
        level=block.level,
        marker=printable(block.marker) if block.marker is not None else None,
        refinement=_refinement(block.refinement),
        table=_table(block.table) if block.table else None,
        lines=[LineJson(_box(line.bbox), printable(line.text), _share(line.confidence)) for line in block.lines],
        warnings=[printable(warning) for warning in block.warnings],
    )


def _refinement(refinement: Refinement) -> RefinementJson:
    return RefinementJson(
        refinement.status,
        printable(refinement.reason),
        _share(refinement.agreement),
        refinement.attempts,
        printable(refinement.answer) if refinement.answer is not None else None,
    )


def _table(grid: TableGrid) -> TableJson:
    cells = [
        CellJson(
            cell.row,
            cell.column,
            cell.rowspan,
            cell.colspan,
            printable(cell.text),
            cell.is_header,
            _box(cell.bbox) if cell.bbox else None,
        )
        for cell in grid.cells
    ]
    return TableJson(grid.rows, grid.columns, cells)


def _box(box: BBox) -> Box:
    return round(box.x0, 1), round(box.y0, 1), round(box.x1, 1), round(box.y1, 1)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def decode_page(data: bytes) -> PageResult:
    """The page of `encode_page`. Raises msgspec.DecodeError."""
    page = _DECODER.decode(data)
    error = PageError(page.error.code, page.error.detail) if page.error else None
    return PageResult(page.page, _read_analysis(page), error, page.attempts)


def _read_analysis(page: PageJson) -> PageAnalysis | None:
    if page.width is None or page.height is None or page.dpi is None or page.text_layer is None:
        return None
    return PageAnalysis(
        page=page.page,
        dpi=page.dpi,
        upright=Upright(page.width, page.height, page.rotation or 0, page.skew or 0.0),
        text_layer=TextLayerVerdict(page.text_layer.used, page.text_layer.reason),
        blocks=tuple(_read_block(block) for block in page.blocks),
        pictures=tuple(Picture(name, _picture_type(name), b"") for name in page.images),
        timings=page.timings,
        warnings=tuple(page.warnings),
        cached=page.cached,
    )


def _picture_type(name: str) -> MediaType:
    return {".jpg": MediaType.JPEG, ".jpeg": MediaType.JPEG, ".webp": MediaType.WEBP}.get(Path(name).suffix, MediaType.PNG)


def _read_block(block: BlockJson) -> Block:
    return Block(
        id=block.id,
        label=block.label,
        bbox=BBox(*block.bbox),
        order=block.order,
        content=block.content,
        source=block.source,
        format=block.format,
        polygon=tuple(Point(x, y) for x, y in block.polygon),
        confidence=block.confidence,
        level=block.level,
        marker=block.marker,
        lines=tuple(TextLine(BBox(*line.bbox), line.text, line.confidence) for line in block.lines),
        table=_read_table(block.table) if block.table else None,
        refinement=Refinement(
            block.refinement.status,
            block.refinement.reason,
            block.refinement.agreement,
            block.refinement.attempts,
            block.refinement.answer,
        ),
        warnings=tuple(block.warnings),
    )


def _read_table(table: TableJson) -> TableGrid:
    cells = (
        TableCell(cell.row, cell.column, cell.text, cell.rowspan, cell.colspan, cell.is_header, BBox(*cell.bbox) if cell.bbox else None)
        for cell in table.cells
    )
    return TableGrid(table.rows, table.columns, tuple(cells))
