"""How many lies the judge believes, and how many truths it rejects, over answers built from real page texts.

Every answer goes the whole way of a block: a model that says the same again at the second look. The OCR behind the evidence ran before:
`tests/data/refinement/evidence.jsonl`, written by `bench/evidence.py`. Needs no model, no service and no network.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections import Counter, defaultdict
from typing import Any

from bench import results
from bench.lying import Region, Said, delivers_a_lie, lies, regions, true_answers
from ocr_service.domain.blocks import Block, RefinementStatus
from ocr_service.domain.documents import MediaType
from ocr_service.domain.vlm import Crop, Question, Sampling, VlmAnswer, VlmTask
from ocr_service.pipeline.refinement.ladder import refined

Counts = dict[str, Counter[str]]


class Stubborn:
    """A RegionReader that says the same whatever it is asked."""

    def __init__(self, answer: VlmAnswer) -> None:
        self._answer = answer

    async def read(self, crop: Crop, task: VlmTask, sampling: Sampling) -> VlmAnswer:  # noqa: ARG002  the port's signature
        return self._answer


async def outcome(said: Said) -> Block:
    """The region's block after the answer was heard and judged."""
    block = said.region.block
    crop = Crop(block.id, block.bbox, 1, 1, MediaType.PNG, b"")
    return await refined(block, Question(block.id, said.region.task, (crop, crop)), Stubborn(said.answer))


async def count(found: list[Region], seed: int) -> tuple[Counts, Counts]:
    """Truths and lies by kind: `answers`, `believed`, and of lies `silently` and `with a warning` what came out of refinement."""
    rng = random.Random(seed)
    truths: Counts = defaultdict(Counter)
    told: Counts = defaultdict(Counter)
    for region in found:
        others = [other for other in found if other.document != region.document]
        what = "table" if region.table is not None else "text"
        for said in true_answers(region, rng):
            block = await outcome(said)
            truths[f"{what}: {said.kind}"].update(answers=1, rejected=int(block.refinement.status is not RefinementStatus.ACCEPTED))
        for said in lies(region, others, rng):
            block = await outcome(said)
            accepted = block.refinement.status is RefinementStatus.ACCEPTED
            wrong = accepted and delivers_a_lie(said, block)
            told[f"{what}: {said.kind}"].update(
                answers=1,
                mended=int(accepted and not wrong),
                marked=int(wrong and bool(block.warnings)),
                silent=int(wrong and not block.warnings),
            )
    return truths, told


def summary(truths: Counts, told: Counts) -> dict[str, Any]:
    """The rows of the document's tables, and their sums."""
    all_truths, all_lies = sum(truths.values(), Counter()), sum(told.values(), Counter())
    return {
        "truths": [{"kind": kind, "answers": row["answers"], "rejected": row["rejected"]} for kind, row in sorted(truths.items())],
        "lies": [
            {"kind": kind, "answers": row["answers"], "mended": row["mended"], "marked": row["marked"], "silent": row["silent"]}
            for kind, row in sorted(told.items())
        ],
        "answers": all_truths["answers"] + all_lies["answers"],
        "truths_rejected": round(all_truths["rejected"] / all_truths["answers"], 5),
        "lies_accepted_silently": all_lies["silent"],
        "lies_accepted_with_a_warning": round(all_lies["marked"] / all_lies["answers"], 5),
    }


def tables(found: dict[str, Any]) -> str:
    """The document's text: what was found, then lies, then truths."""
    head = (
        f"{found['answers']} answers about {found['regions']} regions of {found['pages']} pages. Lies accepted silently: "
        f"{found['lies_accepted_silently']}; with a warning where OCR was unsure: {found['lies_accepted_with_a_warning']:.2%}. "
        f"Truths rejected: {found['truths_rejected']:.2%}."
    )
    lies_table = results.markdown_table(
        ["lie", "answers", "accepted silently", "accepted with a warning", "accepted with the lie taken out"],
        [[row["kind"], row["answers"], row["silent"], row["marked"], row["mended"]] for row in found["lies"]],
    )
    truths_table = results.markdown_table(
        ["truth", "answers", "rejected"], [[row["kind"], row["answers"], row["rejected"]] for row in found["truths"]]
    )
    return f"{head}\n\n{lies_table}\n\n{truths_table}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the random choices within a lie (default: %(default)s)")
    arguments = parser.parse_args()
    found = regions()
    figures = summary(*asyncio.run(count(found, arguments.seed)))
    figures |= {"regions": len(found), "pages": len({region.document for region in found})}
    print(tables(figures))
    results.write("lies", figures, {})
    if figures["lies_accepted_silently"]:
        raise SystemExit("a lie was believed")


if __name__ == "__main__":
    main()
