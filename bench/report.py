"""Writes the tables of docs/performance.md and docs/reliability.md anew from `bench/results/*.json`, between the marks
`<!-- table NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import re
from typing import Any

from bench import accuracy, chaos, fairness, lies, load, memory, overhead, results, soak, speed, vlm_throughput
from bench.service import PROJECT

DOCUMENTS = (PROJECT / "docs" / "performance.md", PROJECT / "docs" / "reliability.md")
_NOT_RUN = "Not measured yet."


def _accuracy(found: dict[str, Any]) -> str:
    return f"{accuracy.table(found['rows'])}\n\n{accuracy.verdict(found['rows'])}"


def _speed(found: dict[str, Any]) -> str:
    return "\n\n".join(f"{course['title']}, {course['rounds']} rounds:\n\n{speed.table(course)}" for course in found["courses"].values())


def _memory(found: dict[str, Any]) -> str:
    told = (
        f"{found['pages_done']} of {found['pages']} pages, {found['scans']:.0%} of them scans, in {found['seconds']} s; "
        f"{found['pages_failed']} failed, {found['workers_replaced']} workers replaced."
    )
    return f"{memory.table(found['rows'])}\n\n{told}"


def _fairness(found: dict[str, Any]) -> str:
    head = f"The long document has {found['long_pages']} pages; {found['repeats']} requests of each kind."
    return f"{head}\n\n{fairness.latency_table(found['latency'])}\n\n{fairness.clients_table(found['clients'])}"


TABLES = {
    "accuracy": _accuracy,
    "speed": _speed,
    "memory": _memory,
    "fairness": _fairness,
    "lies": lies.tables,
    "vlm_throughput": vlm_throughput.tables,
    "chaos": chaos.tables,
    "soak": soak.tables,
    "load": load.tables,
    "overhead": overhead.tables,
}


def section(name: str) -> str:
    """What stands between the marks: when and where it was measured, then the tables."""
    found = results.read(name)
    if found is None:
        return _NOT_RUN
    about, machine = found["about"], found["about"]["machine"]
    where = f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB, {machine['system']}"
    told = f"Measured on {about['date']} at {about['commit']} with `{about['command']}` on {where}."
    # What runs without the service has no engine.
    engine = f" Engine: {found['engine']}; {found['workers']} workers." if "engine" in found else ""
    return f"{told}{engine}\n\n{TABLES[name](found)}"


def filled(text: str) -> str:
    """The document with fresh tables. Raises SystemExit for a mark that no benchmark answers to."""

    def fill(mark: re.Match[str]) -> str:
        if mark[1] not in TABLES:
            raise SystemExit(f"no benchmark is called {mark[1]!r}")
        return f"<!-- table {mark[1]} -->\n\n{section(mark[1])}\n\n<!-- end -->"

    return re.sub(r"<!-- table (\w+) -->.*?<!-- end -->", fill, text, flags=re.DOTALL)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    for document in DOCUMENTS:
        document.write_text(filled(document.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"written: {document.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
