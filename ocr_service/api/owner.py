"""Whose request it is."""

from __future__ import annotations

from fastapi import Request


def owner_of(request: Request) -> str:
    """The name of the API key that it came with; empty where there are no keys."""
    owner: str = request.scope.get("state", {}).get("owner", "")
    return owner
