"""Writes `tests/data/refinement/evidence.jsonl`: what this service's OCR reads on pages of the evaluation set, and what is there.

Only pages that may be handed on without conditions (CC0). A block is kept if one block of the ground truth is certainly the same text,
with as many letters: where the two cut the page differently, nobody could say whether an answer about the block is true.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from rapidfuzz.distance import Levenshtein

from bench import corpus, service
from bench.lying import EVIDENCE
from ocr_service.outputs import table_html
from ocr_service.pipeline.refinement.folding import folded

_SAME = 0.6
_AS_LONG = 0.1
# Who read it and how long it took says nothing about an answer.
_DROPPED = {"markdown", "timings", "images"}


def truths(page: dict[str, Any], ground_truth: dict[str, Any]) -> dict[str, str]:
    """Block id → what is written there, as text or HTML; each block of the ground truth is used once."""
    left = list(ground_truth["blocks"])
    found = {}
    for block in page["blocks"]:
        is_table = block["table"] is not None
        read = folded(
            " ".join(cell["text"] for cell in block["table"]["cells"]) if is_table else " ".join(line["text"] for line in block["lines"])
        )
        candidates = [
            (Levenshtein.normalized_similarity(read, folded(_plain(other))), index)
            for index, other in enumerate(left)
            if (other["type"] == "table") == is_table and (other.get("text") or other.get("html"))
        ]
        score, index = max(candidates, default=(0.0, 0))
        if score < _SAME or not read:
            continue
        letters = len(folded(_plain(left[index])))
        if is_table or abs(letters - len(read)) <= _AS_LONG * letters:
            other = left.pop(index)
            found[block["id"]] = other["html"] if is_table else other["text"]
    return found


def _plain(block: dict[str, Any]) -> str:
    if block["type"] != "table":
        return str(block.get("text") or "")
    grid = table_html.from_html(block["html"])
    return " ".join(cell.text for cell in grid.cells) if grid is not None else ""


def page_line(document: str, page: dict[str, Any], ground_truth: dict[str, Any]) -> str:
    """The page as a line of the file; "" if no block of it is of use."""
    found = truths(page, ground_truth)
    kept = {name: value for name, value in page.items() if name not in _DROPPED}
    kept["blocks"] = [block for block in page["blocks"] if block["id"] in found]
    kept |= {"markdown": "", "timings": {}, "images": []}
    return json.dumps({"document": document, "page": kept, "truths": found}, ensure_ascii=False) if found else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    service.add_arguments(parser)
    arguments = parser.parse_args()
    corpus.require()
    lines = []
    with service.running(arguments) as running:
        for document in sorted(corpus.manifest(), key=lambda document: document["id"]):
            if "CC0" not in document["licence"]:
                continue
            layers = ("auto", "ignore") if document["id"].endswith("_vec") else ("auto",)
            for text_layer in layers:
                answer = running.post(corpus.EVAL / "accuracy" / document["file"], {"text_layer": text_layer})
                lines.append(page_line(f"{document['id']}, text_layer={text_layer}", answer["pages"][0], corpus.truth(document)))
                print(document["id"], text_layer, flush=True)
    EVIDENCE.write_text("".join(f"{entry}\n" for entry in lines if entry), encoding="utf-8")
    print(f"written: {EVIDENCE.relative_to(service.PROJECT)}")


if __name__ == "__main__":
    main()
