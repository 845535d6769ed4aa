"""Warms the VLM server and the engine up and checks both: `python warmup_vllm.py --help`."""

from __future__ import annotations

import sys

from ocr_service.warming.command import main

if __name__ == "__main__":
    sys.exit(main())
