"""The short form of `make chaos`: each disturbance once, one after another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.campaign import run
from tests.chaos.disturbances import ALL

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1800)]


def test_nothing_is_lost_doubled_mixed_or_left_behind_whatever_breaks(tmp_path: Path) -> None:
    report = run(tmp_path, seed=1, seconds=0, long_pages=40)
    assert report.wrong == []
    # Else the load was too light to be disturbed.
    assert report.facts["pages_checked"] > 100
    assert {each.name for each in ALL} == report.struck.keys() | report.skipped.keys()
