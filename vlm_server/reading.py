"""A request as it comes over the wire, JSON or multipart, becomes a `Question`; whatever is wrong with it becomes a `Problem`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from vlm_server.problems import bad_image, invalid, too_large, unsupported
from vlm_server.prompts import Task

MAX_REQUEST_BYTES = 32 * 1024 * 1024


class Question(BaseModel):
    """What is asked about one region. `max_tokens` beyond what the context has room for is cut down to it."""

    model_config = ConfigDict(extra="forbid")

    image: Annotated[bytes, Field(min_length=1, repr=False)]
    task: Task = Task.OCR
    max_tokens: Annotated[int, Field(ge=1)] = 4096
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 0.0
    repetition_penalty: Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)] | None = None
    stream: bool = False
    raw: bool = False


async def read_question(request: Request) -> Question:
    """Raises Problem: 400 for wrong fields, 413 for too many bytes, 415 for another media type."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return _from_json(b"".join([part async for part in _limited(request)]))
    if kind == "multipart/form-data":
        return _checked(await _form_fields(request))
    raise unsupported("Send application/json with a base64 image, or multipart/form-data with a file.")


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_REQUEST_BYTES:
        raise too_large(f"The request is larger than {MAX_REQUEST_BYTES} bytes.")
    received = 0
    async for part in request.stream():
        received += len(part)
        if received > MAX_REQUEST_BYTES:
            raise too_large(f"The request is larger than {MAX_REQUEST_BYTES} bytes.")
        yield part


class _JsonQuestion(Question):
    image: str  # type: ignore[assignment]


def _from_json(body: bytes) -> Question:
    try:
        asked = _JsonQuestion.model_validate_json(body)
    except ValidationError as error:
        raise invalid(_first(error)) from None
    text = str(asked.image)
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        image = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise bad_image("The image is not valid base64.") from None
    return _checked({**asked.model_dump(exclude={"image"}), "image": image})


async def _form_fields(request: Request) -> dict[str, Any]:
    try:
        form = await MultiPartParser(request.headers, _limited(request), max_files=1, max_fields=10).parse()
    except MultiPartException as error:
        raise invalid(str(error)) from None
    try:
        fields: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise invalid("file: a file is required")
        return {**fields, "image": await file.read()}
    finally:
        await form.close()


def _checked(fields: Mapping[str, Any]) -> Question:
    try:
        return Question.model_validate(dict(fields))
    except ValidationError as error:
        raise invalid(_first(error)) from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"
