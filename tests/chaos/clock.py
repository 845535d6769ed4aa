"""The service's wall clock, which can be set: `clock.c`, preloaded into the API process.

Page workers and the kernel, so the times of files, keep the true time; the monotonic clock, by which the service times its work, does not
jump, as it does not when a machine's clock is set. An absolute wait by the wall clock in the C library is not moved, either.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")
_OFFSET = struct.Struct("=q")


class Clock:
    """Seconds before or after the true time. `why_not`: why it cannot be set here, or None."""

    def __init__(self, folder: Path) -> None:
        self._library = folder / "clock.so"
        self._file = folder / "clock.offset"
        self._file.write_bytes(_OFFSET.pack(0))
        self.why_not = self._build()

    def set(self, offset_s: int) -> None:
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), _OFFSET.size) as mapped:
            mapped[:] = _OFFSET.pack(offset_s)

    def environment(self) -> dict[str, str]:
        """For the service."""
        return {} if self.why_not else {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET_FILE": str(self._file)}

    def _build(self) -> str | None:
        compiler = shutil.which("cc")
        if compiler is None:
            return "setting the service's clock needs a C compiler"
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(self._library), str(_SOURCE)]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        return None if built.returncode == 0 else f"clock.c cannot be compiled here: {built.stderr.strip()[-200:]}"
