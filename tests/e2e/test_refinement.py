"""The real server against a VLM that lies, stalls, breaks off and comes back: the text is right, and the mark is right."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from ocr_service.api import wire
from tests.e2e.running import RunningServer, running, wait_until
from tests.fakes.vlm_acts import Act, Answer, Drip, Fail, Garbage, HangUp, Moment, Reset, Say, Stall
from tests.fakes.vlm_server import Asked, FakeVlm, Script, vlm_in_thread

pytestmark = pytest.mark.e2e

SCRIPT = "tests/e2e/serve_fake.py"


def truth(asked: Asked) -> Answer:
    """What is written on the page that was asked about; the client's own probe shows something else."""
    if not asked.image.startswith(b"page "):
        return Answer("")
    return Answer(f"Предмет договора номер {asked.image.decode().removeprefix('page ')}")


def document(pages: int) -> bytes:
    return f"%PDF-1.7 pages={pages} unsure=1\n".encode()


class Service:
    """The server and the VLM that it asks."""

    def __init__(self, server: RunningServer, vlm: FakeVlm) -> None:
        self.server = server
        self.vlm = vlm

    def read(self, script: Script, pages: int = 1, **form: str) -> wire.Document:
        self.vlm.script = script
        response = self.server.post(document(pages), data=form)
        assert response.status_code == 200, response.text
        return wire.Document.model_validate_json(response.content)

    def block(self, act: Act) -> tuple[wire.BlockAnswer, wire.Document]:
        """The only block of a document about which the VLM always does the same."""
        answer = self.read(lambda _asked: act)
        return answer.pages[0].blocks[0], answer

    def is_refining(self) -> bool:
        return self.read(truth).pages[0].blocks[0].refinement.status == "accepted"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with vlm_in_thread(truth) as vlm:
        settings = {"USE_VLM_API": "true", "VLLM_URL": vlm.url, "VLM_PAGE_TIMEOUT_S": "2", "VLM_CONCURRENCY": "4"}
        with running(SCRIPT, tmp_path_factory.mktemp("server"), **settings) as server:
            yield Service(server, vlm)


@pytest.fixture
def service(both: Service) -> Service:
    """With a VLM that answers: what an earlier test did to it is over, and the service noticed by itself."""
    wait_until(both.is_refining, "the VLM to be asked again")
    return both


def test_what_the_vlm_reads_better_comes_out_with_its_provenance(service: Service) -> None:
    answer = service.read(truth, pages=3)
    assert [page.blocks[0].content for page in answer.pages] == [f"Предмет договора номер {page}" for page in (1, 2, 3)]
    assert "Предмет договора номер 2" in answer.markdown
    for page in answer.pages:
        (block,) = page.blocks
        assert (block.source, block.refinement.status, block.refinement.attempts) == ("vlm", "accepted", 1)
        assert block.refinement.agreement is not None
        assert block.lines[0].text.startswith("Предмет договорз")
    assert (answer.options.use_vlm, answer.options.vlm_policy, answer.warnings) == (True, "auto", [])


def test_a_request_can_do_without_the_vlm(service: Service) -> None:
    before = len(service.vlm.asked)
    answer = service.read(truth, use_vlm="false")
    assert answer.pages[0].blocks[0].refinement.status == "not_needed"
    assert len(service.vlm.asked) == before


LIES: dict[str, tuple[Act, str]] = {
    "a loop": (Answer("Предмет договора " * 40), "says what the evidence does not"),
    "a loop, and said so": (Answer("Предмет договора", finish_reason="repetition"), "repeats itself"),
    "cut off, and said so": (Answer("Предмет договора номер 1", finish_reason="length"), "cut off before its end"),
    "cut off": (Answer("Предмет договора"), "leaves out what the evidence says"),
    "a digit made up": (Answer("Предмет договора номер 1 25"), "digits contradict the evidence"),
    "another crop's answer": (Answer("Арендная плата вносится ежемесячно"), ""),
    "nothing": (Answer(""), "malformed"),
    "garbage markup": (Answer("<fcel><fcel></td>"), ""),
}


@pytest.mark.parametrize("kind", LIES)
def test_a_lie_is_kept_out_of_the_text_and_marked(service: Service, kind: str) -> None:
    act, reason = LIES[kind]
    block, answer = service.block(act)
    assert (block.content, block.source, block.refinement.status) == ("Предмет договорз номер 1", "ocr", "rejected")
    assert reason in block.refinement.reason or reason == "says what the evidence does not"
    assert block.refinement.attempts == 2
    assert isinstance(block.refinement.answer, str)
    assert (answer.status, answer.warnings, block.warnings) == ("complete", [], [])


