"""What a client can meet. Branch on the class or on `code`, which is stable; the texts are for people.

ClientError
 ├─ Unreachable             nobody answered: wrong address, service down
 │   └─ TimedOut            silence for longer than is borne; asked again only where that does no harm
 ├─ AnswerBroken            the answer is not what this client knows, or broke off
 │   └─ BrokenOff           it broke off; asked for again only where that does no harm, as long as `Patience` allows
 ├─ NoResult                there is no document of this job
 │   ├─ JobFailed           it failed: `code` and `detail` are the job's own
 │   ├─ JobCancelled        somebody cancelled it
 │   └─ JobUnfinished       it waits or is being done
 └─ Refused                 the service said no: its problem (RFC 9457)
     ├─ Unauthorized        401, 403: no API key, or a wrong one
     ├─ NotFound            404
     ├─ Rejected            400, 408, 413, 415, 422: the file or an option is at fault; asking again is pointless
     │   └─ PasswordRequired  the PDF is encrypted, and no or a wrong password was given
     ├─ Busy                429, 503: as much work as it takes; the client has asked again already, as long as `Patience` allows
     └─ ServiceFailed       everything else: 500, 504, 507, …
"""

from __future__ import annotations


class ClientError(Exception):
    """No result. `code`: stable; `status`: the HTTP status, None where there was no answer; `detail`: what is wrong and what to do."""

    code = "client_error"
    status: int | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Unreachable(ClientError):
    """Nobody answered."""

    code = "unreachable"


class TimedOut(Unreachable):
    """Somebody is there, and was silent for too long."""

    code = "timed_out"


class AnswerBroken(ClientError):
    """The answer is not what this client knows, or broke off in the middle."""

    code = "answer_broken"


class BrokenOff(AnswerBroken):
    """The answer broke off in the middle."""


class NoResult(ClientError):
    """There is no document of this job."""


class JobFailed(NoResult):
    """The job failed; `code` is that of the error it ended with."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code


class JobCancelled(NoResult):
    """The job was cancelled."""

    code = "job_cancelled"


class JobUnfinished(NoResult):
    """The job is not over yet."""

    code = "job_unfinished"


class Refused(ClientError):
    """The service refused. `field`: the form field at fault; `retry_after_s`: when it wants to be asked again, in seconds."""

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int,
        field: str | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
        self.field = field
        self.retry_after_s = retry_after_s
        self.request_id = request_id


class Unauthorized(Refused):
    """The service wants an API key, or does not know this one."""


class NotFound(Refused):
    """There is no such document, job or file, or the address is not this service's."""


class Rejected(Refused):
    """The file or an option is at fault."""


class PasswordRequired(Rejected):
    """The document is encrypted."""


class Busy(Refused):
    """The service has as much work as it takes, or is stopping."""


class ServiceFailed(Refused):
    """The service failed."""


_BY_STATUS: dict[int, type[Refused]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    429: Busy,
    503: Busy,
}
_BY_CODE: dict[str, type[Refused]] = {"password_required": PasswordRequired}


def refusal(status: int, code: str) -> type[Refused]:
    """The class for a problem."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Rejected if 400 <= status < 500 else ServiceFailed
