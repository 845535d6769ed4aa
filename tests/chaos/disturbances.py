"""What is done to a service at work. Each is a class with a name and with what is expected of the service meanwhile and afterwards.

What holds for all of them is checked by the clients (every answer is whole and right, every refusal honest) and by `inventory.py`.
"""

from __future__ import annotations

import random
import resource
import signal
import time
from abc import ABC, abstractmethod
from typing import ClassVar

import psutil
from typing_extensions import override

from tests.chaos.scene import FULL, LEASE_S, PAGE_TIMEOUT_S, Scene
from tests.chaos.surroundings import Mood
from tests.fakes.s3_server import Fault

HOLD_S = 4.0
_HOUR_S = 3600


class Disturbance(ABC):
    """`lane`: two of the same lane are never at work at the same time."""

    name: ClassVar[str]
    expected: ClassVar[str]
    lane: ClassVar[str] = "processes"

    def why_not(self, scene: Scene) -> str | None:
        """Why it cannot be done here, or None."""
        return None

    @abstractmethod
    def strike(self, scene: Scene, chance: random.Random) -> None:
        """Do it, see what is expected, and put everything right again. Raises InVain."""


class WorkersKilled(Disturbance):
    """SIGKILL for all page workers at once."""

    name = "workers killed"
    expected = "new workers; the pages that were being read are read by these"

    @override
    def strike(self, scene: Scene, chance: random.Random) -> None:
        victims = scene.workers()
        for victim in victims:
            victim.kill()
        scene.wait(lambda: not any(map(psutil.Process.is_running, victims)), "the killed workers to be reaped")
        scene.wait_until_whole()


class WorkerStopped(Disturbance):
    """SIGSTOP for one page worker: it lives, and does nothing more."""

    name = "a worker stopped"
    expected = "the worker is ended when its page's time is over; the page is read by another"

    @override
    def strike(self, scene: Scene, chance: random.Random) -> None:
        victim = chance.choice(scene.workers())
        victim.send_signal(signal.SIGSTOP)
        scene.wait(lambda: not victim.is_running(), "the stopped worker to be ended", seconds=8 * PAGE_TIMEOUT_S)
        scene.wait_until_whole()


class MemoryLimit(Disturbance):
    """One page worker may have no more memory than it has: its next page is too much."""

    name = "a worker at its memory limit"
    expected = "the worker is ended; the page is read by another"

    @override
    def strike(self, scene: Scene, chance: random.Random) -> None:
        victim = chance.choice(scene.workers())
        resource.prlimit(victim.pid, resource.RLIMIT_DATA, (1, 1))
        scene.wait(lambda: not victim.is_running(), "the worker without memory to be ended")
        scene.wait_until_whole()


class ServiceTerminated(Disturbance):
    """SIGTERM, then a start."""

    name = "SIGTERM and start"
    expected = "status 0; documents get their time to finish, jobs are gone on with after the start"

    @override
    def strike(self, scene: Scene, chance: random.Random) -> None:
        with scene.down():
            if (status := scene.terminate()) != 0:
                scene.ledger.found(f"the service ended with status {status} after SIGTERM")
            scene.start()
        scene.wait_until_whole()


class ServiceKilled(Disturbance):
    """SIGKILL while a worker is stopped, too, then a start."""

    name = "SIGKILL and start"
    expected = "no worker outlives the service; jobs are gone on with from their page files, which are not written again"

    @override
    def strike(self, scene: Scene, chance: random.Random) -> None:
        with scene.down():
            chance.choice(scene.workers()).send_signal(signal.SIGSTOP)
            scene.kill()
            scene.start()
        scene.wait_until_whole()


class KilledAndClockBack(Disturbance):
    """SIGKILL, and when the service starts its clock says an hour less, as a machine's may after a power cut."""

    name = "SIGKILL, clock set back, start"
    expected = "jobs are gone on with all the same: who is dead is not told by the clock"

    @override
    def why_not(self, scene: Scene) -> str | None:
        return scene.clock.why_not

    @override
    def strike(self, scene: Scene, chance: random.Random) -> None:
        try:
            with scene.down():
                left = scene.attempts()
                scene.kill()
                scene.clock.set(-_HOUR_S)
                scene.start()
            # A job's state says "running" all the while: that it was begun anew shows that its old owner counts as dead.
            scene.wait(lambda: all(self._goes_on(scene, *job) for job in left.items()), "the jobs to be gone on with", seconds=60 + LEASE_S)
        finally:
            scene.clock.set(0)
        scene.wait_until_whole()

    @staticmethod
    def _goes_on(scene: Scene, job_id: str, attempts: int) -> bool:
        job = scene.get(f"/ocr/jobs/{job_id}").json()
        return job["attempts"] > attempts or job["state"] not in {"queued", "running"}


