"""What PP-StructureV3 found on a page, as plain data: the library's result object without its pictures and arrays.

`plain` reads the object; everything after it works on these types alone. A library that changed its result is noticed here, by a
missing name or a wrong type, and not as silently lost text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Corners = tuple[float, float, float, float]


class RawBlock(msgspec.Struct, frozen=True):
    """An entry of `parsing_res_list`, in reading order. `content`: text, HTML, LaTeX or nothing, by its label."""

    label: str
    content: str
    box: Corners


class RawRegion(msgspec.Struct, frozen=True):
    """A box of the layout model, before blocks were made of them."""

    label: str
    score: float
    box: Corners


class RawLine(msgspec.Struct, frozen=True):
    """A line as it was recognised. `kind` is "text", or "formula" for an inline formula, whose text is LaTeX."""

    text: str
    score: float
    box: Corners
    kind: str = "text"


class RawTable(msgspec.Struct, frozen=True):
    """A recognised table: its cells' boxes in page pixels, in no reliable order, and its HTML."""

    cells: list[Corners]
    html: str


class RawSeal(msgspec.Struct, frozen=True):
    """The lines on a seal, without a place of their own on the page."""

    texts: list[str]
    scores: list[float]


class RawPage(msgspec.Struct, frozen=True):
    """A page. Boxes are pixels of the upright image; `angle` is the counter-clockwise turn in degrees that put it upright."""

    width: int
    height: int
    angle: int
    blocks: list[RawBlock]
    regions: list[RawRegion]
    lines: list[RawLine]
    tables: list[RawTable]
    seals: list[RawSeal]
    charts: list[str]


def plain(result: Mapping[str, Any]) -> RawPage:
    """The result object of one page as plain data. Raises msgspec.ValidationError, KeyError or AttributeError for anything else."""
    fields = {
        "width": int(result["width"]),
        "height": int(result["height"]),
        # −1 and absent both mean that nobody looked for an orientation.
        "angle": max(0, int(result["doc_preprocessor_res"].get("angle", 0))),
        "blocks": [_block(block) for block in result["parsing_res_list"]],
        "regions": [_region(box) for box in result["layout_det_res"]["boxes"]],
        "lines": _lines(result["overall_ocr_res"]),
        "tables": [_table(table) for table in result["table_res_list"]],
        "seals": [_seal(seal) for seal in result["seal_res_list"]],
        "charts": [str(chart) for chart in result["chart_res_list"]],
    }
    return msgspec.convert(fields, RawPage)


def _block(block: Any) -> dict[str, Any]:  # noqa: ANN401  the library has no types
    return {"label": block.label, "content": block.content or "", "box": _box(block.bbox)}


def _region(region: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": region["label"], "score": float(region["score"]), "box": _box(region["coordinate"])}


def _lines(ocr: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns = zip(ocr["rec_texts"], ocr["rec_scores"], ocr["rec_boxes"], ocr["rec_labels"], strict=True)
    return [{"text": text, "score": float(score), "box": _box(box), "kind": kind} for text, score, box, kind in columns]


def _table(table: Mapping[str, Any]) -> dict[str, Any]:
    return {"cells": [_box(cell) for cell in table["cell_box_list"]], "html": table["pred_html"]}


def _seal(seal: Mapping[str, Any]) -> dict[str, Any]:
    return {"texts": list(seal["rec_texts"]), "scores": [float(score) for score in seal["rec_scores"]]}


def _box(values: Sequence[Any]) -> list[float]:
    """A box, or the box round a quadrangle (x, y four times)."""
    numbers = [float(value) for value in values]
    xs, ys = numbers[0::2], numbers[1::2]
    return [min(xs), min(ys), max(xs), max(ys)]
