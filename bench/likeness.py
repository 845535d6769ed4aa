"""How right the texts of several engines are: against ground truth, against a text layer, or against what most of them read.

Uses the evaluation harness's own metrics; `corpus.require()` has put it on the path.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

Texts = dict[str, list[str]]
Scores = dict[str, dict[str, float]]


def to_truth(texts: Texts, truths: Sequence[dict[str, Any]]) -> Scores:
    """The harness's scores of the pages' Markdown, as means."""
    harness = importlib.import_module("evallib")
    keys = ("text_ned", "all_ned", "word_recall", "teds")
    scores: Scores = {}
    for name, pages in texts.items():
        scored = [harness.score_page(truth, markdown) for truth, markdown in zip(truths, pages, strict=True)]
        values = {key: [page[key] for page in scored if page.get(key) is not None] for key in keys}
        scores[name] = {key: round(fmean(found), 4) for key, found in values.items() if found}
    return scores


def to_reference(texts: Texts, reference: Sequence[str]) -> Scores:
    """Share of words (Chinese: characters) in common with the reference, free of order."""
    return _f1(texts, [words(page) for page in reference])


def to_vote(texts: Texts, voters: Sequence[list[str]]) -> Scores:
    """As `to_reference`; the reference holds a word as often as the median voter read it."""
    reference = []
    for pages in zip(*voters, strict=True):
        bags = [words(page) for page in pages]
        every = {word for bag in bags for word in bag}
        reference.append(Counter({word: int(median(bag[word] for bag in bags)) for word in every}))
    return _f1(texts, reference)


def words(markdown: str) -> Counter[str]:
    """The words of a page without Markdown's and tables' marks."""
    harness = importlib.import_module("evallib")
    found: Counter[str] = Counter()
    for block in harness.parse_markdown(markdown):
        found.update(harness.words(harness.table_text(block["html"]) if block["type"] == "table" else block.get("text") or ""))
    return found


def _f1(texts: Texts, reference: Sequence[Counter[str]]) -> Scores:
    expected = sum(bag.total() for bag in reference)
    scores: Scores = {}
    for name, pages in texts.items():
        bags = [words(page) for page in pages]
        common = sum((bag & right).total() for bag, right in zip(bags, reference, strict=True))
        scores[name] = {"words_in_common_f1": round(2 * common / max(1, expected + sum(bag.total() for bag in bags)), 4)}
    return scores
