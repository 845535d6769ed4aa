"""What a benchmark leaves behind: the full data in `bench/out/` (not committed), the figures of docs/performance.md in `bench/results/`."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.service import OUT, PROJECT

RESULTS = PROJECT / "bench" / "results"
Row = Sequence[object]


def write(name: str, summary: dict[str, Any], details: dict[str, Any]) -> None:
    """Write both files. Paths beside the checkout are left out of the recorded command: they say nothing to a reader."""
    about = {
        "bench": name,
        "command": _command(),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(PROJECT),
        "machine": machine(),
    }
    for folder, content in ((OUT, summary | details), (RESULTS, summary)):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.json"
        path.write_text(json.dumps({"about": about, **content}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(f"written: {path.relative_to(PROJECT)}")


def read(name: str) -> dict[str, Any] | None:
    """The committed summary, None if the benchmark was never run."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_bytes()) if path.exists() else None


def markdown_table(head: Row, rows: Sequence[Row]) -> str:
    """Cells padded, so that the same text can be read on a terminal and in a document; floats keep the digits they were given."""
    cells = [[_cell(value) for value in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """What the figures depend on. The load says whether something else was running."""
    model = next((line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory_kb = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory_kb / 1024**2, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        "load_at_the_end": round(os.getloadavg()[0], 1),
    }


def _cell(value: object) -> str:
    return "–" if value is None else str(value)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _command() -> str:
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("/")]
    arguments = [argument for argument in arguments if not argument.startswith("--service-python")]
    return shlex.join(["scripts/bench", Path(sys.argv[0]).stem, *arguments])


def commit(checkout: Path) -> str:
    """What is checked out there."""
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=checkout, capture_output=True, text=True, check=False)
    return done.stdout.strip()
