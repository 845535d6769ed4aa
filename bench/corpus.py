"""The documents that are measured: the evaluation set beside the checkout, and PDFs cut or rendered from it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymupdf

from bench.service import OUT, PROJECT

EVAL = PROJECT.parent / "shared" / "eval"
HARNESS = EVAL / "harness"
ENGLISH_SCAN = EVAL / "perf/docs/manual_en_60p_scan_300dpi_g4.pdf"
CHINESE_DIGITAL = EVAL / "perf/docs/manual_zh_30p_digital.pdf"
RUSSIAN_DIGITAL = EVAL / "perf/docs/manual_ru_120p_digital.pdf"


def require() -> None:
    """Stop with a sentence where the evaluation set is absent."""
    if not (EVAL / "accuracy" / "manifest.jsonl").exists():
        raise SystemExit(f"The evaluation set is absent: {PROJECT.name}/../shared/eval is needed for this benchmark; nothing was measured.")
    sys.path.append(str(HARNESS))


def manifest() -> list[dict[str, Any]]:
    """The documents of the accuracy set."""
    return [json.loads(line) for line in (EVAL / "accuracy/manifest.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]


def truth(document: dict[str, Any]) -> dict[str, Any]:
    """The ground truth of a one-page document's page."""
    page: dict[str, Any] = json.loads((EVAL / "accuracy" / document["gt"]).read_bytes())["pages"][0]
    return page


def cut(source: Path, pages: Sequence[int], target: str) -> Path:
    """These pages (from 0) as a document of their own."""
    with pymupdf.open(source) as whole, pymupdf.open() as part:
        for page in pages:
            part.insert_pdf(whole, from_page=page, to_page=page)
        return _save(part, target)


def rendered(source: Path, pages: Sequence[int], dpi: int, target: str) -> Path:
    """The pages (from 0) as pictures only: a scan without a scanner's noise."""
    with pymupdf.open(source) as whole, pymupdf.open() as scan:
        for number in pages:
            page = whole[number]
            picture = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY, alpha=False).tobytes("png")
            scan.new_page(width=page.rect.width, height=page.rect.height).insert_image(page.rect, stream=picture)
        return _save(scan, target)


def joined(sources: Sequence[Path], target: str) -> Path:
    """Several documents as one."""
    with pymupdf.open() as whole:
        for source in sources:
            with pymupdf.open(source) as part:
                whole.insert_pdf(part)
        return _save(whole, target)


def text_layers(source: Path, pages: Sequence[int]) -> list[str]:
    """The text of the pages (from 0) as the file has it."""
    with pymupdf.open(source) as document:
        return [str(document[page].get_text()) for page in pages]


def long_document(pages: int, scans: float = 0.5) -> Path:
    """A document of `pages` pages in random order, that share of them scans, each marked "MARK 000123"; kept for the next run."""
    target = OUT / f"long_{pages}_{scans:g}.pdf"
    if not target.exists():
        OUT.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(EVAL / "perf/make_long.py"), str(pages), str(target), "--scans", str(scans)]
        subprocess.run(command, check=True)
    return target


def _save(document: Any, target: str) -> Path:  # noqa: ANN401  PyMuPDF has no types
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / target
    document.save(path, garbage=3, deflate=True)
    return path
