"""Whether an error means that a worker has no memory left, whoever raised it: each library says so in its own way, some in none."""

from __future__ import annotations

import re
import resource
from pathlib import Path

# MuPDF, OpenCV, ONNX Runtime, OpenVINO, Tesseract, NumPy, the C++ library.
_SAID = re.compile(r"bad_alloc|out of memory|insufficient memory|(?:cannot|can't|unable to|failed to) (?:re|c|m)?alloc", re.IGNORECASE)
# A large allocation fails before the limit is reached to the last byte.
_ALMOST = 0.9


def is_short_of_memory(error: Exception) -> bool:
    """Of this process, at the moment of the error."""
    return isinstance(error, MemoryError) or _SAID.search(str(error)) is not None or _is_at_its_limit()


def _is_at_its_limit() -> bool:
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return limit != resource.RLIM_INFINITY and _data_bytes() > _ALMOST * limit


def _data_bytes() -> int:
    """What the limit counts: heap and private mappings; 0 where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), 0)
