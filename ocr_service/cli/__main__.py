"""`python -m ocr_service.cli`."""

from __future__ import annotations

import sys

from ocr_service.cli.command import main

if __name__ == "__main__":
    sys.exit(main())
