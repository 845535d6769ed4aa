"""The command `ocr-service` and durable jobs: what ends in the middle is gone on with, wherever it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_line import CommandLine, read_terminal, reports
from tests.e2e.running import PATIENCE_S, RunningServer, free_port, running, wait_until
from tests.e2e.test_jobs import QUICK, SCRIPT, document, finished, submit, traced

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running(SCRIPT, tmp_path_factory.mktemp("server"), OCR_MAX_PAGES="500") as server:
        yield server


@pytest.fixture
def ocr(tmp_path: Path, server: RunningServer) -> CommandLine:
    return CommandLine(tmp_path, server.url)


def jobs_of(server: RunningServer) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = server.client.get("/ocr/jobs").json()["jobs"]
    return jobs


def tickets(ocr: CommandLine) -> list[str]:
    return [path.name for path in (ocr.folder / "out" / ".ocr-service" / "jobs").rglob("*.json")]


def killed(ocr: CommandLine, server: RunningServer, *arguments: str) -> dict[str, Any]:
    """The job of a run that was killed when the job had a page."""
    known = {job["job_id"] for job in jobs_of(server)}

    def new() -> list[dict[str, Any]]:
        return [job for job in jobs_of(server) if job["job_id"] not in known and job["pages_done"] > 0]

    with ocr.running("convert", "a.pdf", "-o", "out", "-q", *arguments) as command:
        wait_until(lambda: bool(new()) and b"job_id" in ticket_of(ocr), "a page of the job")
        command.kill()
        command.wait(PATIENCE_S)
    return new()[0]


def ticket_of(ocr: CommandLine) -> bytes:
    return b"".join(path.read_bytes() for path in (ocr.folder / "out" / ".ocr-service" / "jobs").rglob("*.json"))


def test_convert_outlives_sigkill_of_the_service_and_no_page_is_read_twice(tmp_path: Path) -> None:
    gate, trace, port = tmp_path / "gate", tmp_path / "trace", free_port()
    ocr = CommandLine(tmp_path / "client", f"http://127.0.0.1:{port}")
    ocr.write("a.pdf", document(pages=12, gate=gate, gate_after=5, trace=trace))
    with ExitStack() as stack:
        with running(SCRIPT, tmp_path, OCR_PORT=str(port), **QUICK) as server:
            said = stack.enter_context((tmp_path / "said").open("wb"))
            command = stack.enter_context(ocr.running("convert", "a.pdf", "-o", "out", stderr=said))
            wait_until(lambda: [job["pages_done"] for job in jobs_of(server)] == [5], "five pages")
            server.send(signal.SIGKILL)
            server.process.wait()
        before = len(traced(trace))
        gate.touch()
        with running(SCRIPT, tmp_path, OCR_PORT=str(port), **QUICK) as server:
            assert command.wait(PATIENCE_S) == 0
            [job] = jobs_of(server)
    assert (job["state"], job["attempts"]) == ("complete", 2)
    assert sorted(traced(trace)[before:]) == list(range(6, 13))
    answer = json.loads((ocr.folder / "out" / "a.json").read_bytes())
    assert (answer["document_id"], [page["page"] for page in answer["pages"]]) == (job["job_id"], list(range(1, 13)))
    told = (tmp_path / "said").read_text(encoding="utf-8")
    assert "Next try in" in told
    assert "✓ a.pdf: 12 pages in " in told


def test_a_run_that_was_killed_finds_its_job_again(ocr: CommandLine, server: RunningServer) -> None:
    gate, trace = ocr.folder / "gate", ocr.folder / "trace"
    ocr.write("a.pdf", document(pages=4, gate=gate, gate_after=2, trace=trace))
    job = killed(ocr, server)
    assert tickets(ocr) == ["a.json"]
    gate.touch()
    jobs, again = len(jobs_of(server)), ocr("convert", "a.pdf", "-o", "out", "--json")
    assert (again.returncode, reports(again)["a.pdf"]["pages"]) == (0, 4)
    assert sorted(traced(trace)) == [1, 2, 3, 4]
    assert len(jobs_of(server)) == jobs
    assert json.loads((ocr.folder / "out" / "a.json").read_bytes())["document_id"] == job["job_id"]
    assert tickets(ocr) == []


def test_a_job_that_somebody_cancelled_meanwhile_is_begun_anew(ocr: CommandLine, server: RunningServer) -> None:
    gate = ocr.folder / "gate"
    ocr.write("a.pdf", document(pages=4, gate=gate, gate_after=2, name="cancelled"))
    job = killed(ocr, server)
    assert ocr("jobs", "cancel", job["job_id"]).returncode == 0
    gate.touch()
    assert ocr("convert", "a.pdf", "-o", "out", "-q").returncode == 0
    assert jobs_of(server)[0]["job_id"] != job["job_id"]


def test_a_document_that_failed_is_a_new_job_in_the_next_run(ocr: CommandLine, server: RunningServer) -> None:
    ocr.write("a.pdf", b"%PDF-1.7 damaged")
    for _ in range(2):
        jobs = len(jobs_of(server))
        done = ocr("convert", "a.pdf", "-o", "out")
        assert (done.returncode, "(document_unreadable)" in done.stderr.decode()) == (1, True)
        assert (len(jobs_of(server)), tickets(ocr)) == (jobs + 1, [])


def test_other_options_are_another_job_and_the_old_one_is_cancelled(ocr: CommandLine, server: RunningServer) -> None:
    gate = ocr.folder / "gate"
    ocr.write("a.pdf", document(pages=4, gate=gate, gate_after=2, name="options"))
    job = killed(ocr, server)
    done = ocr("convert", "a.pdf", "-o", "out", "-q", "--pages", "1-2")
    assert done.returncode == 0
    assert finished(server, job["job_id"])["state"] == "cancelled"
    other = killed(ocr, server)
    assert ocr("convert", "a.pdf", "-o", "out", "-q", "--pages", "1-2", "--force").returncode == 0
    assert finished(server, other["job_id"])["state"] == "cancelled"


def test_a_result_that_has_expired_meanwhile_is_made_anew(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with running(SCRIPT, tmp_path, OCR_RESULTS_KEEP_S="1", **QUICK) as server:
        ocr = CommandLine(tmp_path / "client", server.url)
        ocr.write("a.pdf", document(pages=3, gate=gate, gate_after=1))
        job_id = killed(ocr, server)["job_id"]
        gate.touch()
        wait_until(lambda: server.client.get(f"/ocr/jobs/{job_id}").status_code == 404, "the job to expire")
        gone = ocr("jobs", "result", job_id)
        assert (gone.returncode, gone.stdout, gone.stderr.decode()) == (1, b"", "ocr-service: There is no such job.\n")
        assert ocr("convert", "a.pdf", "-o", "out", "-q").returncode == 0


def test_a_password_does_not_outlive_the_service_but_the_run_does(tmp_path: Path) -> None:
    """The job fails with it; what was handed in in this run and failed is the document's failure, and the next run begins anew."""
    gate, port = tmp_path / "gate", free_port()
    ocr = CommandLine(tmp_path / "client", f"http://127.0.0.1:{port}")
    ocr.environment["OCR_PASSWORD"] = "hush-hush-4711"
    ocr.write("a.pdf", document(pages=3, gate=gate, gate_after=1))
    with ExitStack() as stack:
        with running(SCRIPT, tmp_path, OCR_PORT=str(port), **QUICK) as server:
            command = stack.enter_context(ocr.running("convert", "a.pdf", "-o", "out", "-q", stderr=subprocess.PIPE))
            wait_until(lambda: [job["pages_done"] for job in jobs_of(server)] == [1], "a page")
            server.send(signal.SIGKILL)
            server.process.wait()
        with running(SCRIPT, tmp_path, OCR_PORT=str(port), **QUICK):
            _, said = command.communicate(timeout=PATIENCE_S)
            assert (command.returncode, b"(password_required)" in said) == (1, True)
            gate.touch()
            assert ocr("convert", "a.pdf", "-o", "out", "-q").returncode == 0
    files = [path for path in (ocr.folder / "out").rglob("*") if path.is_file()]
    assert [path for path in files if b"hush-hush-4711" in path.read_bytes()] == []


