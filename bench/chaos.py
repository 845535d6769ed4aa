"""The chaos campaign (`tests/chaos`), its report kept for docs/reliability.md. It runs in the environment of the tests, `.venv`."""

from __future__ import annotations

import argparse
import json
import subprocess
from typing import Any

from bench import results
from bench.service import OUT, PROJECT


def tables(found: dict[str, Any]) -> str:
    rows = [[row["disturbance"], row["expected"], row["skipped"] or row["times"]] for row in found["disturbances"]]
    most, first = found["most_mb"], found["api_at_first"]["resident_mb"]
    told = [
        f"Seed {found['seed']}; {found['seconds']} s with everything; {found['lives']} lives of the service.",
        f"{found['pages_checked']} pages came and were checked, in {sum(found['outcomes'].values())} requests;",
        f"{found['documents_that_stay']} documents were asked for again at the end and after one more start;",
        f"{found['pages_kept_over_kills']} pages of jobs lay on disk when the service was killed, and were not read again.",
        f"The API process had {most['api']} MiB at most ({first} when it had just started), a worker {most['a worker']}.",
        f"What should not have been: {'; '.join(found['wrong']) or 'nothing'}.",
    ]
    outcomes = [[*_split(name), count] for name, count in found["outcomes"].items()]
    return "\n\n".join([
        " ".join(told),
        results.markdown_table(["disturbance", "expected", "times"], rows),
        results.markdown_table(["document", "sent as", "end", "times"], outcomes),
    ])  # fmt: skip


def _split(name: str) -> tuple[str, str, str]:
    kind, _, rest = name.partition(", ")
    way, _, outcome = rest.partition(": ")
    return kind, way, outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of disturbances (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    arguments = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    report = OUT / "chaos_report.json"
    report.unlink(missing_ok=True)
    command = [str(PROJECT / ".venv/bin/python"), "-m", "tests.chaos.campaign", "--report", str(report)]
    done = subprocess.run([*command, "--minutes", f"{arguments.minutes:g}", "--seed", str(arguments.seed)], cwd=PROJECT, check=False)
    if not report.exists():
        raise SystemExit(f"the campaign came to no report, and ended with status {done.returncode}")
    results.write("chaos", json.loads(report.read_bytes()), {})
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
