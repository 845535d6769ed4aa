"""Which job a document was handed in as: kept until its result is there, so that the next run finds the jobs of one that was broken off.

The key is written down before the document is sent and the job's id after it, so that nothing is handed in twice wherever a run ends.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ocr_service.client.wholly import whole_file


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """`key`: the Idempotency-Key; `job_id`: None until the service has answered; `options`: without a password."""

    key: str
    sha256: str
    options: dict[str, str]
    job_id: str | None = None

    def is_for(self, sha256: str, options: dict[str, str]) -> bool:
        """Whether the job reads these bytes with these options."""
        return (self.sha256, self.options) == (sha256, options)


@dataclass(frozen=True, slots=True)
class TicketFile:
    """Where a document's ticket lies. Methods that write raise OSError."""

    path: Path

    def read(self) -> Ticket | None:
        """None: there is none, or it cannot be read, and the document is handed in anew."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Ticket)
        except (OSError, msgspec.MsgspecError):
            return None

    def new(self, sha256: str, options: dict[str, str]) -> Ticket:
        """A new one, written down."""
        return self.write(Ticket(key=secrets.token_urlsafe(24), sha256=sha256, options=options))

    def write(self, ticket: Ticket) -> Ticket:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(self.path) as file:
            file.write(msgspec.json.encode(ticket))
        return ticket

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
