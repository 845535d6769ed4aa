"""How busy the service keeps a VLM server, beside PaddleX's own client; and what the policy `auto` saves and costs beside `all`.

The server is simulated (`bench/simulated_vlm.py`) and knows the right answers: what the page says where the ground truth has the same
block, else what OCR read. It learns them in a run before, from the pictures that the service sends.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import corpus, likeness, results, service
from bench.evidence import truths
from bench.simulated_vlm import Crop, Gpu, Listener, Reader, Speed
from tests.fakes.vlm_server import vlm_in_thread

POLICIES = ("none", "auto", "all")
Known = list[tuple[bytes, str]]


def learn(arguments: argparse.Namespace, pdf: Path, ground_truths: list[dict[str, Any]]) -> tuple[list[Crop], Known]:
    """The pictures that the service sends about the document, and what is written on each."""
    listener = Listener()
    with vlm_in_thread(listener) as vlm, service.running(arguments, **_settings(vlm.url, 1)) as running:
        document = running.post(pdf, {"vlm_policy": "all"})
    said: dict[str, str] = {}
    for page, truth in zip(document["pages"], ground_truths, strict=True):
        right = truths(page, truth)
        for block in page["blocks"]:
            if name := block["refinement"]["answer"]:
                said[name] = right.get(block["id"]) or _as_read(block)
    return listener.crops, [(crop.image, said[crop.name]) for crop in listener.crops if crop.name in said]


def _as_read(block: dict[str, Any]) -> str:
    return str(block["content"]) if block["table"] else "\n".join(line["text"] for line in block["lines"])


def _settings(url: str, concurrency: int) -> dict[str, str]:
    return {"USE_VLM_API": "true", "VLLM_URL": url, "VLM_CONCURRENCY": str(concurrency), "VLM_PAGE_TIMEOUT_S": "86400"}


def ours(arguments: argparse.Namespace, pdf: Path, known: Known, speed: Speed) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """One row for each policy, and the pages' texts."""
    rows: dict[str, dict[str, Any]] = {}
    texts = {}
    gpu = Gpu(speed)
    reader = Reader(gpu, known)
    with vlm_in_thread(reader) as vlm, service.running(arguments, **_settings(vlm.url, 2 * speed.slots)) as running:
        running.post(pdf, {"vlm_policy": "none"})  # every worker warm
        for policy in POLICIES:
            gpu.runs.clear()
            reader.unknown = 0
            began = time.perf_counter()
            document = running.post(pdf, {"vlm_policy": policy})
            seconds = time.perf_counter() - began
            texts[policy] = [page["markdown"] for page in document["pages"]]
            rows[policy] = _row(f"this service, `{policy}`", len(texts[policy]), seconds, gpu, reader)
            print(rows[policy], flush=True)
    return rows, texts


def paddlex(crops: list[Crop], known: Known, pages: int, speed: Speed) -> dict[str, Any]:
    """PaddleX's client asks about the same pictures, all at once: it is given for nothing what its layout model would find."""
    gpu = Gpu(speed)
    reader = Reader(gpu, known)
    first = {crop.name: crop.image for crop in reversed(crops)}
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder, vlm_in_thread(reader) as vlm:
        for number, name in enumerate(sorted(first, key=lambda name: int(name.split()[1]))):
            (Path(folder) / f"{number:05}.png").write_bytes(first[name])
        command = [sys.executable, "-m", "bench.paddle_vl_process", vlm.openai_url, folder]
        with (service.OUT / "peers.log").open("a") as log:
            done = subprocess.run(command, cwd=service.PROJECT, stdout=subprocess.PIPE, stderr=log, check=True, text=True)
    told = json.loads(done.stdout)
    return _row("PaddleX's PaddleOCRVL, given the crops", pages, told["seconds"], gpu, reader)


def _row(name: str, pages: int, seconds: float, gpu: Gpu, reader: Reader) -> dict[str, Any]:
    return {
        "contender": name,
        "pages": pages,
        "seconds": round(seconds, 1),
        "pages_per_s": round(pages / seconds, 3),
        "capacity_used": round(gpu.used(), 3),
        "questions": len(gpu.runs),
        "tokens": sum(run.tokens for run in gpu.runs),
        "unknown_pictures": reader.unknown,
    }


def tables(found: dict[str, Any]) -> str:
    """The document's text."""
    speed = found["speed"]
    head = (
        f"{found['pages']} pages. The simulated server has {speed['slots']} slots of {speed['tokens_per_s']:g} tokens/s and "
        f"{speed['prefill_s']:g} s of prefill; the load of the machine at the end was {found['about']['machine']['load_at_the_end']}."
    )
    columns = {name: name.replace("_", " ") for row in found["rows"] for name in row}
    return f"{head}\n\n" + results.markdown_table(list(columns.values()), [[row.get(name) for name in columns] for row in found["rows"]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=24, help="scanned pages of the accuracy set (default: %(default)s)")
    parser.add_argument("--slots", type=int, default=4, help="requests that the server runs at the same time (default: %(default)s)")
    parser.add_argument("--tokens-per-s", type=float, default=40.0, help="of each of them (default: %(default)s)")
    parser.add_argument("--prefill-s", type=float, default=0.1, help="for each picture (default: %(default)s)")
    service.add_arguments(parser)
    arguments = parser.parse_args()
    corpus.require()
    speed = Speed(arguments.slots, arguments.tokens_per_s, arguments.prefill_s)
    chosen = [item for item in corpus.manifest() if item["lang"] == "ru" and not item["id"].endswith("_vec")]
    # Spread over the set: clean, degraded and turned pages.
    chosen = chosen[:: max(1, len(chosen) // arguments.pages)][: arguments.pages]
    pdf = corpus.joined([corpus.EVAL / "accuracy" / item["file"] for item in chosen], "vlm_throughput.pdf")
    ground_truths = [corpus.truth(item) for item in chosen]
    crops, known = learn(arguments, pdf, ground_truths)
    print(f"{len(known)} pictures known of {len(crops)}", flush=True)
    peer = paddlex(crops, known, len(chosen), speed)
    print(peer, flush=True)
    rows, texts = ours(arguments, pdf, known, speed)
    scores = likeness.to_truth(texts, ground_truths)
    summary = {
        "pages": len(chosen),
        "speed": {"slots": speed.slots, "tokens_per_s": speed.tokens_per_s, "prefill_s": speed.prefill_s},
        "rows": [peer, *(rows[policy] | scores[policy] for policy in POLICIES)],
    }
    results.write("vlm_throughput", summary, {"texts": texts})
    print(tables(results.read("vlm_throughput") or {}))


if __name__ == "__main__":
    main()
