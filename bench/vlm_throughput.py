"""How busy the service keeps a VLM server, beside PaddleX's own pipeline; and what the policy `auto` saves and costs beside `all`.

The server is simulated (`bench/simulated_vlm.py`) and knows the right answers: what the page says where the ground truth has the same
block, else what OCR read. It learns them in a run before, from the pictures that the service sends. Each contender reads the pages twice:
as one document, and as documents of one page each that are all sent at once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bench import corpus, likeness, results, service
from bench.evidence import truths
from bench.simulated_vlm import Gpu, Listener, Reader, Speed
from ocr_service.engines.pictures.page_image import LONGEST_SIDE
from tests.fakes.vlm_server import vlm_in_thread

POLICIES = ("none", "auto", "all")
WARM_UP_PAGES = 4
# As in `engines/pictures/crops.py`.
MARGIN_IN = 0.03
Known = list[tuple[bytes, str]]


@dataclass(frozen=True)
class Pages:
    """`known`: pictures that the service asks about, and what is written there. `pictures`: the upright pages (JPEG), and what is asked
    about on each (`{label, box}`, in pixels of the picture).
    """

    known: Known
    pictures: list[tuple[bytes, list[dict[str, Any]]]]


def learn(arguments: argparse.Namespace, pdf: Path, ground_truths: list[dict[str, Any]]) -> Pages:
    """What the service asks about the document, and where; with the pages' own text layers left unused, too: PaddleX knows none."""
    listener = Listener()
    said: dict[str, str] = {}
    pictures: list[tuple[bytes, list[dict[str, Any]]]] = []
    with vlm_in_thread(listener) as vlm, service.running(arguments, **_settings(vlm.url, 1)) as running:
        for text_layer in ("auto", "ignore"):
            document = running.post(pdf, {"vlm_policy": "all", "text_layer": text_layer, "outputs": "page_images"})
            pictures = []
            for page, truth in zip(document["pages"], ground_truths, strict=True):
                right = truths(page, truth)
                asked = [block for block in page["blocks"] if block["refinement"]["answer"]]
                said |= {block["refinement"]["answer"]: right.get(block["id"]) or _as_read(block) for block in asked}
                pictures.append((running.file(document["document_id"], f"images/{page['image']}"), _boxes(page, asked)))
    return Pages([(crop.image, said[crop.name]) for crop in listener.crops if crop.name in said], pictures)


