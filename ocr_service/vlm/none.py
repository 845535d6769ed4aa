"""No VLM: the pages stay as the engine read them."""

from __future__ import annotations

from ocr_service.domain.documents import DocumentOptions, PageAnalysis


class NoRefinement:
    """A PageRefiner that refines nothing."""

    async def refine(self, analysis: PageAnalysis, options: DocumentOptions, document_id: str) -> PageAnalysis:  # noqa: ARG002  the port's signature
        return analysis
