"""A worker's answer, checked and turned into the domain's values and errors. The worker may be lying: it has read hostile files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ocr_service.domain.documents import DocumentInfo, PageAnalysis
from ocr_service.domain.errors import DocumentUnreadable, PageFailed, ServiceError, StorageFailed
from ocr_service.workers.protocol import Analysed, Failed, Inspected, Known, Outcome, Written

# Pictures are written under this name: it must stay in its folder.
PICTURE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.(?:png|jpg|webp)")
# Pages are kept in files of this name.
CACHE_KEY = re.compile(r"[0-9a-f]{64}")
LONGEST_DETAIL = 1000


def inspected(outcome: Outcome) -> DocumentInfo:
    """Raises DocumentUnreadable and its children."""
    match outcome:
        case Inspected(info):
            return info
        case Failed(code, detail):
            raise _error(DocumentUnreadable, code, detail)
        case _:
            raise DocumentUnreadable("The file could not be opened: the reader gave no sensible answer.")


def analysed(outcome: Outcome, page: int) -> PageAnalysis:
    """Raises PageFailed and its children."""
    match outcome:
        case Analysed(analysis) if analysis.page == page and _has_good_names(analysis):
            return analysis
        case Failed(code, detail):
            raise _error(PageFailed, code, detail)
        case _:
            raise PageFailed(f"Page {page} could not be read: the reader gave no sensible answer.")


def known(outcome: Outcome) -> Known | None:
    """Where a page that was to be looked for is kept; None if the answer is something else."""
    return outcome if isinstance(outcome, Known) and CACHE_KEY.fullmatch(outcome.key) else None


def _has_good_names(analysis: PageAnalysis) -> bool:
    key = analysis.cache_key
    return (not key or CACHE_KEY.fullmatch(key) is not None) and all(PICTURE_NAME.fullmatch(picture.name) for picture in analysis.pictures)


def written(outcome: Outcome) -> None:
    """Raises DocumentUnreadable, StorageFailed and their children."""
    match outcome:
        case Written():
            return
        case Failed(DocumentUnreadable.code, detail):
            raise DocumentUnreadable(detail[:LONGEST_DETAIL])
        case Failed(code, detail):
            raise _error(StorageFailed, code, detail)
        case _:
            raise StorageFailed("The searchable PDF could not be made: the worker gave no sensible answer.")


def _error(family: type[ServiceError], code: str, detail: str) -> ServiceError:
    """The error of that code, if it belongs to the family that the caller expects; else the family's own."""
    kinds = {kind.code: kind for kind in _descendants(family)}
    return kinds.get(code, family)(detail[:LONGEST_DETAIL])


def _descendants(family: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield family
    for child in family.__subclasses__():
        yield from _descendants(child)
