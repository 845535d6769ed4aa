"""`scripts/setup`: the virtual environment follows the lock file. Real environments, real pip, one tiny package of our own."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from scripts.setup import environment
from scripts.setup.progress import SetupError

pytestmark = pytest.mark.slow


def wheel(folder: Path, name: str) -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def lock(project: Path, file_name: str, *packages: str) -> Path:
    wheels = [wheel(project, package) for package in packages]
    lines = [f"{path.stem.split('-')[0]} @ {path.as_uri()} --hash=sha256:{sha256(path.read_bytes()).hexdigest()}\n" for path in wheels]
    target = project / file_name
    target.write_text("".join(lines))
    return target


def imports(project: Path, module: str) -> bool:
    return subprocess.run([project / ".venv/bin/python", "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def built_at(project: Path) -> int:
    return (project / ".venv/pyvenv.cfg").stat().st_mtime_ns


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose runtime lock is installed; an environment takes seconds, so the tests that leave it whole share it."""
    folder = tmp_path_factory.mktemp("project")
    environment.prepare(folder, lock(folder, "requirements_vllm.txt", "alpha"))
    return folder


def test_the_locked_package_can_be_imported_and_a_second_run_does_nothing(project: Path) -> None:
    assert imports(project, "alpha")
    before = built_at(project)
    environment.prepare(project, project / "requirements_vllm.txt")
    assert built_at(project) == before


def test_the_development_lock_is_added_to_the_runtime_and_serves_both_afterwards(project: Path) -> None:
    before = built_at(project)
    environment.prepare(project, lock(project, "requirements_dev.txt", "alpha", "beta"))
    environment.prepare(project, project / "requirements_vllm.txt")
    assert built_at(project) == before
    assert imports(project, "beta")


def test_a_moved_checkout_with_a_changed_lock_gets_a_new_environment_without_leftovers(project: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(project, moved, symlinks=True)
    environment.prepare(moved, lock(moved, "requirements_vllm.txt", "gamma"))
    assert str(moved) in (moved / ".venv/bin/pip").read_text().splitlines()[0]
    assert imports(moved, "gamma")
    assert not imports(moved, "alpha")


def test_a_package_that_is_not_the_locked_one_is_refused_and_the_next_run_starts_over(tmp_path: Path) -> None:
    broken = lock(tmp_path, "requirements_vllm.txt", "alpha")
    fitting = broken.read_text()
    broken.write_text(fitting[:-9] + "00000000\n")
    with pytest.raises(SetupError, match=r"requirements_vllm\.txt.*\n.*ERROR"):
        environment.prepare(tmp_path, broken)
    assert not imports(tmp_path, "alpha")
    broken.write_text(fitting)
    environment.prepare(tmp_path, broken)
    assert imports(tmp_path, "alpha")
