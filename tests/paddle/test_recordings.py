"""The recordings that the adapter's tests use are what the installed library says today."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ocr_service.engines.structure_v3.raw import RawPage
from tests.paddle.pages import CASES
from tests.paddle.record import RECORDINGS, read


@pytest.mark.parametrize("name", ["report", "stamped", "nested_tables"])
def test_the_library_still_says_what_was_recorded(name: str, models: Path) -> None:
    recorded = msgspec.json.decode((RECORDINGS / f"{name}.json").read_bytes(), type=RawPage)
    found, warnings = read(CASES[name], models)
    assert warnings == ()
    assert (found.width, found.height, found.angle) == (recorded.width, recorded.height, recorded.angle)
    assert [line.text for line in found.lines] == [line.text for line in recorded.lines]
    assert [table.html for table in found.tables] == [table.html for table in recorded.tables]
    assert [(block.label, block.content) for block in found.blocks] == [(block.label, block.content) for block in recorded.blocks]
    for left, right in zip(found.blocks, recorded.blocks, strict=True):
        assert left.box == pytest.approx(right.box, abs=2)
