"""Starts the service: `python server_vllm.py`, settings from the environment (README.md has the table)."""

from __future__ import annotations

import sys

from ocr_service.bootstrap import main

if __name__ == "__main__":
    sys.exit(main())
