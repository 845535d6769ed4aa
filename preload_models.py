"""Gets and checks the models: `python preload_models.py --help`."""

from __future__ import annotations

import sys

from ocr_service.preloading import main

if __name__ == "__main__":
    sys.exit(main())
