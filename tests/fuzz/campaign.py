"""Sends broken PDFs to a running service and says what it should not have done. By hand: `make fuzz ARGS="--minutes 20 --seed 7"`."""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count, takewhile
from pathlib import Path

import httpx

from tests.e2e.running import REPOSITORY, RunningServer, running
from tests.fuzz.mutations import mutated

NASTY = REPOSITORY.parent / "shared" / "eval" / "nasty" / "files"
# Short, so that a file that takes all the time that there is does not take the campaign's.
SETTINGS = {"OCR_PAGE_TIMEOUT_S": "10", "OCR_INSPECT_TIMEOUT_S": "10", "OCR_DOCUMENT_TIMEOUT_S": "60", "OCR_WORKER_MEMORY_MB": "1024"}
EXPECTED = {200, 413, 415, 422, 504}
# The API process parses nothing: what it needs beyond its start does not come from the files.
MOST_GROWTH_BYTES = 150 * 1024 * 1024
_CLIENTS = 4


def corpus(*, larger: bool) -> list[bytes]:
    """Our test PDFs, and those of the evaluation set that are nasty already where they are there."""
    folders = [REPOSITORY / "tests" / "data", REPOSITORY / "tests" / "data" / "hostile", *([NASTY] if larger else [])]
    paths = [path for folder in folders for path in sorted(folder.glob("*.pdf")) if path.stat().st_size < 2_000_000]
    return [path.read_bytes() for path in paths if path.stat().st_size]


@dataclass
class Findings:
    """`wrong`: what should not have been, by the seed that shows it."""

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def run(server: RunningServer, files: list[bytes], seeds: Iterable[int]) -> Findings:
    findings = Findings()
    before = _resident(server)
    with ThreadPoolExecutor(_CLIENTS) as clients:
        for seed, answer in clients.map(lambda seed: (seed, _ask(server, seed, mutated(seed, files))), seeds):
            findings.statuses[answer.partition(":")[0]] += 1
            if int(answer.split()[0]) not in EXPECTED:
                findings.wrong.append(f"seed {seed}: {answer}")
    if (growth := _resident(server) - before) > MOST_GROWTH_BYTES:
        findings.wrong.append(f"the API process has grown by {growth // 2**20} MiB")
    findings.wrong += [json.dumps(line)[:500] for line in server.log() if line["level"] == "error"]
    findings.wrong += [f"left behind: {path}" for path in server.leftovers()]
    if server.process.poll() is not None:
        findings.wrong.append(f"the service has ended with status {server.process.returncode}")
    return findings


def _ask(server: RunningServer, seed: int, data: bytes) -> str:
    """The status and, where there is one, the problem's code. Most files are read without OCR: it is the parser that is asked here."""
    form = {"pages": "1", "dpi": "72", "text_layer": "auto" if seed % 10 == 0 else "only"}
    if seed % 3 == 0:
        form["outputs"] = "searchable_pdf"
    try:
        answer = server.post(data, data=form)
    except httpx.HTTPError as error:
        return f"0 {type(error).__name__}"
    try:
        body = answer.json()
    except ValueError:
        return f"0 an answer that is no JSON, with status {answer.status_code}"
    return f"{answer.status_code} {body.get('code') or body['status']}"


def _resident(server: RunningServer) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii"))
    return int(found[1]) * 1024 if found else 0


def _until(minutes: float, first: int) -> Iterator[int]:
    end = time.monotonic() + 60 * minutes
    return takewhile(lambda _seed: time.monotonic() < end, count(first))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1, help="the first; each file has its own")
    asked = parser.parse_args(arguments)
    files = corpus(larger=True)
    with tempfile.TemporaryDirectory() as folder, running("server_vllm.py", Path(folder), **SETTINGS) as server:
        server.client.timeout = httpx.Timeout(120)
        found = Findings()
        seeds = _until(asked.minutes, asked.seed)
        # In portions, because a pool of clients takes all seeds at once.
        while portion := [seed for _, seed in zip(range(100), seeds, strict=False)]:
            part = run(server, files, portion)
            found.statuses += part.statuses
            found.wrong += [line for line in part.wrong if line not in found.wrong]
            restarts = {
                name: server.metric(f'ocr_worker_restarts_total{{reason="{name}"}}') for name in ("crashed", "timed_out", "out_of_memory")
            }
            line = {"files": found.statuses.total(), "last_seed": portion[-1], "answers": dict(found.statuses), "workers_lost": restarts}
            sys.stdout.write(json.dumps({**line, "wrong": found.wrong}) + "\n")
            sys.stdout.flush()
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
