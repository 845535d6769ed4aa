"""The folder of the workers' temporary files outlives no service for long."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from ocr_service.workers.scratch import PREFIX, UNLOCKED_AT_FIRST_S, Scratch

CLAIM = """
import pathlib, sys
from ocr_service.workers.scratch import Scratch
print(Scratch.claim(pathlib.Path(sys.argv[1])).path, flush=True)
input()
"""


def other_service(root: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has claimed a folder and works in it."""
    process = subprocess.Popen([sys.executable, "-c", CLAIM, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    (folder / "page").write_text("half")
    return process, folder


def let_age(folder: Path) -> None:
    past = time.time() - 2 * UNLOCKED_AT_FIRST_S
    os.utime(folder, (past, past))


def test_the_folder_of_a_killed_service_goes_at_the_next_start_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    killed, left_behind = other_service(tmp_path)
    living, in_use = other_service(tmp_path)
    killed.kill()
    killed.communicate()
    let_age(left_behind)
    let_age(in_use)
    scratch = Scratch.claim(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([in_use, scratch.path])
    scratch.remove()
    living.communicate("\n")
    assert not scratch.path.exists()


def test_a_folder_that_has_just_been_made_is_left_alone(tmp_path: Path) -> None:
    fresh = tmp_path / f"{PREFIX}fresh"
    fresh.mkdir()
    Scratch.claim(tmp_path).remove()
    assert fresh.exists()


def test_a_link_with_the_name_of_such_a_folder_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    let_age(precious)
    (tmp_path / f"{PREFIX}link").symlink_to(precious)
    Scratch.claim(tmp_path).remove()
    assert (precious / "file").exists()
