"""What the OpenAPI schema says of jobs."""

from __future__ import annotations

from copy import deepcopy

from ocr_service.api.event_stream import MEDIA_TYPE
from ocr_service.api.schemas import ANSWERS, REQUEST_BODY, Json, problem, ref
from ocr_service.api.wire import Job, JobList, Page

_NO_JOB = problem("There is no such job.")
_NOT_NOW = problem("The database of jobs cannot be used now.")
_INVALID = problem("A parameter is out of range (`field` names it).")


def _json(description: str, name: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": ref(name)}}}


_JOB = _json("The job.", Job.__name__)

TAKEN: dict[int | str, Json] = {
    202: {
        **_json("The job, accepted for good.", Job.__name__),
        "headers": {
            "Location": {"description": "`/ocr/jobs/{job_id}`", "schema": {"type": "string"}},
            "Idempotency-Replayed": {"description": "`true`: the key came before, this is that job.", "schema": {"type": "string"}},
        },
    },
    **{status: answer for status, answer in ANSWERS.items() if status in {400, 408, 413, 415, 422, 503, 507}},
}
FOUND: dict[int | str, Json] = {200: _JOB, 404: _NO_JOB, 507: _NOT_NOW}
CANCELLED: dict[int | str, Json] = FOUND
LISTED: dict[int | str, Json] = {200: _json("Jobs, newest first.", JobList.__name__), 422: _INVALID, 507: _NOT_NOW}
_EVENT: Json = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "enum": ["job", "page"]},
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"anyOf": [ref(Job.__name__), ref(Page.__name__)]},
        },
    },
}
EVENTS: dict[int | str, Json] = {
    200: {
        "description": "`event: job` with a Job as data, `event: page` with a Page as data and its number as id; ends with the job.",
        "content": {MEDIA_TYPE: {"schema": _EVENT}},
    },
    404: _NO_JOB,
    422: problem("Last-Event-ID is not a number."),
    507: _NOT_NOW,
}

JOB_BODY: Json = deepcopy(REQUEST_BODY)
JOB_BODY["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["webhook_url"] = {
    "type": "string",
    "format": "uri",
    "description": "Called with POST when the job is over; signed. Only where the deployment has a secret for that.",
}
