"""`preload_models.py` against a hub that breaks: what is downloaded is whole or not there, and the table tells which."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocr_service.models import command, download
from ocr_service.models.catalogue import CPU, Model, models_of
from ocr_service.models.download import Patience
from ocr_service.models.hubs import ModelScope
from ocr_service.models.manifest import MANIFEST, State, check, usable
from tests.fakes.hub_server import FakeHub, fake_hub

PROJECT = Path(__file__).parents[3]
ESLAV = CPU[0]
QUICK = Patience(attempts=3, pause_s=0.001, silence_s=10)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with fake_hub() as hub:
        for number, model in enumerate(models_of("cpu")):
            hub.repositories[model.repository] = contents(number)
        yield hub


def contents(number: int) -> dict[str, bytes]:
    onnx = bytes((number + position) % 251 for position in range(300_000))
    return {"inference.onnx": onnx, "inference.yml": b"Global: {}\n", ".gitattributes": b"*.onnx\n", "config/deep.json": b"{}"}


def preload(path: Path, *arguments: str, patience: Patience = QUICK) -> tuple[int, str]:
    out = io.StringIO()
    status = command.run(["--profile", "cpu", *arguments], path, out, patience)
    return status, out.getvalue()


def files_of(path: Path, model: Model) -> dict[str, bytes]:
    folder = path / model.folder
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.name != MANIFEST}


def whole(number: int) -> dict[str, bytes]:
    return {name: data for name, data in contents(number).items() if not name.startswith(".")}


def test_a_profile_is_downloaded_whole_and_the_table_says_so(tmp_path: Path, hub: FakeHub) -> None:
    status, told = preload(tmp_path, "--source", hub.address)
    assert status == 0
    for number, model in enumerate(models_of("cpu")):
        assert files_of(tmp_path, model) == whole(number)
        assert f"{model.folder} " in told
    assert "2 of 2 models, 0.6 MB" in told
    assert preload(tmp_path, "--check")[0] == 0


def test_what_is_there_already_is_not_fetched_again(tmp_path: Path, hub: FakeHub) -> None:
    preload(tmp_path, "--source", hub.address)
    hub.requests.clear()
    assert preload(tmp_path, "--source", hub.address)[0] == 0
    assert hub.requests == []


def test_a_download_that_was_cut_goes_on_where_it_stopped(tmp_path: Path, hub: FakeHub) -> None:
    hub.faults["inference.onnx"] = ["cut", "cut"]
    assert preload(tmp_path, "--source", hub.address, "--only", ESLAV.folder)[0] == 0
    assert files_of(tmp_path, ESLAV) == whole(0)
    ranges = [wanted for path, wanted in hub.requests if path == "inference.onnx"]
    assert ranges == [None, "bytes=150000-", "bytes=225000-"]


def test_a_download_goes_on_in_the_next_run(tmp_path: Path, hub: FakeHub) -> None:
    hub.faults["inference.onnx"] = ["cut", 503, 503]
    status, told = preload(tmp_path, "--source", hub.address, "--only", ESLAV.folder)
    assert status == 1
    assert "HTTP 503" in told
    assert not (tmp_path / ESLAV.folder).exists()
    hub.requests.clear()
    assert preload(tmp_path, "--source", hub.address, "--only", ESLAV.folder)[0] == 0
    assert ("inference.onnx", "bytes=150000-") in hub.requests
    assert files_of(tmp_path, ESLAV) == whole(0)


def test_a_hub_without_ranges_is_read_from_the_start(tmp_path: Path, hub: FakeHub) -> None:
    hub.faults["inference.onnx"] = ["cut", "whole"]
    assert preload(tmp_path, "--source", hub.address, "--only", ESLAV.folder)[0] == 0
    assert files_of(tmp_path, ESLAV) == whole(0)


def test_a_download_that_stands_still_is_broken_off_and_goes_on(tmp_path: Path, hub: FakeHub) -> None:
    hub.faults["inference.onnx"] = ["stall"]
    assert preload(tmp_path, "--source", hub.address, "--only", ESLAV.folder, patience=Patience(3, 0.001, 0.3))[0] == 0
    assert files_of(tmp_path, ESLAV) == whole(0)


def test_wrong_bytes_are_thrown_away_and_fetched_again(tmp_path: Path, hub: FakeHub) -> None:
    hub.faults["inference.onnx"] = ["wrong"]
    hub.faults["inference.yml"] = ["wrong"]
    assert preload(tmp_path, "--source", hub.address, "--only", ESLAV.folder)[0] == 0
    assert files_of(tmp_path, ESLAV) == whole(0)


def test_wrong_bytes_every_time_leave_nothing_that_looks_like_a_model(tmp_path: Path, hub: FakeHub) -> None:
    hub.faults["inference.onnx"] = ["wrong"] * 9
    status, told = preload(tmp_path, "--source", hub.address, "--only", ESLAV.folder)
    assert status == 1
    assert "other content than the hub lists" in told
    assert check(tmp_path, ESLAV, hashes=True).state is State.MISSING


def test_the_next_source_helps_out_when_the_first_fails_or_has_it_not(tmp_path: Path, hub: FakeHub) -> None:
    with fake_hub() as lame:
        lame.repositories[ESLAV.repository] = contents(0)
        lame.faults["inference.onnx"] = ["cut", 500, 500]
        assert preload(tmp_path, "--source", lame.address, "--source", hub.address)[0] == 0
        assert files_of(tmp_path, ESLAV) == whole(0)
        assert ("inference.onnx", "bytes=150000-") in hub.requests
        assert json.loads((tmp_path / ESLAV.folder / MANIFEST).read_text())["source"] == f"{hub.address}/{ESLAV.repository}"


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    status, told = preload(tmp_path, "--source", "http://127.0.0.1:1", "--only", ESLAV.folder)
    assert status == 1
    assert "ConnectError for http://127.0.0.1:1/" in told


def test_modelscope_lists_and_serves_in_its_own_way(tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "hub_of", ModelScope)
    hub.faults["inference.onnx"] = ["cut"]
    assert preload(tmp_path, "--source", hub.address)[0] == 0
    assert files_of(tmp_path, ESLAV) == whole(0)


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../evil", "a\\b"])
def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path: Path, hub: FakeHub, path: str) -> None:
    hub.repositories[ESLAV.repository] = {**contents(0), path: b"boo"}
    status, told = preload(tmp_path / "models", "--source", hub.address, "--only", ESLAV.folder)
    assert status == 1
    assert "leads elsewhere" in told
    assert not (tmp_path / "evil").exists()


def test_a_repository_without_the_weights_is_no_source(tmp_path: Path, hub: FakeHub) -> None:
    del hub.repositories[ESLAV.repository]["inference.onnx"]
    status, told = preload(tmp_path, "--source", hub.address, "--only", ESLAV.folder)
    assert status == 1
    assert "has no inference.onnx" in told


def test_too_little_space_is_told_before_the_first_byte(tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_SPARE_BYTES", 1 << 60)
    status, told = preload(tmp_path, "--source", hub.address)
    assert status == 1
    assert "GB are free" in told
    assert hub.requests == []


def test_check_sees_every_kind_of_damage(tmp_path: Path, hub: FakeHub) -> None:
    assert preload(tmp_path, "--check") == (1, preload(tmp_path, "--check")[1])
    assert "missing" in preload(tmp_path, "--check")[1]
    (tmp_path / ESLAV.folder).mkdir()
    assert check(tmp_path, ESLAV, hashes=False).problem == "missing or empty: inference.onnx, inference.yml"
    preload(tmp_path, "--source", hub.address)
    weights = tmp_path / ESLAV.folder / "inference.onnx"
    good = weights.read_bytes()
    weights.write_bytes(b"\xff" + good[1:])
    assert check(tmp_path, ESLAV, hashes=False).state is State.OK
    assert "other content" in check(tmp_path, ESLAV, hashes=True).problem
    assert preload(tmp_path, "--check")[0] == 1
    weights.write_bytes(good[:-1])
    assert "299999 bytes instead of 300000" in check(tmp_path, ESLAV, hashes=False).problem
    (tmp_path / ESLAV.folder / MANIFEST).write_text("{")
    assert check(tmp_path, ESLAV, hashes=False).problem == "unreadable manifest"
    (tmp_path / ESLAV.folder / MANIFEST).unlink()
    assert check(tmp_path, ESLAV, hashes=True).state is State.UNVERIFIED
    weights.write_bytes(b"")
    assert check(tmp_path, ESLAV, hashes=False).state is State.DAMAGED


def test_a_damaged_model_is_repaired_by_the_next_run(tmp_path: Path, hub: FakeHub) -> None:
    preload(tmp_path, "--source", hub.address)
    (tmp_path / ESLAV.folder / "inference.onnx").write_bytes(b"x")
    assert preload(tmp_path, "--source", hub.address)[0] == 0
    assert files_of(tmp_path, ESLAV) == whole(0)


def test_healths_cheap_look_agrees(tmp_path: Path, hub: FakeHub) -> None:
    assert usable(tmp_path, (), optional=CPU)
    assert not usable(tmp_path, CPU, optional=())
    preload(tmp_path, "--source", hub.address)
    assert usable(tmp_path, CPU, optional=())
    (tmp_path / ESLAV.folder / "inference.yml").unlink()
    assert not usable(tmp_path, (), optional=CPU)


def test_list_names_the_models_and_needs_no_network(tmp_path: Path) -> None:
    out = io.StringIO()
    assert command.run(["--list", "--vlm", "1.6"], tmp_path, out) == 0
    listed = [line.split()[0] for line in out.getvalue().splitlines()]
    assert listed == [model.folder for model in models_of("gpu", "1.6")]
    assert "PaddleOCR-VL-1.6" in listed


def test_a_name_that_is_in_no_profile_is_told(tmp_path: Path) -> None:
    assert preload(tmp_path, "--only", "nothing")[0] == 2


def test_the_script_itself_uses_paddlex_home(tmp_path: Path, hub: FakeHub) -> None:
    command_line = [sys.executable, str(PROJECT / "preload_models.py"), "--profile", "cpu", "--source", hub.address]
    done = subprocess.run(
        command_line, env={"PATH": os.environ["PATH"], "PADDLEX_HOME": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "official_models", ESLAV) == whole(0)
    wrong = subprocess.run(command_line, env={"OCR_PORT": "0"}, capture_output=True, text=True, check=False)
    assert (wrong.returncode, "OCR_PORT" in wrong.stderr) == (2, True)
