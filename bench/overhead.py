"""What a request costs beside the reading of its page: by POST /ocr/pdf, as a job, and at another checkout in the same minutes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench import results, service
from ocr_service.client import Client

PAGE = service.PROJECT / "tests/data/act.pdf"
WARM = 5

Ask = Callable[[], float]
"""Has the document read and gives the seconds that the service spent on it by its own account (`timings.total`)."""


def connected(client: service.Service) -> Ask:
    return lambda: float(client.post(PAGE)["timings"]["total"])


def as_job(client: Client) -> Ask:
    """Handed in, followed to its end, its result fetched."""

    def ask() -> float:
        job = client.wait(client.submit(PAGE).job_id)
        return client.result(job.job_id).timings["total"]

    return ask


def measured(ways: dict[str, Ask], repeats: int) -> dict[str, list[tuple[float, float]]]:
    """(seconds until the answer, seconds of reading), in turns, so that what else the machine does meets all of them."""
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for number in range(WARM + repeats):
        for way, ask in ways.items():
            began = time.perf_counter()
            read_s = ask()
            if number >= WARM:
                taken[way].append((time.perf_counter() - began, read_s))
    return taken


def row(way: str, taken: list[tuple[float, float]]) -> dict[str, Any]:
    """In milliseconds."""
    beside = sorted(1000 * (wall_s - read_s) for wall_s, read_s in taken)
    return {
        "way": way,
        "answer_ms": round(1000 * median(wall_s for wall_s, _ in taken)),
        "reading_ms": round(1000 * median(read_s for _, read_s in taken)),
        "beside_ms": round(median(beside), 1),
        "beside_p90_ms": round(beside[int(0.9 * len(beside))], 1),
    }


def tables(found: dict[str, Any]) -> str:
    head = ["way", "answer, ms", "reading, ms", "beside it, ms", "beside it, 90 % of requests, ms"]
    told = f"{found['repeats']} requests of each kind, in turns, one at a time; medians."
    return f"{told}\n\n{results.markdown_table(head, [list(row.values()) for row in found['rows']])}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=50, help="requests of each kind (default: %(default)s)")
    parser.add_argument(
        "--beside", type=Path, metavar="CHECKOUT", help="another checkout, whose service is measured in turns with this one"
    )
    service.add_arguments(parser)
    parser.set_defaults(workers=1)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        here = stack.enter_context(service.running(arguments))
        ways = {"POST /ocr/pdf": connected(here), "a job": as_job(stack.enter_context(Client(here.url)))}
        if arguments.beside is not None:
            there = stack.enter_context(service.running(arguments, arguments.beside.resolve()))
            ways[f"POST /ocr/pdf at {results.commit(arguments.beside)}"] = connected(there)
        engine = here.engine()
        rows = [row(way, taken) for way, taken in measured(ways, arguments.repeats).items()]
    found = {"engine": engine, "workers": arguments.workers, "repeats": arguments.repeats, "rows": rows}
    print(tables(found))
    results.write("overhead", found, {})


if __name__ == "__main__":
    main()
