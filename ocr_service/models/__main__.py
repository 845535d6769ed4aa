"""`python -m ocr_service.models --path FOLDER`: preload_models.py without the service's settings.

For the image: its layer of models must not be made anew because a setting was added.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ocr_service.models.command import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], Path("official_models")))
