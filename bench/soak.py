"""Hours in minutes: a service under a steady load of born-digital pages and scans, and whether anything of it grows.

Every few seconds: resident memory of every process, open files of the API process, temporary space, and the latency of one born-digital
page sent beside the load. The slopes are least-squares fits over what comes after the warm-up, by pages answered; workers are not renewed,
and results are removed soon, so that growth cannot hide behind the one and is not feigned by the other. The plot is docs/images/soak.svg.
"""

from __future__ import annotations

import argparse
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench import corpus, plot, results, service

SAMPLE_S = 5.0
# Results go a minute after their document, so temporary and stored space settle within minutes.
KEEP_S = 60
_SCANS_OF_TEN = 1
_DIGITAL_PAGES = 20
PLOT = service.PROJECT / "docs" / "images" / "soak.svg"


@dataclass(frozen=True)
class Measure:
    """A column of the samples: its name in tables, its unit."""

    key: str
    name: str
    unit: str

    @property
    def title(self) -> str:
        return self.name + (f", {self.unit}" if self.unit else "")


class Load:
    """Clients that send one document after the other until they are stopped. `pages` answered right so far."""

    def __init__(self, running: service.Service, clients: int) -> None:
        self._running = running
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.pages = 0
        self.outcomes: Counter[str] = Counter()
        self._digital = [
            corpus.cut(corpus.RUSSIAN_DIGITAL, range(first, first + _DIGITAL_PAGES), f"soak_digital_{first}.pdf")
            for first in range(0, 120, _DIGITAL_PAGES)
        ]
        self._scans = [corpus.cut(corpus.ENGLISH_SCAN, [page], f"soak_scan_{page}.pdf") for page in range(2, 8)]
        self._threads = [threading.Thread(target=self._client, args=(number,)) for number in range(clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _client(self, number: int) -> None:
        chance = random.Random(number)
        while not self._over.is_set():
            is_scan = chance.randrange(10) < _SCANS_OF_TEN
            document = chance.choice(self._scans if is_scan else self._digital)
            try:
                answer = self._running.post(document, {"lang": "en" if is_scan else "ru"})
            except httpx.HTTPError as error:
                outcome, pages = type(error).__name__, 0
                self._over.wait(1)
            else:
                outcome, pages = answer["status"], len(answer["pages"]) - len(answer["failed_pages"])
            with self._lock:
                self.outcomes[outcome] += 1
                self.pages += pages


def samples(running: service.Service, load: Load, seconds: float, most_pages: int) -> Iterator[dict[str, float]]:
    """Until the time is over or so many pages are answered; `page` counts them."""
    probe = corpus.cut(corpus.RUSSIAN_DIGITAL, [20], "soak_probe.pdf")
    watched = running.processes()
    began = time.monotonic()
    for number in itertools.count(1):
        sent = time.monotonic()
        running.post(probe, {"lang": "ru"})
        latency = time.monotonic() - sent
        yield {
            "seconds": time.monotonic() - began,
            "page": float(load.pages),
            **{f"{name}_mb": process.memory_info().rss / 2**20 for name, process in watched.items()},
            "open_files": float(running.process.num_fds()),
            "temporary_mb": _size_mb(running.temporary_dir),
            "stored_mb": _size_mb(running.output_dir),
            "latency_s": latency,
        }
        if time.monotonic() - began > seconds or load.pages >= most_pages:
            return
        time.sleep(max(0.0, began + number * SAMPLE_S - time.monotonic()))


def _size_mb(folder: Path) -> float:
    """What the files below take; those that vanish meanwhile take nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total / 2**20


def measures(names: list[str]) -> list[Measure]:
    return [
        *(Measure(f"{name}_mb", f"memory of {name}", "MiB") for name in names),
        Measure("open_files", "open files of api", ""),
        Measure("temporary_mb", "temporary files", "MiB"),
        Measure("stored_mb", "files in OUTPUT_DIR", "MiB"),
        Measure("latency_s", "latency of a born-digital page", "s"),
    ]


def settled(taken: list[dict[str, float]]) -> list[dict[str, float]]:
    """Without the first third: by then every model is loaded, every cache has its size, and results are removed as fast as they come."""
    return taken[len(taken) // 3 :]


def rows(taken: list[dict[str, float]], found: list[Measure]) -> list[dict[str, Any]]:
    """For each measure: where it began and ended as medians of a tenth of the settled samples, the highest, and the slope."""
    steady = settled(taken)
    tenth = max(1, len(steady) // 10)
    return [
        {
            "measure": measure.title,
            "settled": round(_median(steady[:tenth], measure.key), 2),
            "at_the_end": round(_median(steady[-tenth:], measure.key), 2),
            "highest": round(max(sample[measure.key] for sample in taken), 2),
            "slope_per_1000_pages": round(1000 * slope(steady, measure.key), 2),
        }
        for measure in found
    ]


def _median(taken: list[dict[str, float]], key: str) -> float:
    return sorted(sample[key] for sample in taken)[len(taken) // 2]


def slope(taken: list[dict[str, float]], key: str) -> float:
    """Growth a page, by least squares."""
    mean_page = sum(sample["page"] for sample in taken) / len(taken)
    mean = sum(sample[key] for sample in taken) / len(taken)
    joint = sum((sample["page"] - mean_page) * (sample[key] - mean) for sample in taken)
    return joint / sum((sample["page"] - mean_page) ** 2 for sample in taken)


def tables(found: dict[str, Any]) -> str:
    told = (
        f"{found['pages']} pages answered in {found['seconds']} s by {found['clients']} clients; documents: "
        f"{', '.join(f'{count} {outcome}' for outcome, count in found['outcomes'].items())}; {found['workers_replaced']} workers replaced."
    )
    return f"{table(found['rows'])}\n\n{told}"


def table(found: list[dict[str, Any]]) -> str:
    head = ["measure", "settled", "at the end", "highest", "slope per 1000 pages, settled"]
    return results.markdown_table(head, [list(row.values()) for row in found])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="at most (default: %(default)s)")
    parser.add_argument("--pages", type=int, default=100_000, help="at most (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=4, help="clients at the same time (default: %(default)s)")
    service.add_arguments(parser)
    arguments = parser.parse_args()
    corpus.require()
    with service.running(arguments, OCR_RESULTS_KEEP_S=str(KEEP_S)) as running:
        engine, processes = running.engine(), running.processes()
        load = Load(running, arguments.clients)
        load.start()
        taken = []
        try:
            for sample in samples(running, load, 60 * arguments.minutes, arguments.pages):
                taken.append(sample)
                if len(taken) % 12 == 0:
                    print({key: round(value, 1) for key, value in sample.items()}, flush=True)
        finally:
            load.stop()
        replaced = sum(not process.is_running() for process in processes.values())
    found = measures(list(processes))
    facts = {
        "pages": int(taken[-1]["page"]), "seconds": round(taken[-1]["seconds"]), "clients": arguments.clients,
        "outcomes": dict(load.outcomes), "workers_replaced": replaced,
    }  # fmt: skip
    made = rows(taken, found)
    print(table(made), facts, sep="\n\n")
    results.write("soak", {"engine": engine, "workers": arguments.workers, **facts, "rows": made}, {"samples": taken})
    memory, others = found[: len(processes)], found[len(processes) :]
    panels = [plot.Panel("resident memory, MiB", {measure.name: _line(taken, measure.key) for measure in memory})]
    panels += [plot.Panel(measure.title, {"": _line(taken, measure.key)}) for measure in others]
    PLOT.write_text(plot.svg("pages answered", panels), encoding="utf-8")
    print(f"written: {PLOT.relative_to(service.PROJECT)}")


def _line(taken: list[dict[str, float]], key: str) -> list[tuple[float, float]]:
    return [(sample["page"], sample[key]) for sample in taken]


if __name__ == "__main__":
    main()
