"""What Schemathesis cannot know from the schema: what a readable file looks like, and how to read lines of JSON."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.format("binary", st.just(b"%PDF-1.7 pages=3 ") | st.binary(max_size=200))


@schemathesis.deserializer("application/x-ndjson")
def last_line(_context: Any, response: Any) -> Any:
    """The stream's last line, which tells how it ended."""
    return json.loads(response.content.splitlines()[-1])
