"""Resident memory of the API process and of each worker while one long document is read; workers are never renewed meanwhile."""

from __future__ import annotations

import argparse
import time
from typing import Any

import psutil

from bench import corpus, results, service

Sample = dict[str, float]
SETTLED_AFTER = 50  # pages: by then every model is loaded and every cache has its size


def measure(running: service.Service, pages: int, scans: float) -> tuple[list[Sample], dict[str, Any]]:
    """A sample (MiB per process) whenever a page is done; `page` counts finished pages of the document."""
    document = corpus.long_document(pages, scans)
    watched = running.processes()
    samples, failed, began = [], 0, time.perf_counter()
    for done, page in enumerate(running.pages(document, {"lang": "ru"}), 1):
        failed += page["status"] != "ok"
        try:
            samples.append({"page": float(done)} | {name: _rss_mb(process) for name, process in watched.items()})
        except psutil.NoSuchProcess as error:
            reason = f"A page worker was replaced after {done} pages, which hides growth; {service.OUT}/service.log says why"
            raise SystemExit(reason) from error
        if done % 50 == 0:
            print(f"  {done} pages, {time.perf_counter() - began:.0f} s: {_readable(samples[-1])}", flush=True)
    facts = {"pages": pages, "pages_done": len(samples), "pages_failed": failed, "scans": scans}
    facts["seconds"] = round(time.perf_counter() - began)
    # A renewed worker would hide its predecessor's growth.
    facts["workers_replaced"] = sum(not process.is_running() for process in watched.values())
    return samples, facts


def _rss_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1024**2


def _readable(sample: Sample) -> str:
    return ", ".join(f"{name} {value:.0f} MiB" for name, value in sample.items() if name != "page")


def summary(samples: list[Sample]) -> list[dict[str, Any]]:
    """Per process: memory at some pages, the highest, and the slope of the settled part."""
    marks = [mark for mark in (10, 100, 500, 1000) if mark <= len(samples)]
    if not marks:
        raise SystemExit("fewer than ten pages say nothing about growth")
    return [
        {
            "process": name,
            **{f"at_page_{mark}_mb": round(samples[mark - 1][name]) for mark in marks},
            "highest_mb": round(max(sample[name] for sample in samples)),
            "mb_per_100_pages": slope([sample for sample in samples if sample["page"] > SETTLED_AFTER], name),
        }
        for name in samples[0]
        if name != "page"
    ]


def slope(samples: list[Sample], name: str) -> float | None:
    """Growth in MiB per 100 pages of the document, by least squares; None for too few samples."""
    if len(samples) < 10:
        return None
    mean_page = sum(sample["page"] for sample in samples) / len(samples)
    mean_size = sum(sample[name] for sample in samples) / len(samples)
    joint = sum((sample["page"] - mean_page) * (sample[name] - mean_size) for sample in samples)
    return round(100 * joint / sum((sample["page"] - mean_page) ** 2 for sample in samples), 2)


def table(rows: list[dict[str, Any]]) -> str:
    marks = [name for name in rows[0] if name.startswith("at_page_")]
    head = ["process", *(f"page {name.split('_')[2]}, MiB" for name in marks), "highest, MiB", "MiB per 100 pages, settled"]
    return results.markdown_table(head, [list(row.values()) for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000, help="length of the document (default: %(default)s)")
    parser.add_argument("--scans", type=float, default=0.5, help="share of scanned pages (default: %(default)s)")
    service.add_arguments(parser)
    arguments = parser.parse_args()
    corpus.require()
    with service.running(arguments) as running:
        engine = running.engine()
        samples, facts = measure(running, arguments.pages, arguments.scans)
    rows = summary(samples)
    print(table(rows), facts, sep="\n\n")
    results.write("memory", {"engine": engine, "workers": arguments.workers, **facts, "rows": rows}, {"samples": samples})


if __name__ == "__main__":
    main()
