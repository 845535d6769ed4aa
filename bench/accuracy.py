"""Accuracy of the real service on the evaluation set, per subset, beside the peers' scores and the aims."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

from bench import corpus, results, service

PEERS = ("pymupdf4llm", "rapidocr", "tesseract")
METRICS = ("text_ned", "all_ned", "order_ned", "word_recall", "teds")
LOWER_IS_BETTER = {"text_ned", "all_ned", "order_ned"}
AIMS: dict[tuple[str, str], float] = {
    ("ru_synth_clean", "text_ned"): 0.02,
    ("ru_synth_clean", "teds"): 0.80,
    ("ru_synth_degraded", "text_ned"): 0.08,
    ("ru_synth_degraded", "teds"): 0.60,
    ("ru_synth_rotated", "text_ned"): 0.10,
    ("ru_synth_rotated", "teds"): 0.60,
    ("ru_procurement", "text_ned"): 0.08,
    ("ru_procurement", "teds"): 0.70,
    ("en_tables", "teds"): 0.75,
    ("en_rotated", "text_ned"): 0.02,
    ("ru_badlayer", "text_ned"): 0.05,
}
# Below this a difference is that of two or three letters on one page, not of two engines.
NOTICEABLE = 0.0005


def score(url: str, workers: int, only: str | None) -> dict[str, Any]:
    """Run the harness against the service; raises SystemExit if it fails."""
    target = service.OUT / "accuracy_score.json"
    command = [sys.executable, str(corpus.HARNESS / "score.py"), "--url", url, "--workers", str(workers), "--out", str(target)]
    command += ["--timeout", "3600", "--save-pred", str(service.OUT / "accuracy_markdown")]
    if only:
        command += ["--filter", only]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit("the harness failed; nothing was written")
    scored: dict[str, Any] = json.loads(target.read_bytes())
    return scored


def compare(summary: dict[str, Any], peers: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per subset and metric that the service has a figure for."""
    rows = []
    for group, ours in summary.items():
        if not group.startswith("subset:"):
            continue
        subset = group.removeprefix("subset:")
        theirs = {name: peer.get(group, {}) for name, peer in peers.items()}
        rows += [_row(subset, metric, ours, theirs) for metric in METRICS if metric in ours]
    return rows


def _row(subset: str, metric: str, ours: dict[str, Any], peers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    value = float(ours[metric])
    theirs = {name: peer[metric] for name, peer in peers.items() if peer.get(metric) is not None and peer.get("n") == ours["n"]}
    aim = AIMS.get((subset, metric))
    return {
        "subset": subset,
        "pages": ours["n"],
        "errors": ours["errors"],
        "metric": metric,
        "ours": value,
        **{name: theirs.get(name) for name in PEERS},
        "behind": max([0.0, *(_lag(metric, value, peer) for peer in theirs.values())]),
        "aim": aim,
        "missed_by": 0.0 if aim is None else _lag(metric, value, aim),
    }


def _lag(metric: str, ours: float, other: float) -> float:
    """By how much ours is worse, 0 where it is not noticeably so."""
    lag = ours - other if metric in LOWER_IS_BETTER else other - ours
    return round(lag, 4) if lag > NOTICEABLE else 0.0


def table(rows: list[dict[str, Any]]) -> str:
    head = ["subset", "pages", "metric", "this service", *PEERS, "behind the best by", "aim", "aim missed by"]
    return results.markdown_table(head, [_cells(row) for row in rows])


def _cells(row: dict[str, Any]) -> list[object]:
    figures = [_figure(row[name]) for name in ("ours", *PEERS)]
    aim = [_figure(row["aim"]), None if row["aim"] is None else _lag_cell(row["missed_by"])]
    return [row["subset"], row["pages"], _arrow(row["metric"]), *figures, _lag_cell(row["behind"]), *aim]


def verdict(rows: list[dict[str, Any]]) -> str:
    behind = [f"{row['subset']} {row['metric']} by {row['behind']:.3f}" for row in rows if row["behind"]]
    missed = [f"{row['subset']} {row['metric']} by {row['missed_by']:.3f}" for row in rows if row["missed_by"]]
    return f"Behind the best peer: {'; '.join(behind) or 'nowhere'}.\nAims missed: {'; '.join(missed) or 'none'}."


def _arrow(metric: str) -> str:
    return f"{metric} {'↓' if metric in LOWER_IS_BETTER else '↑'}"


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _lag_cell(value: float) -> str:
    return f"**{value:.3f}**" if value else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filter", help="regular expression on subset/id (default: all); peers are shown only beside whole subsets")
    service.add_arguments(parser)
    arguments = parser.parse_args()
    corpus.require()
    peers = {name: json.loads((corpus.EVAL / "baselines" / f"{name}.json").read_bytes())["summary"] for name in PEERS}
    with service.running(arguments) as running:
        engine = running.engine()
        scored = score(running.url, arguments.workers, arguments.filter)
    rows = compare(scored["summary"], peers)
    print(table(rows), verdict(rows), sep="\n\n")
    summary = {"engine": engine, "workers": arguments.workers, "rows": rows, "composite": scored["summary"]["ALL"].get("composite")}
    results.write("accuracy", summary, {"pages": scored["rows"]})


if __name__ == "__main__":
    main()
