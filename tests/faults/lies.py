"""Answers well-formed untruths: another page's number, a picture whose name leaves its folder, a number of a type that cannot be sent."""

from __future__ import annotations

from dataclasses import replace

from typing_extensions import override

from ocr_service.domain.documents import MediaType, PageAnalysis, PageOptions, Picture, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


class Lies(WellBehaved):
    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        honest = super().analyse(source, page, options)
        if page == 2:
            return replace(honest, page=7)
        if page == 3:
            return replace(honest, pictures=(Picture("../../evil.png", MediaType.PNG, b""),))
        if page == 4:
            return replace(honest, timings={"ocr": object()})  # type: ignore[dict-item]
        return honest


def build(_config: EngineConfig) -> Lies:
    return Lies()
