"""POST /ocr/pdf: a document in, its pages out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ocr_service.api.disconnect import unless_gone
from ocr_service.api.documents import stored_file
from ocr_service.api.negotiation import AnswerKind, preferred
from ocr_service.api.options import FIELDS, parse_options
from ocr_service.api.owner import owner_of
from ocr_service.api.page_stream import PageStream
from ocr_service.api.parts import Journey, Parts, parts_of
from ocr_service.api.schemas import ANSWERS, PAGES_HEADER, REQUEST_BODY
from ocr_service.domain.errors import InvalidRequest
from ocr_service.outputs.document_json import encode_summary

router = APIRouter(tags=["ocr"])

_STORED = {AnswerKind.JSON: "result.json", AnswerKind.MARKDOWN: "document.md"}


@router.post("/ocr/pdf", responses=ANSWERS, openapi_extra=REQUEST_BODY, status_code=HTTPStatus.OK)
async def read_document(request: Request) -> Response:
    """Read a PDF, PNG, JPEG, WebP or TIFF.

    `Accept: application/json` (default) answers when all is done; `application/x-ndjson` sends a line per page as it finishes, then a
    summary line; `text/markdown` sends the Markdown alone. When the client closes the connection, the work stops.
    """
    refuse_query(request)
    parts = parts_of(request)
    kind = preferred(request.headers.get("accept"))
    async with AsyncExitStack() as stack:
        stack.enter_context(parts.documents.place())
        journey = await _begin(request, parts)
        stack.push_async_callback(journey.aclose)
        headers = {"Location": f"/ocr/documents/{journey.document_id}"}
        if kind is AnswerKind.NDJSON:
            idle_s = parts.upload_limits.idle_s
            headers[PAGES_HEADER] = str(journey.pages_asked)
            return PageStream(_lines(journey), headers=headers, idle_s=idle_s, release=stack.pop_all().aclose)
        await unless_gone(request.receive, journey.result())
    return await stored_file(request, journey.document_id, _STORED[kind], headers=headers)


def refuse_query(request: Request) -> None:
    """A typo in the query must not silently mean the default."""
    name = next(iter(request.query_params), None)
    if name is not None:
        raise InvalidRequest(f"Options are sent as form fields, not in the query; known fields: {', '.join(FIELDS)}.", field=name[:40])


async def _begin(request: Request, parts: Parts) -> Journey:
    """Take in the upload and start on it."""
    async with parts.uploads.receive(request, FIELDS, parts.upload_limits) as upload:
        options, password = parse_options(upload.fields, parts.defaults)
        parts.metrics.upload_received(upload.source.size_bytes)
        source = replace(upload.source, password=password)
        return await unless_gone(request.receive, parts.jobs.attached(source, options, owner_of(request)))


async def _lines(journey: Journey) -> AsyncGenerator[bytes, None]:
    """The pages' JSON as it lies on disk, then the summary."""
    async with aclosing(journey.pages()) as pages:
        async for _page, line in pages:
            yield line
    result = await journey.result()
    yield b'{"summary":' + encode_summary(result) + b"}"
