"""API keys: who may use the service, and under what name. Only their hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

MIN_KEY_CHARS = 16

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_KEY = re.compile(rf"[A-Za-z0-9._~+/=-]{{{MIN_KEY_CHARS},512}}", re.ASCII)  # what RFC 6750 allows in a bearer token
_HASH = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Names and the SHA-256 of their keys. A name may have several keys, so that a key can be exchanged without a pause."""

    entries: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def name_of(self, key: bytes) -> str | None:
        """Whose key it is. Every entry is compared, each in constant time: how long it takes tells nothing."""
        digest = hashlib.sha256(key).digest()
        found: str | None = None
        for name, known in self.entries:
            if hmac.compare_digest(digest, known):
                found = name
        return found

    @classmethod
    def parse(cls, entries: Iterable[str]) -> ApiKeys:
        """`name:key` or `name:sha256:<64 hex digits>` each. Raises ValueError, which repeats nothing of them."""
        parsed: dict[bytes, str] = {}
        for number, entry in enumerate((text for text in map(str.strip, entries) if text), 1):
            name, colon, key = entry.partition(":")
            if not colon or not _NAME.fullmatch(name):
                raise ValueError(f"key {number} must be `name:key`; a name has 1 to 64 letters, digits, dots, dashes or underscores")
            digest = _digest(key)
            if digest is None:
                raise ValueError(
                    f"key {number} must have {MIN_KEY_CHARS} to 512 letters, digits or any of .~_+/=- (openssl rand -hex 32 makes one),"
                    " or be sha256: with 64 hexadecimal digits"
                )
            if parsed.setdefault(digest, name) != name:
                raise ValueError(f"key {number} has another name above")
        return cls(tuple((name, digest) for digest, name in parsed.items()))


def _digest(key: str) -> bytes | None:
    if hashed := _HASH.fullmatch(key):
        return bytes.fromhex(hashed[1])
    return hashlib.sha256(key.encode("ascii")).digest() if _KEY.fullmatch(key) else None


def lines_of(text: str) -> list[str]:
    """The entries of a file of keys: one a line, what begins with # is a comment."""
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]
