"""How long one page takes alone and behind a long document, and whether many clients at once get what is theirs."""

from __future__ import annotations

import argparse
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench import corpus, results, service

MARK = re.compile(r"[MМ][AА][RВРЯ][KК]\s*([0-9OО]{6})")
"""What `make_long.py` writes on page 123: "MARK 000123"; on a Russian page OCR may read "МАВК", or letters for zeros."""


@contextmanager
def busy(running: service.Service, long: Path) -> Iterator[None]:
    """The long document is being read meanwhile; it is given up at the end."""
    stop, under_way = threading.Event(), threading.Event()

    def read() -> None:
        for _page in running.pages(long, {"lang": "ru"}):
            under_way.set()
            if stop.is_set():
                return

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        while not under_way.wait(0.1):
            if reading.done():
                reading.result()
                raise SystemExit("the long document was over before it began")
        try:
            yield
            if reading.done():
                raise SystemExit("the long document was over too early: give more --long-pages")
        finally:
            stop.set()


def latencies(running: service.Service, page: Path, repeats: int) -> list[float]:
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        running.post(page, {"lang": "ru"})
        taken.append(time.perf_counter() - began)
    return taken


def one_page(running: service.Service, long: Path, repeats: int) -> list[dict[str, Any]]:
    """A digital and a scanned page, alone and behind the long document."""
    kinds = {
        "born-digital page": corpus.cut(corpus.RUSSIAN_DIGITAL, [20], "fairness_digital.pdf"),
        "scanned page": corpus.rendered(corpus.RUSSIAN_DIGITAL, [20], 200, "fairness_scan.pdf"),
    }
    for page in kinds.values():
        latencies(running, page, 2)  # every worker warm
    alone = {kind: latencies(running, page, repeats) for kind, page in kinds.items()}
    with busy(running, long):
        behind = {kind: latencies(running, page, repeats) for kind, page in kinds.items()}
    return [
        {
            "request": kind,
            "alone_s": round(median(alone[kind]), 2),
            "behind_s": round(median(behind[kind]), 2),
            "behind_worst_s": round(max(behind[kind]), 2),
            "ratio": round(median(behind[kind]) / median(alone[kind]), 2),
        }
        for kind in kinds
    ]


def many_clients(running: service.Service, clients: int, pages_each: int) -> dict[str, Any]:
    """Different documents at the same time; every page carries its own mark and must come back where it belongs."""
    whole = corpus.long_document(clients * pages_each)
    numbers = [range(first, first + pages_each) for first in range(0, clients * pages_each, pages_each)]
    documents = [corpus.cut(whole, pages, f"fairness_client_{index}.pdf") for index, pages in enumerate(numbers)]
    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(lambda document: running.post(document, {"lang": "ru"}), documents))
    found: Counter[str] = Counter()
    for pages, answer in zip(numbers, answers, strict=True):
        found["page missing"] += len(pages) - len(answer["pages"])
        found.update(_belongs(number + 1, page) for number, page in zip(pages, answer["pages"], strict=False))
    return {"clients": clients, "pages": clients * pages_each, **{name: found[name] for name in _OUTCOMES}}


_OUTCOMES = ("right mark", "another page's mark", "mark not readable", "page failed", "page missing")


def _belongs(number: int, page: dict[str, Any]) -> str:
    if page["status"] != "ok":
        return "page failed"
    text = "\n".join(line["text"] for block in page["blocks"] for line in block["lines"])
    text += "\n".join(block["content"] for block in page["blocks"])
    marks = {int(re.sub("[OО]", "0", mark)) for mark in MARK.findall(text)}
    if not marks:
        return "mark not readable"
    return "right mark" if marks == {number} else "another page's mark"


def latency_table(rows: list[dict[str, Any]]) -> str:
    head = ["one-page request", "alone, s", "behind the long document, s", "worst of those, s", "ratio of medians"]
    return results.markdown_table(head, [list(row.values()) for row in rows])


def clients_table(found: dict[str, Any]) -> str:
    return results.markdown_table(list(found), [list(found.values())])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long-pages", type=int, default=300, help="pages of the long document (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=10, help="one-page requests of each kind (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=16, help="clients at the same time (default: %(default)s)")
    parser.add_argument("--pages-each", type=int, default=3, help="pages of each client's document (default: %(default)s)")
    service.add_arguments(parser)
    arguments = parser.parse_args()
    corpus.require()
    long = corpus.long_document(arguments.long_pages)
    with service.running(arguments) as running:
        engine = running.engine()
        rows = one_page(running, long, arguments.repeats)
        print(latency_table(rows), flush=True)
        clients = many_clients(running, arguments.clients, arguments.pages_each)
    print(clients_table(clients))
    summary = {"engine": engine, "workers": arguments.workers, "long_pages": arguments.long_pages, "repeats": arguments.repeats}
    results.write("fairness", summary | {"latency": rows, "clients": clients}, {})
    if clients["right mark"] + clients["mark not readable"] < clients["pages"]:
        raise SystemExit("pages were lost or mixed")


if __name__ == "__main__":
    main()
