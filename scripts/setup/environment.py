"""The virtual environment in `.venv`, holding exactly what a lock file says.

A stamp, written last, names the locks that are installed; without a fitting stamp the environment is built anew, so that an
interrupted or outdated one is never trusted. The development lock contains the runtime's, so it is installed on top of it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from importlib.util import find_spec
from pathlib import Path

from scripts.setup import debian
from scripts.setup.progress import Counter, SetupError, say

_RUNTIME_LOCK = "requirements_vllm.txt"
_STAMP = "installed-locks.json"


def prepare(project: Path, lock: Path, name: str = ".venv") -> Path:
    """Make the environment `<project>/<name>` satisfy the lock and return it; does nothing when it does already. Raises SetupError."""
    environment = project / name
    # Only `.venv` holds two locks, one on top of the other.
    runtime = project / _RUNTIME_LOCK if name == ".venv" else lock
    installed = _read_stamp(environment)
    if _fingerprint(lock) in installed:
        return environment
    (environment / _STAMP).unlink(missing_ok=True)
    if _fingerprint(runtime) not in installed:
        _create(environment)
    _install(environment, lock)
    _write_stamp(environment, {_fingerprint(runtime), _fingerprint(lock)})
    return environment


def _fingerprint(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _origin(environment: Path) -> dict[str, str]:
    """An environment serves one interpreter at one path: a moved checkout or an upgraded Python needs a new one."""
    return {"python": sys.version, "base": sys.base_prefix, "path": str(environment)}


def _read_stamp(environment: Path) -> set[str]:
    try:
        stamp = json.loads((environment / _STAMP).read_bytes())
    except (OSError, ValueError):
        return set()
    return set(stamp["locks"]) if stamp.get("origin") == _origin(environment) else set()


def _write_stamp(environment: Path, locks: set[str]) -> None:
    (environment / _STAMP).write_text(json.dumps({"origin": _origin(environment), "locks": sorted(locks)}))


def _create(environment: Path) -> None:
    say(f"Python {sys.version.split()[0]} ({sys.executable}): creating {environment.name}")
    shutil.rmtree(environment, ignore_errors=True)
    venv.create(environment, with_pip=False, symlinks=True)
    _add_pip(environment)


def _add_pip(environment: Path) -> None:
    """Debian's Python comes without pip: it lies in python3-pip-whl, which python3.X-venv brings along."""
    python = environment / "bin" / "python"
    if find_spec("ensurepip") and _ran(python, "-m", "ensurepip", "--default-pip"):
        return
    venv_package = "python{}.{}-venv".format(*sys.version_info)
    say("This Python has no pip of its own: fetching Debian's package of it")
    if debian.install([venv_package]) and _ran(python, "-m", "ensurepip", "--default-pip"):
        return
    with tempfile.TemporaryDirectory(prefix="ocr-setup-") as scratch:
        if debian.unpack(["python3-pip-whl"], Path(scratch)):
            for wheel in Path(scratch).rglob("pip-*.whl"):
                if _ran(python, f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel)):
                    return
    raise SetupError(f"{sys.executable} has neither pip nor ensurepip. On Debian and Ubuntu: apt-get install {venv_package}")


def _ran(*command: Path | str) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def _install(environment: Path, lock: Path) -> None:
    log = environment / "pip.log"
    total = len(re.findall(r"^[\w.-]+==(?!.*sys_platform == 'win32')", lock.read_text(), re.MULTILINE))
    say(f"Installing the packages of {lock.name} (log: {log})")
    command: list[str | Path] = [
        # A lock is complete; and one of them leaves out, on purpose, what a package asks for (requirements_paddle.overrides).
        environment / "bin" / "python", "-m", "pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--root-user-action", "ignore", "--requirement", lock,
    ]  # fmt: skip
    counter = Counter("Packages", total)
    with (
        log.open("w") as written,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            written.write(line)
            if met := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
                counter.step(met[1])
            elif line.startswith("Installing collected packages"):
                counter.end()
                say("All packages are here; unpacking them")
    counter.end()
    if pip.returncode:
        raise SetupError(
            f"pip could not install {lock.name} (is there a network, or a package cache?):\n{_what_went_wrong(log)}\n  See {log}"
        )


def _what_went_wrong(log: Path) -> str:
    """pip's own verdict without its many retries; the end of the log where it gave none."""
    lines = log.read_text().splitlines()
    verdict = [line for line in lines if line.startswith("ERROR")] or lines[-8:]
    return "\n".join("    " + line for line in verdict)
