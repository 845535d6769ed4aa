"""Reports what its process can see and how it is confined, as a page's warnings."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from ocr_service.domain.documents import PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


class LooksAround(WellBehaved):
    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        facts = {
            "environment": ",".join(sorted(os.environ)),
            "threads": os.environ.get("OMP_NUM_THREADS"),
            "core": resource.getrlimit(resource.RLIMIT_CORE),
            "sigterm": signal.getsignal(signal.SIGTERM),
            "sigint": signal.getsignal(signal.SIGINT),
            "session": os.getsid(0) == os.getpid(),
            "command_line": Path("/proc/self/cmdline").read_text(encoding="utf-8").replace("\0", " "),
            "temporary": tempfile.gettempdir(),
            "password": source.password,
        }
        return replace(super().analyse(source, page, options), warnings=tuple(f"{name}={value}" for name, value in facts.items()))


def build(_config: EngineConfig) -> LooksAround:
    return LooksAround()
