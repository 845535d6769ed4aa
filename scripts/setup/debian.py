"""Packages of Debian and Ubuntu: installed where this user may, otherwise unpacked into a folder of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

# A machine without network must not wait minutes for each mirror, and apt must never ask a question.
_OPTIONS = ("-oAcquire::Retries=1", "-oAcquire::http::Timeout=20", "-oAcquire::https::Timeout=20", "-oDPkg::Lock::Timeout=120")
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


def install(packages: Sequence[str]) -> bool:
    """Install with apt-get, when this is root on Debian or Ubuntu. The package lists are fetched only when they do not do."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    command = ("install", "--yes", "--no-install-recommends", *packages)
    return _apt(command) or (_apt(("update",)) and _apt(command))


def unpack(packages: Sequence[str], target: Path) -> bool:
    """Download the packages and unpack their files below `target`: needs no rights, touches nothing of the system."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return False
    with tempfile.TemporaryDirectory(prefix="ocr-setup-") as scratch:
        folder = Path(scratch)
        if not _download(packages, folder):
            return False
        target.mkdir(parents=True, exist_ok=True)
        return all(_ran(["dpkg-deb", "--extract", str(deb), str(target)]) for deb in folder.glob("*.deb"))


def _download(packages: Sequence[str], folder: Path) -> bool:
    command = ("download", *packages)
    if _apt(command, cwd=folder):
        return True
    # The system's package lists are missing or old, and only root may renew them: fetch lists of our own.
    own = (f"-oDir::State={folder}/state", f"-oDir::Cache={folder}/cache", "-oDir::State::status=/var/lib/dpkg/status")
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    return _apt((*own, "update"), cwd=folder) and _apt((*own, *command), cwd=folder)


def _apt(arguments: Sequence[str], cwd: Path | None = None) -> bool:
    return _ran(["apt-get", "--quiet", *_OPTIONS, *arguments], cwd)


def _ran(command: Sequence[str], cwd: Path | None = None) -> bool:
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **_QUIET}, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0
