"""The judge against every kind of lie, on a sample of the corpus that `bench/lies.py` measures in full."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from bench.lies import count
from bench.lying import Region, regions

SAMPLE = 60


@pytest.fixture(scope="module")
def sample() -> list[Region]:
    found = regions()
    # Tables take most of the time, so they are a smaller part of the sample than of the corpus.
    tables = [region for region in found if region.table is not None]
    texts = [region for region in found if region.table is None]
    rng = random.Random(2)
    return rng.sample(texts, SAMPLE) + rng.sample(tables, SAMPLE // 6)


def test_no_lie_is_believed_silently_and_hardly_a_truth_is_rejected(sample: list[Region]) -> None:
    truths, told = asyncio.run(count(sample, seed=2))
    all_truths, all_lies = sum(truths.values(), Counter[str]()), sum(told.values(), Counter[str]())
    assert all_lies["answers"] > 1000
    assert {kind: row["silent"] for kind, row in told.items() if row["silent"]} == {}
    assert all_truths["rejected"] < 0.01 * all_truths["answers"]


def test_few_lies_are_believed_with_a_warning_but_for_a_letter_or_two(sample: list[Region]) -> None:
    _, told = asyncio.run(count(sample, seed=3))
    letters = {"text: a letter changed", "text: a word's end changed"}
    marked = {kind: row["marked"] / row["answers"] for kind, row in told.items() if row["marked"] and kind not in letters}
    assert all(share < 0.2 for share in marked.values()), marked


def test_the_corpus_holds_pages_of_many_documents() -> None:
    found = regions()
    assert len({region.document for region in found}) > 30
    assert sum(region.table is not None for region in found) > 40
