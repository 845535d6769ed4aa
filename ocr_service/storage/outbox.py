"""Which documents still have to go to S3: one empty file each in `OUTPUT_DIR/.outbox`, so that a restart forgets none."""

from __future__ import annotations

import time
from pathlib import Path

from ocr_service.outputs.atomic import storage_errors

# A mark without a finished document belongs to one that is being finished now, perhaps by another replica, or to one that is gone.
_STALE_S = 3600.0


class Outbox:
    """Blocking, for worker threads."""

    def __init__(self, output_dir: Path) -> None:
        self._output_dir = output_dir
        self._folder = output_dir / ".outbox"

    def add(self, document_id: str) -> None:
        """Raises StorageFailed."""
        with storage_errors():
            self._folder.mkdir(exist_ok=True)
            (self._folder / document_id).touch()

    def remove(self, document_id: str) -> None:
        """Raises StorageFailed."""
        with storage_errors():
            (self._folder / document_id).unlink(missing_ok=True)

    def waiting(self) -> list[Path]:
        """The folders of finished documents that wait, oldest first; marks that will never have one are removed. Raises StorageFailed."""
        with storage_errors():
            marks = sorted(self._folder.iterdir(), key=_age_mark) if self._folder.is_dir() else []
            finished = [mark for mark in marks if (self._output_dir / mark.name / "result.json").is_file()]
            for mark in set(marks) - set(finished):
                if time.time() - _age_mark(mark) > _STALE_S:
                    mark.unlink(missing_ok=True)
        return [self._output_dir / mark.name for mark in finished]


def _age_mark(mark: Path) -> float:
    try:
        return mark.stat().st_mtime
    except FileNotFoundError:  # another replica was faster
        return 0.0
