"""Broken PDFs by the dozen, against the real service: whatever is in them, the answer is a document or a clear refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.running import running
from tests.fuzz.campaign import SETTINGS, corpus, run
from tests.fuzz.mutations import mutated

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

FILES = 120


def test_broken_pdfs_are_answered_and_harm_nothing(tmp_path: Path) -> None:
    with running("server_vllm.py", tmp_path, **SETTINGS) as server:
        findings = run(server, corpus(larger=False), range(FILES))
        assert findings.wrong == []
        # Else the files were so broken that nothing of the parser was tried.
        read = sum(number for answer, number in findings.statuses.items() if answer.startswith("200 "))
        assert read > FILES // 4
        assert sum(findings.statuses.values()) == FILES
        assert server.post((Path(__file__).parents[1] / "data" / "act.pdf").read_bytes(), data={"text_layer": "only"}).status_code == 200


def test_the_same_seed_is_the_same_file_and_another_one_is_not() -> None:
    files = corpus(larger=False)
    assert mutated(7, files) == mutated(7, files)
    assert len({mutated(seed, files) for seed in range(50)}) == 50
