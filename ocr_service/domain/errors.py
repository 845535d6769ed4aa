"""Everything that can go wrong, by name. HTTP statuses are in `api/problems.py` only.

ServiceError
 ├─ InvalidRequest          a field is missing or out of range
 │   └─ IdempotencyKeyReused  the key came before with something else
 ├─ UploadTooLarge          more bytes than allowed
 ├─ UnsupportedMedia        not a PDF, PNG, JPEG, WebP or TIFF
 ├─ DocumentUnreadable      damaged, empty, or no page of it could be read
 │   ├─ PasswordRequired    encrypted, and no or a wrong password was given
 │   └─ TooManyPages        more pages than allowed
 ├─ DocumentNotFound        no such document or file in OUTPUT_DIR
 │   └─ JobNotFound         no such job, or somebody else's
 ├─ Overloaded              the queue is full; try again later
 │   └─ EngineUnavailable   no page worker can be started; try again later
 ├─ ShuttingDown            the service is stopping; try elsewhere
 ├─ DeadlineExceeded        out of time before the first page was done
 ├─ StorageFailed           the result could not be written
 │   └─ StorageFull         for want of space: a job waits for some
 ├─ DocumentCancelled       somebody cancelled it while others waited for it
 ├─ Interrupted             the service ended in the middle of it; an error of jobs only
 ├─ PageFailed              one page could not be read; never leaves the pipeline
 │   ├─ PageTimedOut, PageOutOfMemory, WorkerCrashed, PageTooLarge
 └─ VlmFailed               the VLM gave no answer about a region; never leaves the pipeline
     ├─ VlmUnavailable      not there, broken, too slow
     └─ VlmRefused          it does not take this region
"""

from __future__ import annotations


class ServiceError(Exception):
    """Something went wrong."""

    code = "service_error"

    def __init__(self, detail: str) -> None:
        """`detail` is shown to the client: say what to do, never where it happened in the code."""
        super().__init__(detail)
        self.detail = detail


class InvalidRequest(ServiceError):
    """The request is not valid."""

    code = "invalid_request"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.field = field


class IdempotencyKeyReused(InvalidRequest):
    """The idempotency key was used for another request before."""

    code = "idempotency_key_reused"


class UploadTooLarge(ServiceError):
    """The upload is larger than this service accepts."""

    code = "upload_too_large"


class UnsupportedMedia(ServiceError):
    """The file is of a type that this service does not read."""

    code = "unsupported_media"


class DocumentUnreadable(ServiceError):
    """The document could not be read."""

    code = "document_unreadable"


class PasswordRequired(DocumentUnreadable):
    """The document is encrypted."""

    code = "password_required"


class TooManyPages(DocumentUnreadable):
    """The document has more pages than this service accepts."""

    code = "too_many_pages"


class DocumentNotFound(ServiceError):
    """There is no such document or file."""

    code = "document_not_found"


class JobNotFound(DocumentNotFound):
    """There is no such job."""

    code = "job_not_found"


class Overloaded(ServiceError):
    """The service has as much work as it accepts."""

    code = "overloaded"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class EngineUnavailable(Overloaded):
    """No page worker is running."""

    code = "engine_unavailable"


class ShuttingDown(ServiceError):
    """The service is shutting down."""

    code = "shutting_down"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(ServiceError):
    """The document took longer than allowed."""

    code = "deadline_exceeded"


class StorageFailed(ServiceError):
    """The result could not be stored."""

    code = "storage_failed"


class StorageFull(StorageFailed):
    """The result could not be stored for want of space: nothing is wrong with the document, and there may be some later."""


class DocumentCancelled(ServiceError):
    """The document was cancelled."""

    code = "cancelled"


class Interrupted(ServiceError):
    """The service ended before the document was done, and nobody can go on with it."""

    code = "interrupted"


class PageFailed(ServiceError):
    """A page could not be read."""

    code = "page_failed"

    def __init__(self, detail: str, *, attempts: int = 1) -> None:
        super().__init__(detail)
        self.attempts = attempts


class PageTimedOut(PageFailed):
    """A page took longer than allowed."""

    code = "page_timed_out"


class PageOutOfMemory(PageFailed):
    """A page needed more memory than allowed."""

    code = "page_out_of_memory"


class WorkerCrashed(PageFailed):
    """The worker process died while it read a page."""

    code = "worker_crashed"


class PageTooLarge(PageFailed):
    """A page is larger than allowed."""

    code = "page_too_large"


class VlmFailed(ServiceError):
    """The VLM gave no answer about a region."""

    code = "vlm_failed"


class VlmUnavailable(VlmFailed):
    """The VLM server is not there, broken or too slow."""

    code = "vlm_unavailable"


class VlmRefused(VlmFailed):
    """The VLM server does not take this region: it would refuse it again."""

    code = "vlm_refused"
