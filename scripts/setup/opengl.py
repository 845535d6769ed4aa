"""PaddleX insists on an OpenCV that is linked against OpenGL, which machines without a screen may lack."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scripts.setup import debian
from scripts.setup.progress import SetupError, say

_PACKAGES = ("libgl1", "libglib2.0-0")


def prepare(environment: Path) -> None:
    """Make OpenCV loadable in the environment. Raises SetupError that says what to install."""
    if _loads(environment):
        return
    say("OpenCV needs OpenGL: fetching Debian's packages of it")
    if not (debian.install(_PACKAGES) and _loads(environment)):
        raise SetupError(f"OpenCV cannot be loaded in {environment}. On Debian and Ubuntu: apt-get install {' '.join(_PACKAGES)}")


def _loads(environment: Path) -> bool:
    command = [str(environment / "bin" / "python"), "-c", "import cv2"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
