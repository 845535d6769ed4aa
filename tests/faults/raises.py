"""Page 2 raises what no engine should raise, page 3 a domain error, page 4 out of memory; files of 1 to 3 pages cannot be opened."""

from __future__ import annotations

from typing_extensions import override

from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile
from ocr_service.domain.errors import DocumentUnreadable, PageTooLarge, PasswordRequired, TooManyPages
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved

UNREADABLE = {
    1: PasswordRequired("The file needs a password."),
    2: TooManyPages("The file has too many pages."),
    3: DocumentUnreadable("The file is damaged."),
}


class Raises(WellBehaved):
    @override
    def inspect(self, source: SourceFile) -> DocumentInfo:
        info = super().inspect(source)
        if error := UNREADABLE.get(info.page_count):
            raise error
        if source.password is not None:
            raise ValueError(source)
        return info

    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        match page:
            case 2:
                raise ZeroDivisionError("a bug")
            case 3:
                raise PageTooLarge("Page 3 is as large as a house.")
            case 4:
                raise MemoryError
        return super().analyse(source, page, options)


def build(_config: EngineConfig) -> Raises:
    return Raises()
