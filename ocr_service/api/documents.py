"""What is stored of a document: its answer and its files."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from ocr_service.api.files import FileAnswer
from ocr_service.api.owner import owner_of
from ocr_service.api.parts import parts_of
from ocr_service.api.schemas import NOT_FOUND, document_content
from ocr_service.domain.errors import DocumentNotFound, JobNotFound

router = APIRouter(tags=["documents"])

DocumentId = Annotated[str, Path(description="`document_id` of an answer.")]


_DOCUMENT = document_content("The document, as POST /ocr/pdf answered it.")


@router.get("/ocr/documents/{document_id}", responses={200: _DOCUMENT, 404: NOT_FOUND})
async def document(request: Request, document_id: DocumentId) -> Response:
    """A finished document's `result.json`."""
    await _check_owner(request, document_id)
    return await stored_file(request, document_id, "result.json")


@router.get(
    "/ocr/documents/{document_id}/files/{name:path}",
    responses={200: {"description": "The file.", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}, 404: NOT_FOUND},
)
async def document_file(
    request: Request,
    document_id: DocumentId,
    name: Annotated[str, Path(description="A path from `outputs`, e.g. `document.md`, `pages/0001.json`, `images/p0001-b03.png`.")],
) -> Response:
    """A file of a finished document."""
    await _check_owner(request, document_id)
    return await stored_file(request, document_id, name)


async def _check_owner(request: Request, document_id: str) -> None:
    """Raises DocumentNotFound where the request has a key and the document came with somebody else's, or with none."""
    owner = owner_of(request)
    if not owner:
        return
    try:
        await parts_of(request).jobs.get(document_id, owner)
    except JobNotFound:
        raise DocumentNotFound("There is no such document.") from None


async def stored_file(request: Request, document_id: str, name: str, *, headers: dict[str, str] | None = None) -> Response:
    """A file of a document as an answer. Raises DocumentNotFound."""
    parts = parts_of(request)
    stored = await asyncio.to_thread(parts.archive.file, document_id, name)
    try:
        return FileAnswer(stored.path, stored.media_type, idle_s=parts.upload_limits.idle_s, headers=headers)
    except OSError:
        raise DocumentNotFound("There is no such document or file.") from None
