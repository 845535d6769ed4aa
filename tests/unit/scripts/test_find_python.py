"""`scripts/find-python`: which Python a bare machine offers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "find-python"


def find_python(path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash
    return subprocess.run([bash, SCRIPT], env={"PATH": str(path), **environ}, capture_output=True, text=True, check=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with a python3 that is too old."""
    old = tmp_path / "python3"
    old.write_text(f"#!{shutil.which('bash')}\n[[ $1 == --version ]] && echo 'Python 3.9.2'\nexit 1\n")
    old.chmod(0o755)
    return tmp_path


def test_a_python_that_is_too_old_is_named_together_with_what_to_install(path: Path) -> None:
    found = find_python(path)
    assert found.returncode == 1
    assert "Python 3.9.2" in found.stderr
    assert "apt-get install python3 python3-venv" in found.stderr


def test_a_versioned_name_helps_where_python3_is_too_old(path: Path) -> None:
    (path / "python3.12").symlink_to(sys.executable)
    found = find_python(path)
    assert found.returncode == 0
    assert Path(found.stdout.strip()).samefile(sys.executable)


def test_the_operators_choice_is_not_replaced_by_another(path: Path) -> None:
    (path / "python3.12").symlink_to(sys.executable)
    found = find_python(path, PYTHON="python3")
    assert found.returncode == 1