class ClockJumps(Disturbance):
    """The wall clock is an hour ahead, then right again, while the service runs."""

    name = "the clock jumps"
    expected = (
        "documents are answered, no deadline or lease goes by it; S3, which refuses what is signed at a wrong time, gets its files later"
    )
    lane = "surroundings"

    @override
    def why_not(self, scene: Scene) -> str | None:
        return scene.clock.why_not

    @override
    def strike(self, scene: Scene, chance: random.Random) -> None:
        try:
            for offset_s in (_HOUR_S, 0, -_HOUR_S):
                scene.clock.set(offset_s)
                time.sleep(HOLD_S / 2)
                scene.wait_for_pages(1)
        finally:
            scene.clock.set(0)
        scene.wait_until_whole()


class _PartAway(Disturbance):
    """Something that the service needs is not itself for a while, in which pages go on."""

    lane = "surroundings"

    @override
    def strike(self, scene: Scene, chance: random.Random) -> None:
        self.spoil(scene)
        try:
            time.sleep(HOLD_S)
            scene.wait_for_pages(3)
        finally:
            self.mend(scene)
        self.see_it_used(scene)

    @abstractmethod
    def spoil(self, scene: Scene) -> None: ...

    @abstractmethod
    def mend(self, scene: Scene) -> None: ...

    def see_it_used(self, scene: Scene) -> None:
        """Wait until the service uses the part again; what it sends in the background needs no waiting for."""


class _VlmAway(_PartAway):
    @override
    def see_it_used(self, scene: Scene) -> None:
        before = scene.vlm.asked
        scene.wait(lambda: scene.health()["vllm_status"] == "available", "health to see the VLM again")
        scene.wait(lambda: scene.vlm.asked > before, "the VLM to be asked again")


class VlmKilled(_VlmAway):
    """Nobody listens at the VLM server's port."""

    name = "the VLM killed"
    expected = "pages go on with what OCR read; the VLM is asked again when it is back"

    @override
    def spoil(self, scene: Scene) -> None:
        scene.vlm.die()

    @override
    def mend(self, scene: Scene) -> None:
        scene.vlm.come_back()


class VlmStalls(_VlmAway):
    """The VLM server takes questions and answers none."""

    name = "the VLM stalls"
    expected = "a page waits for it as long as it may, and goes on"
    mood: ClassVar[Mood] = "stalling"

    @override
    def spoil(self, scene: Scene) -> None:
        scene.vlm.mood = self.mood

    @override
    def mend(self, scene: Scene) -> None:
        scene.vlm.mood = "lying"


class VlmFails(VlmStalls):
    """The VLM server answers 500 to everything."""

    name = "the VLM answers 500"
    expected = "pages go on with what OCR read; the VLM is asked again when it is well"
    mood = "failing"


class S3Refuses(_PartAway):
    """S3 answers 503 to everything."""

    name = "S3 answers 503"
    expected = "documents are answered; their files go to S3 when it takes them"
    fault: ClassVar[Fault] = "unavailable"

    @override
    def spoil(self, scene: Scene) -> None:
        scene.s3.fault = self.fault

    @override
    def mend(self, scene: Scene) -> None:
        scene.s3.fault = "none"


class S3Gone(S3Refuses):
    """Every connection to S3 breaks off in the middle of the request."""

    name = "S3 breaks off"
    fault = "cut"


class DiskFull(Disturbance):
    """The disk of OUTPUT_DIR, a small one of its own, is filled to the last byte."""

    name = "the disk full"
    expected = "507 for new documents, readiness 503; jobs wait and go on when there is room again"
    lane = "surroundings"

    @override
    def why_not(self, scene: Scene) -> str | None:
        return scene.disk.why_not

    @override
    def strike(self, scene: Scene, chance: random.Random) -> None:
        with scene.up(), scene.ledger.periods.during(FULL), scene.disk.full():
            scene.wait(lambda: scene.get("/health/ready").status_code == 503, "readiness to tell that the disk is full")
            time.sleep(HOLD_S)
        scene.wait_until_whole()


ALL: tuple[Disturbance, ...] = (
    # Those that end the service first, so that the others add up in one life of it.
    ServiceTerminated(), ServiceKilled(), KilledAndClockBack(), WorkersKilled(), WorkerStopped(), MemoryLimit(), VlmKilled(), VlmStalls(),
    VlmFails(), S3Refuses(), S3Gone(), DiskFull(), ClockJumps(),
)  # fmt: skip
