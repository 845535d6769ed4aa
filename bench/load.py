"""The load curve: more and more clients, each of which sends a page, waits for the answer and sends the next; beside PaddleX's own server.

Both get the same picture, one after the other at each number of clients. A client that is refused waits as long as it was told and tries
again; one that gets no answer within `--patience` gives up, which counts as a time-out. After the time of a step no client begins anew, and
all wait for what they have begun; pages/s are the answers by the time until the last of them.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pymupdf

from bench import corpus, likeness, paddle_serving, results, service

OURS, THEIRS = "this service", "PaddleX serving, OCR pipeline (lines only)"
DPI = 200
# The upper part of a page: enough answers within the time of a step for a 99th percentile to mean something.
SHARE_OF_PAGE = 0.12
_LONGEST_RETRY_S = 30.0


@dataclass(frozen=True)
class Contender:
    """`send`: the arguments of httpx's `post`; `read`: the text in an answer."""

    name: str
    url: str
    send: dict[str, Any]
    read: Callable[[httpx.Response], str]


@dataclass
class Step:
    """So many clients for a while. `latencies` of answers, and `elapsed` until the last of them, in seconds."""

    contender: str
    clients: int
    began: float = field(default_factory=time.monotonic)
    elapsed: float = 0.0
    latencies: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    refusals: list[float] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        return {
            "clients": self.clients,
            "contender": self.contender,
            "pages_per_s": round(len(self.latencies) / self.elapsed, 2) if self.elapsed else 0.0,
            "answers": len(self.latencies),
            "p50_s": percentile(self.latencies, 0.5),
            "p99_s": percentile(self.latencies, 0.99),
            "refused": self.counts["refused"],
            "refusal_p99_s": percentile(self.refusals, 0.99),
            "other_errors": self.counts["error"],
            "time_outs": self.counts["time-out"],
        }


def percentile(values: list[float], share: float) -> float | None:
    """Of the nearest rank, to 10 ms; None of nothing."""
    if not values:
        return None
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 2)


def picture() -> bytes:
    """The upper part of an English scan's page, a PNG."""
    with pymupdf.open(corpus.ENGLISH_SCAN) as scan:
        page = scan[2]
        upper = pymupdf.Rect(page.rect.x0, page.rect.y0, page.rect.x1, page.rect.y0 + SHARE_OF_PAGE * page.rect.height)
        pixels = page.get_pixmap(dpi=DPI, clip=upper, colorspace=pymupdf.csGRAY)
        pixels.set_dpi(DPI, DPI)
        made: bytes = pixels.tobytes("png")
        return made


async def climb(contender: Contender, clients: int, seconds: float, patience_s: float) -> Step:
    """One step of the curve; every client is done when it returns."""
    step = Step(contender.name, clients)
    end = step.began + seconds
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=httpx.Timeout(patience_s), limits=limits) as http, asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(_client(http, contender, step, end, patience_s))
    return step


async def _client(http: httpx.AsyncClient, contender: Contender, step: Step, end: float, patience_s: float) -> None:
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            async with asyncio.timeout(patience_s):
                response = await http.post(contender.url, **contender.send)
        except (TimeoutError, httpx.TimeoutException):
            step.counts["time-out"] += 1
        except httpx.TransportError:
            step.counts["error"] += 1
        else:
            await _note(response, step, began, end)


async def _note(response: httpx.Response, step: Step, began: float, end: float) -> None:
    now = time.monotonic()
    if response.status_code == 200:
        step.latencies.append(now - began)
        step.elapsed = now - step.began
    elif response.status_code in {429, 503} and "retry-after" in response.headers:
        step.counts["refused"] += 1
        step.refusals.append(now - began)
        await asyncio.sleep(max(0.0, min(float(response.headers["retry-after"]), _LONGEST_RETRY_S, end - now)))
    else:
        step.counts["error"] += 1
        await asyncio.sleep(1)


def text(contender: Contender, patience_s: float) -> str:
    """What it reads, once; it is warm afterwards, and idle."""
    return contender.read(httpx.post(contender.url, timeout=10 * patience_s, **contender.send).raise_for_status())


def table(rows: list[dict[str, Any]]) -> str:
    head = {name: name.replace("_s", ", s").replace("pages_per, s", "pages/s").replace("_", " ") for name in rows[0]}
    return results.markdown_table(list(head.values()), [list(row.values()) for row in rows])


def tables(found: dict[str, Any]) -> str:
    told = (
        f"Each step lasted {found['seconds']:g} s; a client gave up after {found['patience_s']:g} s. Words in common of the two readings: "
        f"{', '.join(f'{name} {value}' for name, value in found['words_in_common_f1'].items())}."
    )
    return f"{table(found['rows'])}\n\n{told}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", default="1,4,16,64,256", help="steps of the curve (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="of each step (default: %(default)s)")
    parser.add_argument("--patience", type=float, default=120, help="seconds until a client gives up (default: %(default)s)")
    service.add_arguments(parser)
    arguments = parser.parse_args()
    corpus.require()
    sent = picture()
    rows = []
    with service.running(arguments) as ours, paddle_serving.running() as theirs:
        form = {"lang": "en", "dpi": str(DPI)}
        contenders = [
            Contender(
                OURS,
                f"{ours.url}/ocr/pdf",
                {"files": {"file": ("page.png", sent)}, "data": form},
                lambda answer: str(answer.json()["markdown"]),
            ),
            Contender(
                THEIRS, f"{theirs}/ocr", {"json": paddle_serving.request(sent)}, lambda answer: paddle_serving.text_of(answer.json())
            ),
        ]
        texts = {contender.name: [text(contender, arguments.patience)] for contender in contenders}
        alike = {name: scores["words_in_common_f1"] for name, scores in likeness.to_vote(texts, list(texts.values())).items()}
        for clients in map(int, arguments.clients.split(",")):
            for contender in contenders:
                step = asyncio.run(climb(contender, clients, arguments.seconds, arguments.patience))
                rows.append(step.row())
                print(rows[-1], flush=True)
                if "time-out" in step.counts:
                    text(contender, arguments.patience)  # what was given up may still be in work: the other one must not pay for it
        engine = ours.engine()
    print(table(rows))
    summary = {"engine": engine, "workers": arguments.workers, "seconds": arguments.seconds, "patience_s": arguments.patience}
    results.write("load", {**summary, "words_in_common_f1": alike, "rows": rows}, {"texts": texts})


if __name__ == "__main__":
    main()
