"""How jobs are kept and done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobsConfig:
    """`database`: a URL of SQLAlchemy's kind. `lease_s`: a replica that was not heard of for so long is dead. `keep_s`: 0 for ever.
    `stray_s`: a folder without a job that is so old is no other replica's, which is taking the job in.

    `min_free_bytes` must be left on the disk for a job to be accepted. `webhook_secret`: None means that there are no webhooks.
    """

    database: str
    max_waiting: int = 1000
    at_a_time: int = 8
    lease_s: float = 15.0
    keep_s: float = 0.0
    stray_s: float = 600.0
    min_free_bytes: int = 0
    webhook_secret: bytes | None = None
    webhook_private: bool = False
    webhook_attempts: int = 8
    webhook_pause_s: float = 10.0
