"""The table of jobs and that of the executors (processes that do them), in SQLite or Postgres. Blocking: for worker threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from ocr_service.domain.documents import PageError
from ocr_service.domain.errors import IdempotencyKeyReused, JobNotFound, StorageFailed
from ocr_service.domain.jobs import Job, JobStage, JobState
from ocr_service.jobs.record import Record, Terms, decode_options, encode_options

_METADATA = sa.MetaData()
_OVER = tuple(state.value for state in JobState if state.is_over)

_JOBS = sa.Table(
    "ocr_jobs",
    _METADATA,
    sa.Column("job_id", sa.String(26), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("content_key", sa.String(64), nullable=False),
    sa.Column("attached", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("filename", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("media_type", sa.String(64), nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("webhook_url", sa.Text),
    sa.Column("page_count", sa.Integer),
    sa.Column("pages_done", sa.Integer, nullable=False),
    sa.Column("pages_failed", sa.Integer, nullable=False),
    sa.Column("pages_per_second", sa.Float),
    sa.Column("eta_s", sa.Float),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("started_at", sa.Float),
    sa.Column("finished_at", sa.Float),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error_code", sa.Text),
    sa.Column("error_detail", sa.Text),
    sa.Column("warnings", sa.Text, nullable=False),
    sa.Column("needs_password", sa.Boolean, nullable=False),
    sa.Column("executor", sa.Text),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.UniqueConstraint("owner", "idempotency_key"),
    sa.Index("ocr_jobs_listing", "owner", "created_at", "job_id"),
    sa.Index("ocr_jobs_state", "state", "created_at"),
)

_EXECUTORS = sa.Table(
    "ocr_executors",
    _METADATA,
    sa.Column("executor", sa.Text, primary_key=True),
    sa.Column("seen_at", sa.Float, nullable=False),
)

LEFT = 0.0
"""When an executor was seen that has stopped."""

_Answer = TypeVar("_Answer")


class JobTable:
    """Every method raises StorageFailed when the database cannot be had."""

    def __init__(self, engine: sa.Engine, *, keep_s: float) -> None:
        """`keep_s`: how long a finished job is kept, 0 for ever."""
        self._engine = engine
        self._keep_s = keep_s

    def close(self) -> None:
        self._engine.dispose()

    def prepare(self) -> None:
        """Make the tables. Another replica may do the same at this moment."""
        for _ in range(5):
            with suppress(IntegrityError, OperationalError, ProgrammingError):
                _METADATA.create_all(self._engine)
                return
            time.sleep(0.2)
        self._ask(_METADATA.create_all)

    def add(self, record: Record, max_waiting: int | None) -> Record | None:
        """Take the job in; an earlier job with the same key is returned instead. None: so many wait already that it does not fit.

        Raises IdempotencyKeyReused.
        """

        def insert(connection: sa.Connection) -> Record | None:
            earlier = self._with_key(connection, record.terms)
            if earlier is not None:
                return earlier
            if max_waiting is not None and self._count(connection, JobState.QUEUED) >= max_waiting:
                return None
            connection.execute(sa.insert(_JOBS).values(_row(record)))
            return record

        try:
            taken = self._ask(insert)
        except IntegrityError:  # the same key at the same time
            taken = self._ask(lambda connection: self._with_key(connection, record.terms))
        if taken is not None:
            _check_same(taken, record)
        return taken

    def earlier(self, record: Record) -> Record | None:
        """The job that came with the same key. Raises IdempotencyKeyReused if that was another one."""
        found = self._ask(lambda connection: self._with_key(connection, record.terms))
        if found is not None:
            _check_same(found, record)
        return found

    def get(self, job_id: str, owner: str | None = None) -> Record:
        """Raises JobNotFound, for somebody else's job too."""

        def select(connection: sa.Connection) -> Record | None:
            row = connection.execute(sa.select(_JOBS).where(_JOBS.c.job_id == job_id)).mappings().first()
            return self._placed(connection, self._record(row)) if row is not None else None

        record = self._ask(select)
        if record is None or (owner is not None and record.terms.owner != owner):
            raise JobNotFound("There is no such job.")
        return record

    def page(self, owner: str, limit: int, after: tuple[float, str] | None, state: JobState | None) -> list[Record]:
        """The owner's jobs, newest first, from the one after `after` (created_at, job_id)."""
        query = sa.select(_JOBS).where(_JOBS.c.owner == owner).order_by(_JOBS.c.created_at.desc(), _JOBS.c.job_id.desc()).limit(limit)
        if after is not None:
            created_at, job_id = after
            older = _JOBS.c.created_at < created_at
            query = query.where(sa.or_(older, sa.and_(_JOBS.c.created_at == created_at, _JOBS.c.job_id < job_id)))
        if state is not None:
            query = query.where(_JOBS.c.state == state.value)
        return self._ask(lambda connection: [self._placed(connection, self._record(row)) for row in connection.execute(query).mappings()])

    def begin(self, job_id: str, executor: str) -> Record | None:
        """The job is this executor's from now on. None: it is over, or gone."""

        def update(connection: sa.Connection) -> Record | None:
            done = connection.execute(
                sa.update(_JOBS)
                .where(_JOBS.c.job_id == job_id, _JOBS.c.state.not_in(_OVER))
                .values(
                    state=JobState.RUNNING.value,
                    stage=JobStage.WAITING.value,
                    executor=executor,
                    attempts=_JOBS.c.attempts + 1,
                    started_at=sa.func.coalesce(_JOBS.c.started_at, time.time()),
                )
            )
            if not done.rowcount:
                return None
            return self._record(connection.execute(sa.select(_JOBS).where(_JOBS.c.job_id == job_id)).mappings().one())

        return self._ask(update)

    def change(self, job_id: str, executor: str, values: Mapping[str, object]) -> bool:
        """Change a job that this executor does. False: it is not this executor's any more, or over."""
        return self._changed(
            sa.update(_JOBS).where(_JOBS.c.job_id == job_id, _JOBS.c.executor == executor, _JOBS.c.state.not_in(_OVER)).values(dict(values))
        )

    def cancel_queued(self, job_id: str) -> bool:
        """Cancel a job that has not begun. False: it has, or is over."""
        return self._changed(
            sa.update(_JOBS).where(_JOBS.c.job_id == job_id, _JOBS.c.state == JobState.QUEUED.value).values(**ended(JobState.CANCELLED))
        )

    def ask_to_cancel(self, job_id: str) -> None:
        """Its executor looks for that."""
        self._changed(sa.update(_JOBS).where(_JOBS.c.job_id == job_id).values(cancel_requested=True))

    def to_cancel(self, executor: str) -> list[str]:
        """The executor's jobs that somebody wants cancelled."""
        query = sa.select(_JOBS.c.job_id).where(_JOBS.c.executor == executor, _JOBS.c.cancel_requested, _JOBS.c.state.not_in(_OVER))
        return self._ask(lambda connection: list(connection.execute(query).scalars()))

    def requeue(self, job_id: str, executor: str) -> bool:
        """The executor does the job no longer: it waits again. False: it was not this executor's, or is over."""
        return self._changed(
            sa.update(_JOBS)
            .where(_JOBS.c.job_id == job_id, _JOBS.c.executor == executor, _JOBS.c.state.not_in(_OVER))
            .values(state=JobState.QUEUED.value, stage=JobStage.WAITING.value, executor=None, pages_per_second=None, eta_s=None)
        )

    def of_executor(self, executor: str) -> list[Record]:
        """What the executor had not finished."""
        query = sa.select(_JOBS).where(_JOBS.c.executor == executor, _JOBS.c.state.not_in(_OVER))
        return self._ask(lambda connection: [self._record(row) for row in connection.execute(query).mappings()])

    def waiting(self, limit: int) -> list[str]:
        """Jobs that wait, oldest first."""
        query = sa.select(_JOBS.c.job_id).where(_JOBS.c.state == JobState.QUEUED.value).order_by(_JOBS.c.created_at).limit(limit)
        return self._ask(lambda connection: list(connection.execute(query).scalars()))

    def remove(self, job_id: str) -> None:
        self._changed(sa.delete(_JOBS).where(_JOBS.c.job_id == job_id))

    def expired(self, limit: int) -> list[str]:
        """Jobs whose time is over."""
        if not self._keep_s:
            return []
        query = sa.select(_JOBS.c.job_id).where(_JOBS.c.finished_at < time.time() - self._keep_s, _JOBS.c.state.in_(_OVER)).limit(limit)
        return self._ask(lambda connection: list(connection.execute(query).scalars()))

    def counts(self) -> dict[JobState, int]:
        """How many jobs wait and run."""
        query = sa.select(_JOBS.c.state, sa.func.count()).where(_JOBS.c.state.not_in(_OVER)).group_by(_JOBS.c.state)
        return self._ask(lambda connection: {JobState(state): count for state, count in connection.execute(query)})

    def beat(self, executor: str) -> bool:
        """The executor is alive. False: others had given it up, and took over what it did."""

        def update(connection: sa.Connection) -> bool:
            now = self._now()
            beat = connection.execute(sa.update(_EXECUTORS).where(_EXECUTORS.c.executor == executor).values(seen_at=now))
            if not beat.rowcount:
                connection.execute(sa.insert(_EXECUTORS).values(executor=executor, seen_at=now))
            return beat.rowcount > 0

        return self._ask(update)

    def leave(self, executor: str) -> None:
        """The executor stops, and lets others take over at once."""
        self._changed(sa.update(_EXECUTORS).where(_EXECUTORS.c.executor == executor).values(seen_at=LEFT))

    def beats(self, executor: str) -> dict[str, float]:
        """When each of the other executors was last seen, by the database's clock: to be told from another time, and no more."""
        query = sa.select(_EXECUTORS.c.executor, _EXECUTORS.c.seen_at).where(_EXECUTORS.c.executor != executor)
        return self._ask(lambda connection: {row.executor: row.seen_at for row in connection.execute(query)})

    def claim(self, dead: str, seen_at: float) -> bool:
        """Take the estate of an executor that was last seen then: one of those who try gets it, and the next one if that one dies of it."""
        return self._changed(
            sa.update(_EXECUTORS).where(_EXECUTORS.c.executor == dead, _EXECUTORS.c.seen_at == seen_at).values(seen_at=self._now())
        )

    def bury(self, dead: str) -> None:
        """Its estate is settled."""
        self._changed(sa.delete(_EXECUTORS).where(_EXECUTORS.c.executor == dead))

    def _now(self) -> sa.ColumnElement[float]:
        """The database's clock: those of several machines differ."""
        if self._engine.dialect.name == "sqlite":
            return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Float)
        return sa.literal_column("extract(epoch from clock_timestamp())", sa.Float)

    def _changed(self, statement: sa.Update | sa.Delete) -> bool:
        return self._ask(lambda connection: connection.execute(statement).rowcount > 0)

    def _ask(self, question: Callable[[sa.Connection], _Answer]) -> _Answer:
        try:
            with self._engine.begin() as connection:
                return question(connection)
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            # Not its text: that holds the statement with its values.
            raise StorageFailed("The database of jobs cannot be used now. Try again later.") from error

    def _with_key(self, connection: sa.Connection, terms: Terms) -> Record | None:
        if terms.idempotency_key is None:
            return None
        query = sa.select(_JOBS).where(_JOBS.c.owner == terms.owner, _JOBS.c.idempotency_key == terms.idempotency_key)
        row = connection.execute(query).mappings().first()
        return self._placed(connection, self._record(row)) if row is not None else None

    def _count(self, connection: sa.Connection, state: JobState) -> int:
        return connection.execute(sa.select(sa.func.count()).select_from(_JOBS).where(_JOBS.c.state == state.value)).scalar_one()

    def _placed(self, connection: sa.Connection, record: Record) -> Record:
        """With its place in the queue."""
        if record.job.state is not JobState.QUEUED:
            return record
        ahead = sa.or_(
            _JOBS.c.created_at < record.job.created_at,
            sa.and_(_JOBS.c.created_at == record.job.created_at, _JOBS.c.job_id < record.job.job_id),
        )
        query = sa.select(sa.func.count()).select_from(_JOBS).where(_JOBS.c.state == JobState.QUEUED.value, ahead)
        return replace(record, job=replace(record.job, queue_position=connection.execute(query).scalar_one() + 1))

    def _record(self, row: sa.RowMapping) -> Record:
        finished_at = row["finished_at"]
        job = Job(
            job_id=row["job_id"],
            state=JobState(row["state"]),
            stage=JobStage(row["stage"]),
            filename=row["filename"],
            size_bytes=row["size_bytes"],
            sha256=row["sha256"],
            created_at=row["created_at"],
            page_count=row["page_count"],
            pages_done=row["pages_done"],
            pages_failed=row["pages_failed"],
            pages_per_second=row["pages_per_second"],
            eta_s=row["eta_s"],
            started_at=row["started_at"],
            finished_at=finished_at,
            expires_at=finished_at + self._keep_s if finished_at is not None and self._keep_s else None,
            attempts=row["attempts"],
            error=PageError(row["error_code"], row["error_detail"]) if row["error_code"] is not None else None,
            warnings=tuple(msgspec.json.decode(row["warnings"], type=list[str])),
        )
        return Record(
            job=job,
            media_type=row["media_type"],
            options=decode_options(row["options"]),
            terms=Terms(row["owner"], row["idempotency_key"], row["webhook_url"]),
            content_key=row["content_key"],
            attached=row["attached"],
            needs_password=row["needs_password"],
            executor=row["executor"],
            cancel_requested=row["cancel_requested"],
        )


