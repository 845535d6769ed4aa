"""A downloaded file appears under its name whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Write to the stream; it becomes `target` when the block ends well, and vanishes when it does not. Raises OSError."""
    temporary = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        with temporary.open("wb") as stream:
            yield stream
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
