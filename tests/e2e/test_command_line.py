"""The command `ocr-service` as a process, against the real service over real HTTP."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e import samples
from tests.e2e.command_line import CommandLine, read_terminal, reports
from tests.e2e.running import PATIENCE_S, REPOSITORY, RunningServer, free_port, running, wait_until
from tests.e2e.test_with_fake_engine import SCRIPT, document

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running(SCRIPT, tmp_path_factory.mktemp("server"), OCR_MAX_PAGES="500", OCR_URL="http://client.setting") as server:
        yield server


@pytest.fixture
def ocr(tmp_path: Path, server: RunningServer) -> CommandLine:
    return CommandLine(tmp_path, server.url)


def test_a_result_is_what_the_service_gives(ocr: CommandLine, server: RunningServer) -> None:
    ocr.write("отчёт.pdf", document(pages=2))
    done = ocr("convert", "отчёт.pdf", "-o", "out")
    assert (done.returncode, done.stdout) == (0, b"")
    assert ocr.written() == ["отчёт.json", "отчёт.md"]
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("✓ отчёт.pdf: 2 pages in ")
    answer = (ocr.folder / "out" / "отчёт.json").read_bytes()
    document_id = json.loads(answer)["document_id"]
    assert answer == server.client.get(f"/ocr/documents/{document_id}").content
    markdown = server.client.get(f"/ocr/documents/{document_id}/files/document.md").content
    assert (ocr.folder / "out" / "отчёт.md").read_bytes() == markdown


def test_standard_input_to_standard_output(ocr: CommandLine) -> None:
    done = ocr("convert", "-", stdin=document(pages=2))
    assert done.returncode == 0
    assert "Страница 2" in done.stdout.decode()
    as_json = ocr("convert", "-", "-o", "-", "--json", "--pages", "2", "-q", stdin=document(pages=3))
    answer = json.loads(as_json.stdout)
    assert ([page["page"] for page in answer["pages"]], answer["page_count"], as_json.stderr) == ([2], 3, b"")


def test_a_second_run_does_only_what_is_missing(ocr: CommandLine) -> None:
    ocr.write("in/a.pdf", document(pages=1, name="a", trace=ocr.folder / "trace"))
    ocr.write("in/sub/b.pdf", document(pages=1, name="b", trace=ocr.folder / "trace"))
    assert ocr("convert", "in", "-r", "-o", "out").returncode == 0
    assert ocr.written() == ["a.json", "a.md", "sub/b.json", "sub/b.md"]
    ocr.write("in/a.pdf", document(pages=2, name="a", trace=ocr.folder / "trace"))
    again = reports(ocr("convert", "in", "-r", "-o", "out", "--json"))
    assert {name: report["status"] for name, report in again.items()} == {"a.pdf": "complete", "b.pdf": "skipped"}
    assert sorted((ocr.folder / "trace").read_text().splitlines()) == ["a 1", "a 1", "a 2", "b 1"]
    other = reports(ocr("convert", "in", "-r", "-o", "out", "--json", "--dpi", "300"))
    forced = reports(ocr("convert", "in", "-r", "-o", "out", "--json", "--dpi", "300", "--force"))
    assert {report["status"] for report in (*other.values(), *forced.values())} == {"complete"}


def test_results_in_the_documents_own_folder_are_not_documents(ocr: CommandLine) -> None:
    ocr.write("a.pdf", document(pages=1))
    assert ocr("convert", ".", "-r", "-o", ".").returncode == 0
    assert list(reports(ocr("convert", ".", "-r", "-o", ".", "--json"))) == ["a.pdf"]
    ocr.write("b.pdf", document(pages=1))
    ocr.write("b.md", b"my notes")
    refused = reports(ocr("convert", ".", "-r", "-o", ".", "--json"))
    assert (refused["a.pdf"]["status"], refused["b.pdf"]["error"]["code"]) == ("skipped", "exists")
    assert (ocr.folder / "b.md").read_bytes() == b"my notes"


def test_a_document_that_fails_costs_the_others_nothing(ocr: CommandLine) -> None:
    ocr.write("bad.pdf", b"%PDF-1.7 damaged")
    ocr.write("good.pdf", document(pages=1))
    done = ocr("convert", "bad.pdf", "good.pdf", "-o", "out")
    assert done.returncode == 1
    assert "✗ bad.pdf: The file is damaged. (document_unreadable)" in done.stderr.decode()
    assert ocr.written() == ["good.json", "good.md"]


def test_pages_that_cannot_be_read_have_a_status_of_their_own_and_are_tried_again(ocr: CommandLine) -> None:
    ocr.write("a.pdf", document(pages=3, fails=2))
    for _ in range(2):
        done = ocr("convert", "a.pdf", "-o", "out")
        assert done.returncode == 4
        assert "3 pages in " in done.stderr.decode()
        assert "could not be read: 2 → " in done.stderr.decode()
    assert "failed: page_failed" in (ocr.folder / "out" / "a.md").read_text(encoding="utf-8")


def test_arguments_that_make_no_sense(ocr: CommandLine) -> None:
    ocr.write("a.pdf", document(pages=1))
    ocr.write("b.pdf", document(pages=1))
    for arguments, words in [
        (["a.pdf", "b.pdf"], "-o DIR"),
        (["missing.pdf", "-o", "out"], "missing.pdf: no such file"),
        ([".", "-o", "out"], "--recursive"),
        (["a.pdf", "--url", "localhost:1"], "must be a URL"),
        (["a.pdf", "--password"], "--password-file"),
        (["a.pdf", "--password-file", "missing"], "missing cannot be read"),
    ]:
        done = ocr("convert", *arguments)
        assert (done.returncode, done.stderr.count(b"\n"), words in done.stderr.decode()) == (2, 1, True), done.stderr
    assert ocr("convert").returncode == 2
    refused = ocr("convert", "a.pdf", "--dpi", "1200")
    assert (refused.returncode, "from 72 to 600" in refused.stderr.decode()) == (1, True)


def test_nobody_there(ocr: CommandLine) -> None:
    ocr.write("a.pdf", document(pages=1))
    url = f"http://127.0.0.1:{free_port()}"
    for arguments in (["convert", "a.pdf", "-o", "out"], ["health"], ["check"]):
        done = ocr(*arguments, "--url", url)
        assert done.returncode == 3
        assert "Is the service running there?" in (done.stderr + done.stdout).decode()
    assert ocr.written() == []


def test_a_service_that_stays_away_leaves_nothing_half_written_and_the_next_run_goes_on(ocr: CommandLine, tmp_path: Path) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    ocr.write("a.pdf", document(pages=1))
    ocr.write("b.pdf", document(pages=2, gate_after=1, gate=gate, trace=trace))
    (tmp_path / "mortal").mkdir()
    with ExitStack() as stack, running(SCRIPT, tmp_path / "mortal") as mortal:
        ocr.environment["OCR_URL"] = mortal.url
        command = stack.enter_context(ocr.running("convert", "a.pdf", "b.pdf", "-o", "out", "--patience", "2", stderr=subprocess.PIPE))
        wait_until(lambda: ocr.written() == ["a.json", "a.md"] and trace.exists(), "one document to be done, one to be in work")
        mortal.send(signal.SIGKILL)
        _, said = command.communicate(timeout=PATIENCE_S)
    assert command.returncode in {1, 3}, said
    assert ocr.written() == ["a.json", "a.md"]
    assert not (ocr.folder / "out" / ".ocr-service" / "unfinished").exists()
    gate.touch()
    (tmp_path / "next").mkdir()
    with running(SCRIPT, tmp_path / "next") as successor:  # which knows nothing of that job
        done = ocr("convert", "a.pdf", "b.pdf", "-o", "out", "--json", "--url", successor.url)
    assert {name: report["status"] for name, report in reports(done).items()} == {"a.pdf": "skipped", "b.pdf": "complete"}


def test_a_full_service_is_waited_for_as_long_as_it_says(ocr: CommandLine, tmp_path: Path) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    ocr.write("slow.pdf", document(pages=1, gate=gate, trace=trace))
    ocr.write("next.pdf", document(pages=1))
    (tmp_path / "small").mkdir()
    with ExitStack() as stack, running(SCRIPT, tmp_path / "small", OCR_MAX_DOCUMENTS="1") as small:
        ocr.environment["OCR_URL"] = small.url
        slow = stack.enter_context(ocr.running("convert", "slow.pdf", "-o", "slow", "-q"))
        wait_until(trace.exists, "the only place to be taken")
        with (tmp_path / "said").open("wb") as said:
            waiting = stack.enter_context(ocr.running("convert", "next.pdf", "-o", "out", stderr=said))
            wait_until(lambda: b"Next try in" in (tmp_path / "said").read_bytes(), "the command to say that it waits")
            gate.touch()
            assert (waiting.wait(PATIENCE_S), slow.wait(PATIENCE_S)) == (0, 0)
    assert ocr.written() == ["next.json", "next.md"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_cancels_at_the_service(ocr: CommandLine, server: RunningServer, number: signal.Signals, status: int) -> None:
    trace = ocr.folder / "trace"
    ocr.write("a.pdf", document(pages=400, gate=ocr.folder / "gate", trace=trace))
    with ocr.running("convert", "a.pdf", "-o", "out", stderr=subprocess.PIPE) as command:
        wait_until(trace.exists, "the document to be in work")
        command.send_signal(number)
        _, said = command.communicate(timeout=PATIENCE_S)
    assert (command.returncode, b"the same command goes on" in said) == (status, True)
    assert b"Traceback" not in said
    wait_until(lambda: server.metric("ocr_queued_pages") == 0, "the queue to be empty")
    wait_until(lambda: server.metric("ocr_documents_in_service") == 0, "the document to be gone")
    (ocr.folder / "gate").touch()
    assert ocr.written() == []
    [job, *_] = server.client.get("/ocr/jobs").json()["jobs"]
    assert job["state"] == "cancelled"
    again = reports(ocr("convert", "a.pdf", "-o", "out", "--json", "--pages", "1-2"))
    assert again["a.pdf"]["status"] == "complete"


def test_an_interrupted_run_leaves_the_terminal_in_order(ocr: CommandLine) -> None:
    ocr.write("a.pdf", document(pages=3, gate_after=1, gate=ocr.folder / "gate"))
    ours, theirs = pty.openpty()
    with ocr.running("convert", "a.pdf", "-o", "out", stderr=theirs) as command:
        os.close(theirs)
        seen, sent = b"", False
        while chunk := read_terminal(ours):
            seen += chunk
            if b"1/3" in seen and not sent:
                sent = True
                command.send_signal(signal.SIGINT)
        assert command.wait(PATIENCE_S) == 130
    os.close(ours)
    (ocr.folder / "gate").touch()
    before, _, last = seen.decode().replace("\r\n", "\n").rpartition("ocr-service: Interrupted")
    assert before.endswith("\r")
    assert last.count("\n") == 1


def test_a_terminal_sees_a_bar_that_moves(ocr: CommandLine) -> None:
    gate = ocr.folder / "gate"
    ocr.write("a.pdf", document(pages=4, gate_after=2, gate=gate))
    ocr.write("b.pdf", document(pages=1))
    ours, theirs = pty.openpty()
    with ocr.running("convert", "a.pdf", "b.pdf", "-o", "out", stderr=theirs) as command:
        os.close(theirs)
        seen = b""
        while chunk := read_terminal(ours):
            seen += chunk
            if b"2/4" in seen:
                gate.touch()
        assert command.wait(PATIENCE_S) == 0
    os.close(ours)
    shown = seen.decode()
    assert "a.pdf:  50%|" in shown
    assert "documents:  50%|" in shown
    assert "✓ a.pdf: 4 pages in " in shown
    assert "2 documents: 2 complete" in shown


def test_the_key_and_the_password_come_from_the_environment(ocr: CommandLine) -> None:
    ocr.write("a.pdf", document(pages=1))
    assert ocr("convert", "a.pdf", OCR_API_KEY="key", OCR_PASSWORD="hush").returncode == 0
    wrong = ocr("convert", "a.pdf", OCR_API_KEY="ключ")
    assert (wrong.returncode, "ключ" in wrong.stderr.decode()) == (2, False)


def test_health_is_a_table_or_json(ocr: CommandLine, server: RunningServer) -> None:
    table = ocr("health")
    assert (table.returncode, table.stderr) == (0, b"")
    assert [line.split()[0] for line in table.stdout.decode().splitlines()] == ["service", "engine", "service's", "VLM", "S3"]
    assert json.loads(ocr("health", "--json").stdout) == server.client.get("/health").json()


def test_check_looks_at_the_service_and_at_this_machine(ocr: CommandLine, tmp_path: Path) -> None:
    ocr.environment |= {"OCR_TESSDATA": str(tmp_path), "OCR_ENGINE": "embedded", "PADDLEX_HOME": str(tmp_path)}
    broken = ocr("check", "--json")
    rows = {row["part"]: row["state"] for row in json.loads(broken.stdout)}
    assert (broken.returncode, rows["service"], rows["Tesseract's data"]) == (1, "ok", "broken")
    for name in ("rus", "eng"):
        (tmp_path / f"{name}.traineddata").touch()
    assert ocr("check").returncode == 0
    assert ocr("check", "--local", "--url", f"http://127.0.0.1:{free_port()}").returncode == 0
    misspelt = ocr("check", "--local", OCR_PROT="1")
    assert (misspelt.returncode, "did you mean OCR_PORT?" in misspelt.stdout.decode()) == (1, True)


@pytest.mark.slow
def test_real_documents_by_a_service_of_its_own(tmp_path: Path) -> None:
    ocr = CommandLine(tmp_path, f"http://127.0.0.1:{free_port()}")
    figure = REPOSITORY / "tests" / "data" / "figure.pdf"
    ocr.write("locked.pdf", samples.born_digital(password="тайна"))
    ocr.write("password", "тайна\n".encode())
    done = ocr(
        "convert", str(figure), "locked.pdf", "-o", "out", "--local", "--json", "--password-file", "password",
        "--outputs", "searchable_pdf", OCR_WORKERS="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert "The service is ready after" in done.stderr.decode()
    answer = json.loads((tmp_path / "out" / "figure.json").read_bytes())
    [picture] = [image for page in answer["pages"] for image in page["images"]]
    assert ocr.written() == sorted([
        "figure.json", "figure.md", f"figure.files/images/{picture}", "figure.files/searchable.pdf",
        "locked.json", "locked.md", "locked.files/searchable.pdf",
    ])  # fmt: skip
    assert f"](figure.files/images/{picture})" in (tmp_path / "out" / "figure.md").read_text(encoding="utf-8")
    assert samples.HEADING in (tmp_path / "out" / "locked.md").read_text(encoding="utf-8")
    assert "тайна" not in "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("*.json"))
    wrong = ocr("convert", "locked.pdf", "-o", "out", "--local", "--force", OCR_PASSWORD="wrong", OCR_WORKERS="1")
    assert (wrong.returncode, "(password_required)" in wrong.stderr.decode()) == (1, True)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_service_of_its_own_ends_with_the_command_however_that_ends(tmp_path: Path, number: signal.Signals) -> None:
    ocr = CommandLine(tmp_path, "http://127.0.0.1:9")
    ocr.write("a.pdf", samples.born_digital(pages=200))
    with (tmp_path / "said").open("wb") as said, ocr.running("convert", "a.pdf", "-o", "out", "--local", stderr=said) as command:
        wait_until(lambda: b"is ready after" in (tmp_path / "said").read_bytes(), "its service to be ready")
        [service] = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
        command.send_signal(number)
        assert command.wait(PATIENCE_S) == (130 if number is signal.SIGINT else -number)
    wait_until(lambda: not Path(f"/proc/{service}").exists(), "its service to be gone")
    assert ocr.written() == []


def test_a_service_of_its_own_that_cannot_start_says_why(tmp_path: Path) -> None:
    ocr = CommandLine(tmp_path, "http://127.0.0.1:9")
    ocr.write("a.pdf", document(pages=1))
    done = ocr("convert", "a.pdf", "--local", OCR_PROT="1")
    assert done.returncode == 3
    assert "OCR_PROT is not a setting of this service; did you mean OCR_PORT?" in done.stderr.decode()