def ended(state: JobState, error: PageError | None = None, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """The columns of a job that is over."""
    return {
        "state": state.value,
        "stage": JobStage.DONE.value,
        "finished_at": time.time(),
        "executor": None,
        "eta_s": None,
        "error_code": error.code if error is not None else None,
        "error_detail": error.detail if error is not None else None,
        "warnings": encode_warnings(warnings),
    }


def _check_same(taken: Record, record: Record) -> None:
    if taken.content_key != record.content_key:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used for another file or other options before: take a new one.", field="Idempotency-Key"
        )


def encode_warnings(warnings: Sequence[str]) -> str:
    return msgspec.json.encode(list(warnings)).decode()


def _row(record: Record) -> dict[str, Any]:
    job = record.job
    return {
        "job_id": job.job_id,
        "owner": record.terms.owner,
        "idempotency_key": record.terms.idempotency_key,
        "content_key": record.content_key,
        "attached": record.attached,
        "state": job.state.value,
        "stage": job.stage.value,
        "filename": job.filename,
        "size_bytes": job.size_bytes,
        "sha256": job.sha256,
        "media_type": record.media_type,
        "options": encode_options(record.options),
        "webhook_url": record.terms.webhook_url,
        "page_count": job.page_count,
        "pages_done": job.pages_done,
        "pages_failed": job.pages_failed,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "attempts": job.attempts,
        "warnings": encode_warnings(job.warnings),
        "needs_password": record.needs_password,
        "executor": record.executor,
        "cancel_requested": False,
    }
