"""The command as a whole: settings, statuses, and what it can do without."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_service import settings
from ocr_service.cli import environment
from ocr_service.cli.command import guarded
from ocr_service.cli.conversion import Ending, Outcome
from ocr_service.cli.convert import status_of
from ocr_service.cli.environment import DEFAULT_URL, Environment
from ocr_service.cli.inputs import Source
from ocr_service.cli.local_service import last_words
from ocr_service.cli.status import ExitStatus, NoService, UsageError
from ocr_service.cli.table import Row, State, is_broken, rendered
from ocr_service.client import Busy, Unreachable

PROJECT = Path(__file__).parents[3]
DOCS = (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_the_service_knows_the_commands_variables() -> None:
    names = {environment.URL, environment.API_KEY, environment.PASSWORD}
    assert names == settings.CLIENT_NAMES
    assert settings.Settings.from_environment(dict.fromkeys(names, "x")) == settings.Settings()
    assert [name for name in names if f"`{name}`" not in DOCS] == []


def test_an_empty_variable_counts_as_not_set() -> None:
    assert Environment.read({"OCR_URL": "", "OCR_API_KEY": ""}) == Environment(DEFAULT_URL, None, None)
    assert Environment.read({"OCR_URL": "http://x", "OCR_API_KEY": "k", "OCR_PASSWORD": "p"}) == Environment("http://x", "k", "p")
    assert "hush" not in repr(Environment("u", "hush", "hush"))


def raising(error: BaseException) -> ExitStatus:
    def command() -> ExitStatus:
        raise error

    return guarded(command)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), ExitStatus.USAGE),
        (ValueError("x"), ExitStatus.USAGE),
        (Unreachable("x"), ExitStatus.UNREACHABLE),
        (NoService("x"), ExitStatus.UNREACHABLE),
        (Busy("x", code="overloaded", status=503), ExitStatus.FAILED),
        (KeyboardInterrupt(), ExitStatus.INTERRUPTED),
    ],
)
def test_every_error_has_its_status_and_one_line(error: BaseException, status: ExitStatus, capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(error) is status
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("endings", "status"),
    [
        ((Ending.COMPLETE, Ending.SKIPPED), ExitStatus.OK),
        ((Ending.COMPLETE, Ending.PARTIAL), ExitStatus.PARTIAL),
        ((Ending.PARTIAL, Ending.FAILED), ExitStatus.FAILED),
    ],
)
def test_the_worst_document_decides(endings: tuple[Ending, ...], status: ExitStatus) -> None:
    assert status_of([Outcome(Source(Path("a"), Path("a")), ending) for ending in endings]) is status


def test_the_documented_statuses_are_the_commands() -> None:
    documented = {int(number) for number in re.findall(r"^\| (\d+) \|", DOCS, re.MULTILINE)}
    assert documented == {status.value for status in ExitStatus}


@pytest.mark.parametrize(("command", "least"), [("convert", 10), ("jobs", 5), ("check", 3)])
def test_every_option_is_documented(command: str, least: int) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "ocr_service.cli", command, "--help"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    options = set(re.findall(r"^  (?:-\w(?: [A-Z]+)?, )?(--[\w-]+)", shown.stdout, re.MULTILINE))
    assert len(options) > least
    assert [option for option in options - {"--help"} if option not in DOCS] == []


def test_the_command_needs_nothing_of_the_service() -> None:
    blocked = ["pydantic", "fastapi", "starlette", "uvicorn", "pymupdf", "numpy", "cv2", "boto3", "prometheus_client", "rapidocr"]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "from importlib.machinery import PathFinder\n"
        f"find = PathFinder.find_spec; PathFinder.find_spec = lambda name, *rest: None if name in {blocked!r} else find(name, *rest)\n"
        "from ocr_service.cli.command import main\n"
        "for name in list(sys.modules): sys.modules[name] is None and sys.modules.pop(name)\n"
        "sys.exit(main(['check', '--local']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "not installed beside this command" in done.stdout


def test_a_table_lines_up_and_knows_what_is_broken() -> None:
    rows = [Row("VLM", State.OK, "here"), Row("models", State.BROKEN, "gone")]
    assert rendered(rows, as_json=False) == "VLM     ok       here\nmodels  broken   gone\n"
    assert is_broken(rows)
    assert not is_broken(rows[:1])


@pytest.mark.parametrize(
    ("log", "words"),
    [('{"message": "x"}\n', "x"), ("OCR_PORT: no\n", "OCR_PORT: no"), ("", "it said nothing"), ("[1]\n", "[1]")],
)
def test_what_a_service_said_before_it_died_is_told(log: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(log)
    assert last_words(tmp_path / "log") == words
