"""What the command line takes from the environment: the only module beside `settings.py` that reads it.

It is apart from the service's settings, since most machines that run the command have no service. The service in turn knows these names
(`settings.CLIENT_NAMES`), so that it does not take them for misspelt settings of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

URL, API_KEY, PASSWORD = "OCR_URL", "OCR_API_KEY", "OCR_PASSWORD"
DEFAULT_URL = "http://localhost:8081"


@dataclass(frozen=True, slots=True)
class Environment:
    """`url`: the service's address; `api_key`: sent as a bearer token; `password`: opens encrypted PDFs."""

    url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Environment:
        """An empty variable counts as not set."""
        environ = os.environ if environ is None else environ
        return cls(environ.get(URL) or DEFAULT_URL, environ.get(API_KEY) or None, environ.get(PASSWORD) or None)


def for_own_service(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service that the command starts for itself: this one, without what is the command's own."""
    return {name: value for name, value in os.environ.items() if name not in {URL, API_KEY, PASSWORD}} | dict(changes)
