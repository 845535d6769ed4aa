"""A browser for the tests of the web page: the one that is there, else Debian's."""

from __future__ import annotations

import shutil

from scripts.setup import debian
from scripts.setup.progress import say

# Without a screen: half the size, and none of the desktop's libraries.
_PACKAGES = ("chromium-headless-shell", "fonts-dejavu-core")
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """The browser's path."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def prepare() -> None:
    """Get a browser. A failure is told and not fatal: the tests that need it are skipped, and say so."""
    if find():
        return
    say(f"Fetching a browser for the tests of the web page: {' '.join(_PACKAGES)}")
    if not (debian.install(_PACKAGES) and find()):
        say("There is no Chromium, and it cannot be installed here: the tests of the web page will be skipped")
