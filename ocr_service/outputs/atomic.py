"""A file appears under its name whole or not at all, whatever dies while it is written."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocr_service.domain.errors import StorageFailed, StorageFull

# A dot in front: no reader of the folder takes it for a result.
_TEMPORARY = ".{name}.{token}.tmp"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def storage_errors() -> Iterator[None]:
    """OSError as StorageFailed, or StorageFull, with what to do about it. Names no path: the text goes to the client."""
    try:
        yield
    except OSError as error:
        kind = StorageFull if error.errno in _FULL else StorageFailed
        raise kind(_advice(error)) from error


def _advice(error: OSError) -> str:
    if error.errno in _FULL:
        return "There is no space left for results: free space on the service's disk, or set OUTPUT_DIR to a larger one."
    if error.errno in _FORBIDDEN:
        return "The service may not write its results: make OUTPUT_DIR writable for it, or set OUTPUT_DIR to another folder."
    return f"The result could not be written: {error.strerror or type(error).__name__}. Check the disk under OUTPUT_DIR."


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Write to the path that is given; it becomes `target` when the block ends well, and vanishes when it does not.

    The data is on disk before the name is. Raises StorageFailed for every OSError in the block.
    """
    temporary = target.parent / _TEMPORARY.format(name=target.name, token=secrets.token_hex(4))
    with storage_errors():
        try:
            yield temporary
            flush(temporary)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_whole(target: Path, data: bytes) -> None:
    """A file of bytes. Raises StorageFailed."""
    with whole_file(target) as temporary:
        temporary.write_bytes(data)


def remove_unfinished(folder: Path) -> None:
    """Remove what a process that was killed had not finished writing, in the folder and all below. Nobody may be writing there."""
    with storage_errors():
        for temporary in list(folder.rglob(_TEMPORARY.format(name="*", token="*"))):  # noqa: S106  no password
            temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until the file's data is on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
