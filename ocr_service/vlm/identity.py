"""What the VLM server is, for whoever keeps its answers: they are another model's as soon as it serves another one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec


class _Model(msgspec.Struct):
    id: str
    root: str | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


def identity(models: bytes, addresses: Iterable[str]) -> str:
    """Hexadecimal, since the addresses may hold a key; empty if the body of `/v1/models` names no model."""
    try:
        served = sorted(f"{model.id} {model.root}" for model in msgspec.json.decode(models, type=_Models).data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return hashlib.sha256("\0".join([*addresses, *served]).encode()).hexdigest() if served else ""