def test_an_interrupt_while_the_service_is_away_leaves_the_job_for_the_next_run(tmp_path: Path) -> None:
    gate, trace, port = tmp_path / "gate", tmp_path / "trace", free_port()
    ocr = CommandLine(tmp_path / "client", f"http://127.0.0.1:{port}")
    ocr.write("a.pdf", document(pages=3, gate=gate, gate_after=1, trace=trace))
    with ExitStack() as stack:
        with running(SCRIPT, tmp_path, OCR_PORT=str(port), **QUICK) as server:
            command = stack.enter_context(ocr.running("convert", "a.pdf", "-o", "out", stderr=subprocess.PIPE))
            wait_until(lambda: [job["pages_done"] for job in jobs_of(server)] == [1], "a page")
            server.send(signal.SIGKILL)
            server.process.wait()
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=PATIENCE_S)
        assert command.returncode == 130
        assert "1 of the documents could not be cancelled there" in said.decode()
        gate.touch()
        with running(SCRIPT, tmp_path, OCR_PORT=str(port), **QUICK) as server:
            assert ocr("convert", "a.pdf", "-o", "out", "-q").returncode == 0
            assert [job["attempts"] for job in jobs_of(server)] == [2]


def test_a_terminal_sees_a_documents_place_in_the_queue(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with ExitStack() as stack, running(SCRIPT, tmp_path, OCR_JOBS_AT_A_TIME="1") as server:
        ocr = CommandLine(tmp_path / "client", server.url)
        job_id = submit(server, document(pages=2, gate=gate)).json()["job_id"]
        ocr.write("a.pdf", document(pages=3))
        wait_until(lambda: "running" in ocr("jobs").stdout.decode(), "the first job to run")
        ours, theirs = pty.openpty()
        command = stack.enter_context(ocr.running("convert", "a.pdf", "-o", "out", stderr=theirs))
        os.close(theirs)
        seen = b""
        while chunk := read_terminal(ours):
            seen += chunk
            if b"a.pdf: #1 in the queue" in seen:
                gate.touch()
        os.close(ours)
        assert command.wait(PATIENCE_S) == 0
        assert finished(server, job_id)["state"] == "complete"
    assert "✓ a.pdf: 3 pages in " in seen.decode()


def test_jobs_are_listed_waited_for_and_fetched(ocr: CommandLine, server: RunningServer) -> None:
    gate = ocr.folder / "gate"
    job_id = submit(server, document(pages=3, gate=gate, gate_after=1, fails=3)).json()["job_id"]
    wait_until(lambda: ocr("jobs", "--state", "running").stdout.count(b"1/3") == 1, "a page in the table")
    head, row = ocr("jobs", "--limit", "1").stdout.decode().splitlines()
    assert head.split() == ["JOB", "STATE", "PAGES", "CREATED", "DOCUMENT"]
    assert (row.split()[:3], row.split()[-1]) == ([job_id, "running", "1/3"], "отчёт.pdf")
    [listed] = [json.loads(line) for line in ocr("jobs", "list", "--json", "--state", "running").stdout.splitlines()]
    assert listed["job_id"] == job_id
    early = ocr("jobs", "result", job_id)
    assert (early.returncode, "is running: wait for it" in early.stderr.decode()) == (1, True)
    with ocr.running("jobs", "wait", job_id, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as waiting:
        gate.touch()
        out, said = waiting.communicate(timeout=PATIENCE_S)
    assert (waiting.returncode, out) == (4, b"")
    assert said.decode() == f"! {job_id} отчёт.pdf: partial, 3 pages, 1 could not be read\n"
    fetched = ocr("jobs", "result", job_id)
    assert (fetched.returncode, "Страница 1" in fetched.stdout.decode()) == (4, True)
    assert json.loads(ocr("jobs", "result", job_id, "--json").stdout)["document_id"] == job_id
    waited = ocr("jobs", "wait", job_id, "--json", "-q")
    assert (json.loads(waited.stdout)["state"], waited.stderr) == ("partial", b"")


def test_jobs_are_cancelled_and_that_is_no_result(ocr: CommandLine, server: RunningServer) -> None:
    job_id = submit(server, document(pages=400, seconds=0.05)).json()["job_id"]
    cancelled = ocr("jobs", "cancel", job_id, "--json")
    assert (cancelled.returncode, json.loads(cancelled.stdout)["state"]) == (0, "cancelled")
    assert "cancelled" in ocr("jobs", "cancel", job_id).stdout.decode()
    waited, fetched = ocr("jobs", "wait", job_id), ocr("jobs", "result", job_id)
    assert (waited.returncode, waited.stderr.decode().startswith(f"✗ {job_id}")) == (1, True)
    assert (fetched.returncode, fetched.stdout, "was cancelled" in fetched.stderr.decode()) == (1, b"", True)


def test_wrong_ids_and_arguments(ocr: CommandLine) -> None:
    for arguments, status in [
        (["cancel", "a" * 26], 1),
        (["wait", "a" * 26], 1),
        (["wait"], 2),
        (["list", "a" * 26], 2),
        (["result", "a", "b"], 2),
        (["remove", "a"], 2),
        (["--state", "asleep"], 2),
    ]:
        done = ocr("jobs", *arguments)
        assert (done.returncode, done.stdout, b"Traceback" in done.stderr) == (status, b"", False), done.stderr
    assert ocr("jobs", "--url", f"http://127.0.0.1:{free_port()}").returncode == 3
