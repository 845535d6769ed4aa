"""The durable queue: DBOS (docs/adr/0001-durable-jobs.md). It keeps what is to be done in the database and hands each task to one executor.

What the tasks do runs in the service's own event loop; nothing of a document goes into this queue but its id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dbos import DBOS, DBOSConfig, EnqueueOptions
from dbos._error import DBOSAwaitedWorkflowCancelledError

log = logging.getLogger(__name__)

# All versions of the service take over each other's tasks: they are nothing but ids.
_VERSION = "1"
_APPLICATION = "ocr-service"
POLL_S = 0.2
_STOP_S = 5

Work = Callable[[str], Awaitable[bool]]
"""Does the task of this id; False leaves it to another executor, or to the next start."""


class _LeftToOthers(BaseException):
    """Passes by DBOS, which would write down an Exception as the task's end: the task stays pending."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of tasks: its work, and how many are done at the same time."""

    name: str
    work: Work
    at_a_time: int


class DurableQueue:
    """One a process: DBOS keeps its state globally. Methods block, but for `start` and `stop`."""

    def __init__(self, url: str, executor: str) -> None:
        self._url = url
        self._executor = executor

    async def start(self, *kinds: Kind) -> None:
        """Begin to hand out tasks. Raises whatever the database's driver raises."""
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._launch, loop, kinds)

    async def stop(self) -> None:
        """No task is handed out any more; those that are being done stay as they are."""
        await asyncio.to_thread(lambda: DBOS.destroy(destroy_registry=True))

    def put(self, kind: str, task: str, *, workflow_id: str, delay_s: float = 0.0) -> None:
        """A task of this kind; the same id again is the same task."""
        options: EnqueueOptions = {"workflow_name": kind, "queue_name": kind, "workflow_id": workflow_id, "app_version": _VERSION}
        if delay_s:
            options["delay_seconds"] = delay_s
        DBOS.enqueue_workflow_with_options(options, task)

    def withdraw(self, workflow_id: str) -> None:
        """The task is not wanted any more; one that is being done goes on."""
        DBOS.cancel_workflow(workflow_id)

    def again(self, workflow_id: str, kind: str) -> None:
        """The task waits again, whoever had it."""
        DBOS.resume_workflow(workflow_id, queue_name=kind)

    def pending(self, executor: str) -> list[tuple[str, str]]:
        """Tasks (id, kind) that the executor has begun and not finished."""
        found = DBOS.list_workflows(status="PENDING", executor_id=executor, load_input=False, load_output=False)
        return [(status.workflow_id, status.queue_name or status.name) for status in found]

    def forget(self, workflow_id: str) -> None:
        """Remove all that is known of a finished task."""
        DBOS.delete_workflow(workflow_id)

    def _launch(self, loop: asyncio.AbstractEventLoop, kinds: tuple[Kind, ...]) -> None:
        config: DBOSConfig = {
            "name": _APPLICATION,
            "system_database_url": self._url,
            "application_version": _VERSION,
            "executor_id": self._executor,
            "log_level": "WARNING",
            "enable_otlp": False,
            # Nobody waits for events: the queue is polled.
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 5.0,
            "sys_db_pool_size": 5,
        }
        DBOS(config=config)
        _log_like_the_service()
        for kind in kinds:
            DBOS.workflow(name=kind.name)(_workflow(kind, loop))
        DBOS.launch()
        for kind in kinds:
            DBOS.register_queue(kind.name, worker_concurrency=kind.at_a_time, polling_interval_sec=POLL_S, on_conflict="always_update")


def _workflow(kind: Kind, loop: asyncio.AbstractEventLoop) -> Callable[[str], None]:
    async def work(task: str) -> bool:
        return await kind.work(task)

    def workflow(task: str) -> None:
        try:
            done = asyncio.run_coroutine_threadsafe(work(task), loop).result()
        except BaseException as error:
            # Whatever it was, it was not the end of the task.
            if not isinstance(error, asyncio.CancelledError):
                log.exception("A task failed unexpectedly", extra={"kind": kind.name, "task": task})
            raise _LeftToOthers from None
        if not done:
            raise _LeftToOthers

    workflow.__qualname__ = f"workflow.{kind.name}"
    return workflow


def _log_like_the_service() -> None:
    logger = logging.getLogger("dbos")
    logger.handlers.clear()
    logger.filters.clear()
    logger.addFilter(_is_no_withdrawal)
    logger.propagate = True


def _is_no_withdrawal(record: logging.LogRecord) -> bool:
    """A job that is cancelled at the moment when its task begins is no error."""
    return record.exc_info is None or not isinstance(record.exc_info[1], DBOSAwaitedWorkflowCancelledError)
