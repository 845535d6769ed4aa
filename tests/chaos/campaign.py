"""A service under load while everything around it breaks: `make chaos ARGS="--minutes 10 --seed 7"`.

Each disturbance once, one after another; then, for what is left of the minutes, at random, up to two at the same time. Afterwards
everything that was promised is counted. The seed decides what is sent and what is disturbed in which order; what exactly a disturbance
meets is up to the machine.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.chaos import inventory
from tests.chaos.clients import Crowd
from tests.chaos.disturbances import ALL, Disturbance
from tests.chaos.documents import Kind, Press, Sample
from tests.chaos.inventory import Holdings, Watch
from tests.chaos.ledger import content_of
from tests.chaos.scene import InVain, Scene, scene

# What a killed service leaves (its temporary folder, uploads, folders of documents that it had not yet taken in) is taken for abandoned by
# a start that comes so much later: workers/scratch.py, and _stale_s in bootstrap.py.
ABANDONED_S = 65.0
_LONGEST_PAUSE_S = 4.0
_PAGES_BETWEEN = 5


@dataclass
class Report:
    """What was done and what was found. `skipped`: disturbances that cannot be done here, and why."""

    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        rows = [
            {"disturbance": each.name, "expected": each.expected, "times": self.struck[each.name], "skipped": self.skipped.get(each.name)}
            for each in ALL
        ]
        return {"seed": self.seed, **self.facts, "disturbances": rows, "wrong": self.wrong}


def run(folder: Path, *, seed: int, seconds: float, long_pages: int) -> Report:
    """The whole campaign. `seconds`: of disturbances, at least each once; before them and after them come some minutes."""
    report = Report(seed)
    began = time.monotonic()
    with scene(folder) as made:
        made.start()
        press = Press(long_pages=long_pages)
        references = [press.make(Kind.DIGITAL, 3), press.make(Kind.SCAN, 1), press.make(Kind.RUSSIAN_SCAN, 1)]
        before = [_read(made, reference) for reference in references]
        holdings = Holdings.of(psutil.Process(made.server.process.pid))
        made.vlm.mood = "lying"
        watch = Watch(made)
        crowd = Crowd(made.url, made.ledger, press, seed)
        crowd.start()
        try:
            _disturb(made, report, random.Random(seed), time.monotonic() + seconds)
        finally:
            crowd.stop()
        _settle(made, watch, holdings)
        watch.close()
        _start_again(made)
        made.vlm.mood = "steady"
        for reference, content in zip(references, before, strict=True):
            if _read(made, reference) != content:
                made.ledger.found(f"the {reference.kind} reference is not read as it was before")
        if made.terminate() != 0:
            made.ledger.found("the service ended badly")
        inventory.check_stopped(made)
        _conclude(report, made, watch, holdings)
    report.facts["seconds"] = round(time.monotonic() - began)
    return report


def _read(made: Scene, sample: Sample) -> list[dict[str, Any]]:
    files = {"file": (sample.name, sample.content)}
    response = httpx.post(f"{made.url}/ocr/pdf", files=files, data=dict(sample.form), timeout=300)
    return content_of(response.raise_for_status().json()["pages"])


def _disturb(made: Scene, report: Report, chance: random.Random, end: float) -> None:
    possible = []
    for disturbance in ALL:
        why_not = disturbance.why_not(made)
        if why_not is None:
            possible.append(disturbance)
        else:
            report.skipped[disturbance.name] = why_not
    for disturbance in possible:
        _strike(made, report, disturbance, chance)
    lanes = sorted({disturbance.lane for disturbance in possible})
    threads = [
        threading.Thread(target=_at_random, args=(made, report, possible, lane, random.Random(f"{report.seed} {lane}"), end), name=lane)
        for lane in lanes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _at_random(made: Scene, report: Report, possible: Sequence[Disturbance], lane: str, chance: random.Random, end: float) -> None:
    own = [disturbance for disturbance in possible if disturbance.lane == lane]
    while time.monotonic() < end:
        _strike(made, report, chance.choice(own), chance)
        time.sleep(chance.uniform(0, _LONGEST_PAUSE_S))


def _strike(made: Scene, report: Report, disturbance: Disturbance, chance: random.Random) -> None:
    began = time.monotonic()
    try:
        # Else there is nothing to be disturbed.
        made.wait_for_pages(_PAGES_BETWEEN)
        disturbance.strike(made, chance)
    except InVain as what:
        made.ledger.found(f"{disturbance.name}: waited in vain for {what}")
    report.struck[disturbance.name] += 1
    line = {
        "disturbance": disturbance.name,
        "seconds": round(time.monotonic() - began, 1),
        "pages": made.ledger.pages,
        "wrong": made.ledger.wrong,
    }
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _settle(made: Scene, watch: Watch, before: Holdings) -> None:
    """Nothing disturbs any more, and nobody asks for anything."""
    try:
        made.wait_until_whole()
        made.wait(lambda: _metric(made, "ocr_documents_in_service") == 0, "all documents to be over")
        made.wait(lambda: not made.running_jobs(), "all jobs to be over")
        inventory.check_s3(made)
    except InVain as what:
        made.ledger.found(f"at the end: waited in vain for {what}")
    inventory.check_jobs(made)
    inventory.check_answers_stay(made)
    inventory.check_pages_kept(made)
    inventory.check_memory(watch, made, before)


def _start_again(made: Scene) -> None:
    """Everything is as it was after a start, too, and pages are read anew: the cache is left out."""
    if (rest := made.killed_at + ABANDONED_S - time.monotonic()) > 0:
        time.sleep(rest)
    if made.terminate() != 0:
        made.ledger.found("the service ended badly")
    made.start(OCR_PAGE_CACHE_MB="0")
    inventory.check_jobs(made)
    inventory.check_folders(made)
    inventory.check_answers_stay(made)


def _metric(made: Scene, name: str) -> float:
    lines = made.get("/metrics").text.splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


def _conclude(report: Report, made: Scene, watch: Watch, before: Holdings) -> None:
    report.wrong = [*made.ledger.wrong, *(f"logged {times} times: {text}" for text, times in inventory.errors_logged(made.logs).items())]
    report.facts = {
        "pages_checked": made.ledger.pages,
        "documents_that_stay": len(made.ledger.answered),
        "lives": made.lives,
        "pages_kept_over_kills": len(made.page_files),
        "outcomes": dict(sorted(made.ledger.outcomes.items())),
        "most_mb": {name: round(value) for name, value in watch.most_mb.items()},
        "api_at_first": {"descriptors": before.descriptors, "resident_mb": round(before.resident_mb)},
        "orphans_in_s3": len(inventory.orphans_in_s3(made)),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of disturbances (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, help="write the report there, too")
    parser.add_argument("--long-pages", type=int, default=300, help="pages of the long documents (default: %(default)s)")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        report = run(Path(folder), seed=asked.seed, seconds=60 * asked.minutes, long_pages=asked.long_pages)
    text = json.dumps(report.as_dict(), ensure_ascii=False, indent=1) + "\n"
    sys.stdout.write(text)
    if asked.report is not None:
        asked.report.write_text(text, encoding="utf-8")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
