"""The composition root of `preload_models.py`: the one setting that says where models lie, and the command."""

from __future__ import annotations

import logging
import sys

from ocr_service.models import command
from ocr_service.settings import Settings, SettingsError


def main() -> int:
    """Returns the exit status; 2 if the settings are wrong."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        models_path = Settings.from_environment().models_path
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return command.run(sys.argv[1:], models_path)
