"""A database server for the tests of replicas: the one that is there, else Debian's. It is run by the tests themselves, as another user."""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.setup import debian
from scripts.setup.progress import say

_PACKAGES = ("postgresql",)


def find() -> Path | None:
    """The folder with `initdb` and `postgres`, the newest version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def prepare() -> None:
    """Get one. A failure is told and not fatal: the tests that need it are skipped, and say so."""
    if find():
        return
    say(f"Fetching a database server for the tests of replicas: {' '.join(_PACKAGES)}")
    if not (debian.install(_PACKAGES) and find()):
        say("There is no Postgres, and it cannot be installed here: the tests of replicas will be skipped")
