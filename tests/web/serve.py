"""`server_vllm.py` with the rich fake engine in its page workers; everything else is the real thing."""

from __future__ import annotations

import sys

from ocr_service.bootstrap import run
from ocr_service.settings import Settings

if __name__ == "__main__":
    sys.exit(run(Settings.from_environment(), engine="tests.web.engine:build"))
