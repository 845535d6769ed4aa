"""Files that are broken or mean harm: each gets the class of answer that its manifest expects, and the service lives on.

The files in `tests/data/hostile` are always sent; those of the evaluation set where it lies beside the project. What may take for ever by
design goes to a server with short limits, everything else to one that has time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ocr_service.api import wire
from tests.e2e.running import REPOSITORY, RunningServer, running

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(3600)]

COMMITTED = REPOSITORY / "tests" / "data" / "hostile"
EVALUATION = REPOSITORY.parent / "shared" / "eval" / "nasty"
WORKERS = 2
PATIENCE_S = 900
# Of a long document the first page is enough here.
MANY_PAGES = 3
TAKES_LONG = {"bomb", "slow", "many_pages"}
SHORT = {"OCR_PAGE_TIMEOUT_S": "10", "OCR_DOCUMENT_TIMEOUT_S": "60"}
PATIENT = {"OCR_PAGE_TIMEOUT_S": "300"}
ALLOWED = {"ok": {"ok"}, "client_error": {"client_error"}, "ok_or_4xx": {"ok", "client_error"}}
LOCAL_FILE = re.compile(r"root:[x*]:0:0:|daemon:[x*]:1:1:")
SOUND = "s_good_pdf20.pdf"
SOUND_TEXT = "Hello nasty world 12345"


@dataclass(frozen=True)
class Case:
    """A file, the name that it is sent under, and the class of answer that it must get."""

    path: Path
    upload_name: str
    expected: str
    tags: frozenset[str]
    pages: int

    @property
    def takes_long(self) -> bool:
        return bool(self.tags & TAKES_LONG)


@dataclass(frozen=True)
class Answer:
    """What came back, and the status of /health right after it."""

    status: int
    body: str
    health: int


def cases(folder: Path) -> list[Case]:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8")) if folder.is_dir() else []
    return [
        Case(
            folder / item["file"],
            item.get("upload_name") or Path(item["file"]).name,
            item["expected"],
            frozenset(item["tags"]),
            item["pages"] or 1,
        )
        for item in manifest
    ]


def parameters(found: Sequence[Case]) -> list[Any]:
    if not found:
        absent = pytest.mark.skip(reason=f"the evaluation set is not there: {EVALUATION}")
        return [pytest.param(None, id="absent", marks=absent)]
    return [pytest.param(case, id=f"{case.path.name} as {case.upload_name}"[:80].encode("ascii", "replace").decode()) for case in found]


COMMITTED_CASES = cases(COMMITTED)
EVALUATION_CASES = cases(EVALUATION)


def ask(server: RunningServer, case: Case) -> Answer:
    form = {"pages": "1"} if case.pages > MANY_PAGES and not case.takes_long else {}
    response = server.post(case.path.read_bytes(), name=case.upload_name, data=form, timeout=PATIENCE_S)
    return Answer(response.status_code, response.text, server.client.get("/health").status_code)


def ask_all(server: RunningServer, asked: Sequence[Case]) -> dict[Case, Answer]:
    """As many at a time as there are workers."""
    with ThreadPoolExecutor(WORKERS) as clients:
        return dict(zip(asked, clients.map(lambda case: ask(server, case), asked), strict=True))


def check(case: Case, answer: Answer) -> None:
    kind = "ok" if answer.status == 200 else "client_error" if 400 <= answer.status < 500 else str(answer.status)
    assert kind in ALLOWED[case.expected], answer.body[:500]
    assert answer.health == 200
    assert LOCAL_FILE.search(answer.body) is None
    if kind == "ok":
        document = wire.Document.model_validate_json(answer.body)
        assert any(page.status == "ok" for page in document.pages)
    else:
        problem = wire.Problem.model_validate_json(answer.body)
        assert problem.status == answer.status
        assert "Traceback" not in answer.body


def is_alive(server: RunningServer) -> bool:
    """Whether a sound page still gives its text."""
    response = server.post((COMMITTED / SOUND).read_bytes(), timeout=PATIENCE_S)
    return response.status_code == 200 and SOUND_TEXT in response.json()["markdown"]


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running("server_vllm.py", tmp_path_factory.mktemp("hurried"), OCR_WORKERS=str(WORKERS), **SHORT) as server:
        yield server


@pytest.fixture(scope="module")
def committed_answers(hurried: RunningServer) -> dict[Case, Answer]:
    return ask_all(hurried, COMMITTED_CASES)


@pytest.fixture(scope="module")
def evaluation_answers(hurried: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Answer]:
    answers = ask_all(hurried, [case for case in EVALUATION_CASES if case.takes_long])
    with running("server_vllm.py", tmp_path_factory.mktemp("patient"), OCR_WORKERS=str(WORKERS), **PATIENT) as server:
        answers |= ask_all(server, [case for case in EVALUATION_CASES if not case.takes_long])
        assert is_alive(server)
        assert [line for line in server.log() if line["level"] == "error"] == []
    return answers


@pytest.mark.parametrize("case", parameters(COMMITTED_CASES))
def test_a_hostile_file_gets_the_answer_it_should(committed_answers: dict[Case, Answer], case: Case) -> None:
    check(case, committed_answers[case])


@pytest.mark.parametrize("case", parameters(EVALUATION_CASES))
def test_a_hostile_file_of_the_evaluation_set_gets_the_answer_it_should(evaluation_answers: dict[Case, Answer], case: Case) -> None:
    check(case, evaluation_answers[case])


def test_a_document_whose_only_page_takes_too_long_is_refused_as_unreadable(committed_answers: dict[Case, Answer]) -> None:
    [answer] = [answer for case, answer in committed_answers.items() if case.path.name == "d_form_billion_laughs.pdf"]
    problem = wire.Problem.model_validate_json(answer.body)
    assert (problem.status, problem.code) == (422, "document_unreadable")
    assert "page_timed_out" in problem.detail


def test_text_that_looks_like_markup_is_only_text(committed_answers: dict[Case, Answer]) -> None:
    [answer] = [answer for case, answer in committed_answers.items() if case.path.name == "a_markdown_injection.pdf"]
    markdown = wire.Document.model_validate_json(answer.body).markdown
    assert re.search(r"(?<!\\)<(script|img)", markdown) is None
    assert "script" in markdown


def test_after_all_of_them_a_sound_page_is_read_and_no_error_is_logged(
    hurried: RunningServer, committed_answers: dict[Case, Answer]
) -> None:
    assert committed_answers
    assert is_alive(hurried)
    assert hurried.client.get("/health").json()["status"] == "healthy"
    assert [line for line in hurried.log() if line["level"] == "error"] == []
    assert hurried.leftovers() == []
