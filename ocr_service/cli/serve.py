"""The child process of `--local`: `python -m ocr_service.cli.serve PARENT_PID` is the service, and ends when its parent does."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from ocr_service import bootstrap

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Returns the service's exit status."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(sys.argv[1]):
        return 1
    return bootstrap.main()


if __name__ == "__main__":
    sys.exit(main())
