"""The parts of the OpenAPI schema that are written by hand: bodies that are streamed and so never pass through a model."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ocr_service.api.gate import DOCUMENT_PATHS, KEY_HEADER, METRICS_PATH, is_open
from ocr_service.api.multipart import FILE_FIELD
from ocr_service.api.negotiation import AnswerKind
from ocr_service.api.options import FIELDS, MAX_DPI, MAX_PASSWORD_CHARS, MIN_DPI
from ocr_service.api.problems import PROBLEM_TYPE
from ocr_service.api.wire import Document, ErrorLine, Job, JobList, Page, Problem, SummaryLine
from ocr_service.domain.documents import OutputKind, TextLayerMode, VlmPolicy

Json = dict[str, Any]

_REF = "#/components/schemas/{model}"
_LINES = (Page, SummaryLine, ErrorLine)


def ref(name: str) -> Json:
    return {"$ref": _REF.format(model=name)}


def problem(description: str) -> Json:
    """A problem+json response."""
    return {"description": description, "content": {PROBLEM_TYPE: {"schema": ref(Problem.__name__)}}}


def document_content(description: str) -> Json:
    return {"description": description, "content": {AnswerKind.JSON.value: {"schema": ref(Document.__name__)}}}


PAGES_HEADER = "OCR-Pages"

_RETRY_HEADER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}

NOT_FOUND = problem("There is no such document or file.")

ANSWERS: dict[int | str, Json] = {
    200: {
        "description": "The document. Which form is decided by `Accept`.",
        "headers": {
            "Location": {"description": "`/ocr/documents/{document_id}`", "schema": {"type": "string"}},
            PAGES_HEADER: {"description": "How many pages a stream will have, for progress.", "schema": {"type": "integer"}},
        },
        "content": {
            AnswerKind.JSON.value: {"schema": ref(Document.__name__)},
            AnswerKind.NDJSON.value: {
                "schema": {
                    "description": "A JSON object a line: pages as they finish, then `summary`, or `error` if it broke off.",
                    "anyOf": [ref(line.__name__) for line in _LINES],
                }
            },
            AnswerKind.MARKDOWN.value: {"schema": {"type": "string"}},
        },
    },
    400: problem("The body is not valid multipart/form-data."),
    408: problem("The upload stood still."),
    413: problem("The file has too many bytes or pages."),
    415: problem("The body is not multipart/form-data, or the file is not a PDF, PNG, JPEG, WebP or TIFF."),
    422: problem("A field is missing or out of range (`field` names it), or the document cannot be opened."),
    503: {**problem("Too much work, or shutting down: try again later."), "headers": _RETRY_HEADER},
    409: problem("Somebody cancelled the document (DELETE /ocr/jobs/{id})."),
    504: problem("Out of time before the first page was done."),
    507: problem("The result could not be stored."),
}

_PROPERTIES: dict[str, Json] = {
    FILE_FIELD: {"type": "string", "format": "binary", "description": "PDF, PNG, JPEG, WebP or TIFF."},
    "pages": {"type": "string", "pattern": "^[1-9][0-9]*(-[1-9][0-9]*)?(,[1-9][0-9]*(-[1-9][0-9]*)?)*$", "examples": ["1-3,7"]},
    "dpi": {"type": "integer", "minimum": MIN_DPI, "maximum": MAX_DPI},
    "lang": {"type": "string", "pattern": "^[a-z]{2,3}$", "examples": ["ru"], "description": "ISO 639 code."},
    "text_layer": {"type": "string", "enum": list(TextLayerMode), "default": TextLayerMode.AUTO},
    "outputs": {"type": "array", "items": {"type": "string", "enum": list(OutputKind)}, "description": "Repeated, or a comma list."},
    "password": {"type": "string", "maxLength": MAX_PASSWORD_CHARS, "description": "Opens an encrypted PDF."},
    "use_vlm": {"type": "boolean", "description": "Whether regions are refined by the VLM; true only where the deployment has one."},
    "vlm_policy": {"type": "string", "enum": list(VlmPolicy), "description": "Which regions: `none` is `use_vlm=false`."},
    "include_headers_footers": {"type": "boolean", "default": False, "description": "Running heads and feet in the Markdown."},
}
assert set(_PROPERTIES) == {FILE_FIELD, *FIELDS}

REQUEST_BODY: Json = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": [FILE_FIELD], "properties": _PROPERTIES, "additionalProperties": False}
            }
        },
    }
}


def install(app: FastAPI, *, guarded: bool) -> None:
    """Serve the generated schema with the types added that only hand-written parts refer to. `guarded`: keys are needed."""

    def openapi() -> Json:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            models: list[tuple[type[BaseModel], Literal["serialization"]]] = [
                (model, "serialization") for model in (Document, Job, JobList, Problem, *_LINES)
            ]
            _, definitions = models_json_schema(models, ref_template=_REF)
            components = schema.setdefault("components", {}).setdefault("schemas", {})
            components.update(definitions["$defs"])
            _forget_fastapis_own_validation(schema)
            if guarded:
                _add_keys(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _add_keys(schema: Json) -> None:
    schema["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
    }
    for path, operations in schema["paths"].items():
        # /metrics may have a token of its own, or be open.
        if is_open(path) or path == METRICS_PATH:
            continue
        for operation in operations.values():
            operation["security"] = [{"bearer": []}, {"key": []}]
            operation["responses"]["401"] = problem("No API key, or one that the service does not know.")
    for path in DOCUMENT_PATHS:
        refusal = {**problem("The key has as many documents in progress, or in this minute, as it may."), "headers": _RETRY_HEADER}
        schema["paths"][path]["post"]["responses"]["429"] = refusal


def _forget_fastapis_own_validation(schema: Json) -> None:
    """Path parameters are plain text, so the 422 that FastAPI announces for each of them can never come."""
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    for operations in schema["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            if "HTTPValidationError" in str(answers.get("422")):
                del answers["422"]
