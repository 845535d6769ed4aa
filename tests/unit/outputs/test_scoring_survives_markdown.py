"""The ground truth of the evaluation set, written as Markdown by us, is scored as the ground truth itself: escaping costs nothing."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel
from ocr_service.outputs.markdown import page_markdown
from tests.unit.outputs.blocks import block

_EVAL = Path(__file__).parents[4] / "shared" / "eval"
_LABELS = {"title": LayoutLabel.PARAGRAPH_TITLE, "text": LayoutLabel.TEXT}


def _harness() -> Any:
    path = _EVAL / "harness" / "evallib.py"
    if not path.is_file():
        pytest.skip(f"the evaluation set is not beside the repository ({_EVAL})")
    spec = importlib.util.spec_from_file_location("evallib", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _block(truth: dict[str, str], index: int) -> Block:
    fields: dict[str, Any] = {"id": f"b{index}", "order": index}
    if truth["type"] == "table":
        return block(truth["html"], LayoutLabel.TABLE, format=ContentFormat.HTML, **fields)
    if truth["type"] == "formula":
        return block(truth["latex"], LayoutLabel.FORMULA, format=ContentFormat.LATEX, **fields)
    return block(truth["text"], _LABELS[truth["type"]], **fields)


def _as_scored(harness: Any, markdown: str) -> list[tuple[str, Any]]:
    """What the scoring sees: texts as letters and digits, tables as grids, formulas normalised."""
    readers = {
        "text": lambda found: harness.clean(found["text"]),
        "table": lambda found: harness.table_grid(found["html"]),
        "formula": lambda found: harness.norm_latex(found["latex"]),
    }
    return [(found["type"], readers[found["type"]](found)) for found in harness.parse_markdown(markdown)]


def test_ground_truth_as_our_markdown_is_scored_as_the_ground_truth() -> None:
    harness = _harness()
    pages = [page for path in sorted((_EVAL / "accuracy" / "gt").glob("*.json")) for page in json.loads(path.read_text("utf-8"))["pages"]]
    assert pages
    for page in pages:
        blocks = [_block(truth, index) for index, truth in enumerate(page["blocks"]) if truth["type"] != "ignore"]
        assert _as_scored(harness, page_markdown(blocks)) == _as_scored(harness, harness.gt_to_markdown(page))
