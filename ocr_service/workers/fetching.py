"""Files that a worker has made in its own folder, brought to their place.

The worker has read strangers' files: what lies there may be a trap.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from ocr_service.domain.errors import StorageFailed
from ocr_service.outputs.atomic import storage_errors, whole_file


def fetch(made: Path, target: Path) -> None:
    """Move it, whole or not at all: only a plain file with no other name, never what a link leads to. Raises StorageFailed."""
    with storage_errors():
        try:
            handle = os.open(made, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as source:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                    raise StorageFailed("The worker did not make the file that it was asked for.")
                with whole_file(target) as temporary, temporary.open("xb") as copy:
                    shutil.copyfileobj(source, copy, 1024 * 1024)
        finally:
            made.unlink(missing_ok=True)