def _boxes(page: dict[str, Any], asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the service's own margin, so that both cut out the same."""
    scale = min(1.0, LONGEST_SIDE / max(page["width"], page["height"]))
    margin = MARGIN_IN * page["dpi"]
    found = []
    for block in asked:
        x0, y0, x1, y1 = block["bbox"]
        box = (max(0, x0 - margin), max(0, y0 - margin), min(page["width"], x1 + margin), min(page["height"], y1 + margin))
        found.append({"label": block["label"], "box": [value * scale for value in box]})
    return found


def _as_read(block: dict[str, Any]) -> str:
    return str(block["content"]) if block["table"] else "\n".join(line["text"] for line in block["lines"])


def _settings(url: str, concurrency: int) -> dict[str, str]:
    return {"USE_VLM_API": "true", "VLLM_URL": url, "VLM_CONCURRENCY": str(concurrency), "VLM_PAGE_TIMEOUT_S": "86400"}


def ours(arguments: argparse.Namespace, pdf: Path, known: Known, speed: Speed) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """A row for each policy and one for many documents, and the pages' texts by policy."""
    gpu = Gpu(speed)
    reader = Reader(gpu, known)
    rows: list[dict[str, Any]] = []
    texts: dict[str, list[str]] = {}

    def measured(name: str, policy: str, documents: list[Path]) -> list[str]:
        gpu.runs.clear()
        reader.unknown = 0
        began = time.perf_counter()
        with ThreadPoolExecutor(len(documents)) as clients:
            answers = list(clients.map(lambda document: running.post(document, {"vlm_policy": policy}), documents))
        seconds = time.perf_counter() - began
        pages = [page for answer in answers for page in answer["pages"]]
        rows.append(_row(f"this service, {name}", len(pages), seconds, gpu, reader))
        print(rows[-1], flush=True)
        return [page["markdown"] for page in pages]

    with vlm_in_thread(reader) as vlm, service.running(arguments, **_settings(vlm.url, 2 * speed.slots)) as running:
        running.post(pdf, {"vlm_policy": "none", "pages": f"1-{WARM_UP_PAGES}"})
        for policy in POLICIES:
            texts[policy] = measured(f"`{policy}`, one document", policy, [pdf])
        every = [corpus.cut(pdf, [number], f"vlm_throughput_{number}.pdf") for number in range(len(texts["all"]))]
        measured("`all`, documents of one page", "all", every)
        if arguments.times > 1:
            long = corpus.joined([pdf] * arguments.times, "vlm_throughput_long.pdf")
            measured(f"`all`, one document, the pages {arguments.times} times", "all", [long])
    return rows, texts


def paddlex(pages: Pages, speed: Speed, way: str) -> dict[str, Any]:
    """See `bench/paddle_vl_process.py`."""
    gpu = Gpu(speed)
    reader = Reader(gpu, pages.known)
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder, vlm_in_thread(reader) as vlm:
        for number, (picture, boxes) in enumerate(pages.pictures):
            (Path(folder) / f"{number:05}.jpg").write_bytes(picture)
            (Path(folder) / f"{number:05}.json").write_text(json.dumps(boxes))
        command = [sys.executable, "-m", "bench.paddle_vl_process", vlm.openai_url, folder, way]
        with (service.OUT / "peers.log").open("a") as log:
            done = subprocess.run(command, cwd=service.PROJECT, stdout=subprocess.PIPE, stderr=log, check=True, text=True)
    name = {"one": "one document", "each": "documents of one page"}[way]
    row = _row(f"PaddleX's PaddleOCRVL, {name}", len(pages.pictures), json.loads(done.stdout)["seconds"], gpu, reader)
    print(row, flush=True)
    return row


def _row(name: str, pages: int, seconds: float, gpu: Gpu, reader: Reader) -> dict[str, Any]:
    return {
        "contender": name,
        "pages": pages,
        "seconds": round(seconds, 1),
        "pages_per_s": round(pages / seconds, 3),
        "capacity_used": round(gpu.used(), 3),
        "until_the_last_question": round(gpu.used_while_asked(), 3),
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
    parser.add_argument(
        "--pages", type=int, default=24, help="Russian pages of the accuracy set, scanned and digital (default: %(default)s)"
    )
    parser.add_argument(
        "--times", type=int, default=1, help="one more row: a document that has the pages so many times (default: %(default)s)"
    )
    parser.add_argument("--slots", type=int, default=2, help="requests that the server runs at the same time (default: %(default)s)")
    parser.add_argument("--tokens-per-s", type=float, default=40.0, help="of each of them (default: %(default)s)")
    parser.add_argument("--prefill-s", type=float, default=0.1, help="for each picture (default: %(default)s)")
    service.add_arguments(parser)
    arguments = parser.parse_args()
    corpus.require()
    speed = Speed(arguments.slots, arguments.tokens_per_s, arguments.prefill_s)
    chosen = [item for item in corpus.manifest() if item["lang"] == "ru"]
    # Spread over the set: digital, clean, degraded and turned pages.
    chosen = chosen[:: max(1, len(chosen) // arguments.pages)][: arguments.pages]
    pdf = corpus.joined([corpus.EVAL / "accuracy" / item["file"] for item in chosen], "vlm_throughput.pdf")
    ground_truths = [corpus.truth(item) for item in chosen]
    pages = learn(arguments, pdf, ground_truths)
    print(f"{len(pages.known)} pictures known", flush=True)
    peers = [paddlex(pages, speed, way) for way in ("one", "each")]
    rows, texts = ours(arguments, pdf, pages.known, speed)
    scores = likeness.to_truth(texts, ground_truths)
    summary = {
        "pages": len(chosen),
        "speed": {"slots": speed.slots, "tokens_per_s": speed.tokens_per_s, "prefill_s": speed.prefill_s},
        "rows": [*peers, *(row | scores.get(policy or "", {}) for row, policy in zip_longest(rows, POLICIES))],
    }
    results.write("vlm_throughput", summary, {"texts": texts})
    print(tables(results.read("vlm_throughput") or {}))


if __name__ == "__main__":
    main()
