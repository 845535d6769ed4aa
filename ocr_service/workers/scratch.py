"""The folder that the workers' temporary files lie in, and the removal of those that a killed service left behind."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PREFIX = "ocr-workers-"
# A service that starts at this moment has made its folder and not yet locked it.
UNLOCKED_AT_FIRST_S = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scratch:
    """A folder that belongs to this process: it holds the folder's lock, which the system takes back however the process ends."""

    path: Path
    _lock: int

    @classmethod
    def claim(cls, root: Path | None) -> Scratch:
        """Make a folder below `root` (None: the system's temporary folder) and remove those whose owners are dead. Raises OSError."""
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        for other in path.parent.glob(f"{PREFIX}*"):
            if other != path and _is_abandoned(other):
                log.info("removing the temporary files of a service that was killed", extra={"folder": str(other)})
                shutil.rmtree(other, ignore_errors=True)
        return cls(path, lock)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _is_abandoned(folder: Path) -> bool:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid() or time.time() - found.st_mtime < UNLOCKED_AT_FIRST_S:
            return False
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
