"""What the VLM was to be asked about and was not, over a whole document: one warning, whatever the number of pages."""

from __future__ import annotations

from collections import Counter

from ocr_service.domain.blocks import RefinementStatus
from ocr_service.domain.documents import PageResult
from ocr_service.pipeline.refinement.refiner import DEGRADED

_NAMED_PAGES = 10


class Shortfall:
    """Counts blocks whose refinement failed. Rejected answers are no shortfall: the VLM was there."""

    def __init__(self) -> None:
        self._asked = 0
        self._failed: Counter[int] = Counter()

    def add(self, result: PageResult) -> None:
        """Take note of a finished page."""
        self.count(result.page, *refinements(result))

    def count(self, page: int, asked: int, failed: int) -> None:
        """Take note of a page by its numbers."""
        self._asked += asked
        if failed:
            self._failed[page] += failed

    def warnings(self) -> tuple[str, ...]:
        """A sentence if anything failed."""
        if not self._failed:
            return ()
        pages = [str(page) for page in sorted(self._failed)]
        named = ", ".join(pages[:_NAMED_PAGES]) + (f" and {len(pages) - _NAMED_PAGES} more" if len(pages) > _NAMED_PAGES else "")
        which = "page" if len(pages) == 1 else "pages"
        count = self._failed.total()
        return (f"{DEGRADED}: {count} of {self._asked} regions were not refined ({which} {named}); they are as OCR read them.",)


def refinements(result: PageResult) -> tuple[int, int]:
    """How many blocks of the page were to be refined, and how many of those were not."""
    states = [block.refinement.status for block in result.analysis.blocks] if result.analysis is not None else []
    return len(states) - states.count(RefinementStatus.NOT_NEEDED), states.count(RefinementStatus.FAILED)
