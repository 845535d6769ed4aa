"""The database of jobs: SQLite in a file, or Postgres."""

from __future__ import annotations

import sqlalchemy as sa

_PATIENCE_S = 20


def open_database(url: str) -> sa.Engine:
    """Connects when it is used. Raises sqlalchemy.exc.ArgumentError for a URL that is none."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, pool_size=5, connect_args={"connect_timeout": _PATIENCE_S})
    engine = sa.create_engine(url, connect_args={"timeout": _PATIENCE_S})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        # Readers do not wait for the writer. FULL: what was answered with 202 is on the disk, should the power fail.
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    return engine


def sqlalchemy_url(url: str) -> str:
    """The URL with the driver that comes with the service."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in {"postgres", "postgresql"} else url
