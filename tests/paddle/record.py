"""Runs the real PP-StructureV3 over the drawn pages and writes what it found, for the adapter's tests that run without it.

.venv-paddle/bin/python -m tests.paddle.record
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ocr_service.engines.structure_v3.models import find_models, recogniser
from ocr_service.engines.structure_v3.pipeline import StructurePipeline
from ocr_service.engines.structure_v3.raw import RawPage
from tests.paddle.pages import CASES, Case
from tests.paddle.stub_models import build

RECORDINGS = Path(__file__).parents[1] / "data" / "structure_v3"
ON_ONE_CORE = {"engine": "onnxruntime", "engine_config": {"intra_op_num_threads": 1, "inter_op_num_threads": 1}}


def make_pipeline(models: Path) -> StructurePipeline:
    return StructurePipeline(find_models(models, "ru", "onnxruntime"), recogniser("ru"), "cpu", ON_ONE_CORE)


def read(case: Case, models: Path) -> tuple[RawPage, tuple[str, ...]]:
    """What the pipeline with this case's stub models finds on this case's page, and its warnings."""
    return make_pipeline(build(models, case.script))(case.rgb(), find_orientation=True)


def recorded() -> Iterator[tuple[str, bytes]]:
    """Name and JSON of each page."""
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            page, _ = read(case, Path(folder))
        yield name, msgspec.json.format(msgspec.json.encode(page), indent=1) + b"\n"


def main() -> None:
    for name, found in recorded():
        (RECORDINGS / f"{name}.json").write_bytes(found)
        sys.stdout.write(f"{name}: {len(found)} bytes\n")


if __name__ == "__main__":
    main()
