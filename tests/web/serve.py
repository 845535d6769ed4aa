"""`server_vllm.py` with the rich fake engine in its page workers; everything else is the real thing."""

from __future__ import annotations

import sys

from ocr_service.bootstrap import run
from ocr_service.settings import Settings

if __name__ == "__main__":
    # The engine waits for files outside of the folders that a worker is left with.
    settings = Settings.from_environment().model_copy(update={"ocr_worker_confinement": "off"})
    sys.exit(run(settings, engine="tests.web.engine:build"))