def test_latin_look_alikes_come_out_as_cyrillic(service: Service) -> None:
    block, _ = service.block(Answer("Пpeдмeт дoгoвopa нoмep 1"))
    assert (block.content, block.refinement.status) == ("Предмет договора номер 1", "accepted")


def test_another_digit_than_ocr_was_unsure_of_carries_a_warning(service: Service) -> None:
    block, _ = service.block(Answer("Предмет договора номер 7"))
    assert (block.content, block.refinement.status) == ("Предмет договора номер 7", "accepted")
    assert block.warnings == ["digits_differ", "letters_differ"]


FAULTS: dict[str, Act] = {
    "500": Fail(500),
    "503": Fail(503, retry_after="1"),
    "400": Fail(400),
    "no JSON": Say(b"<html>nginx</html>"),
    "no HTTP": Garbage(),
    "a reset": Reset(),
    "a reset in the answer": Reset(Moment.IN_BODY),
    "half an answer": HangUp(Moment.IN_BODY),
    "silence": Stall(),
    "silence in the answer": Stall(Moment.IN_BODY),
    "a drip": Drip(text="Предмет договора номер 1" * 20, pause_s=0.2),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_vlm_that_does_not_answer_costs_only_its_answers_and_is_told_of(service: Service, kind: str) -> None:
    block, answer = service.block(FAULTS[kind])
    assert (block.content, block.source, block.refinement.status) == ("Предмет договорз номер 1", "ocr", "failed")
    assert block.refinement.reason
    assert answer.status == "complete"
    assert any(warning.startswith("vlm_degraded: 1 of 1 regions") for warning in answer.warnings)
    assert any(warning.startswith("vlm_degraded") for warning in answer.pages[0].warnings)
    assert service.server.client.get("/health").status_code == 200


def test_health_says_degraded_while_the_vlm_is_gone_and_refinement_resumes_by_itself(service: Service) -> None:
    service.vlm.health = Fail(503)
    wait_until(lambda: service.server.client.get("/health").json()["status"] == "degraded", "health to notice")
    assert service.server.client.get("/health/ready").status_code == 200
    answer = service.read(lambda _asked: Fail(503), pages=8)
    assert {page.blocks[0].refinement.status for page in answer.pages} == {"failed"}
    service.vlm.health = Answer("")
    # Its health page is not enough: while it answers no question, it is not back.
    metrics = service.server.client.get("/metrics").text
    assert 'ocr_vlm_breaker{state="closed"} 0.0' in metrics
    service.vlm.script = truth
    wait_until(lambda: service.server.client.get("/health").json()["status"] == "healthy", "health to notice")
    wait_until(service.is_refining, "the VLM to be asked again")


def test_a_client_that_leaves_takes_its_questions_back(service: Service) -> None:
    service.vlm.script = lambda _asked: Stall()
    asked, left = len(service.vlm.asked), len(service.vlm.disconnects)
    client = httpx.Client(base_url=service.server.url)

    def give_up() -> None:
        with suppress(httpx.HTTPError):
            client.post("/ocr/pdf", files={"file": ("a.pdf", document(1))}, timeout=httpx.Timeout(30.0, read=1.5))

    thread = threading.Thread(target=give_up)
    thread.start()
    wait_until(lambda: len(service.vlm.asked) > asked, "the question")
    thread.join()
    wait_until(lambda: len(service.vlm.disconnects) > left, "the question to be taken back")
    client.close()


def test_every_page_of_a_longer_document_is_asked_about_once_and_counted(service: Service) -> None:
    asked = len(service.vlm.asked)
    answer = service.read(truth, pages=40)
    assert {page.blocks[0].refinement.status for page in answer.pages} == {"accepted"}
    images = [question.image for question in service.vlm.asked[asked:] if question.image.startswith(b"page ")]
    assert sorted(images) == sorted(f"page {page}".encode() for page in range(1, 41))
    metrics = service.server.client.get("/metrics").text
    assert 'ocr_vlm_questions_total{outcome="stop",task="ocr"}' in metrics
    assert 'ocr_refinements_total{status="accepted"}' in metrics
