"""What a model's folder must hold, byte for byte: written when its download is complete, and read by every check.

PaddleX takes any folder of the right name for a model, an empty one too; the manifest is how a broken download is told from a whole one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from ocr_service.models.catalogue import Model

MANIFEST = ".manifest.json"
_CHUNK = 1 << 20


class State(StrEnum):
    """`unverified`: all that is required is there, but nothing says what it should be; somebody put it there by hand."""

    OK = "ok"
    UNVERIFIED = "unverified"
    MISSING = "missing"
    DAMAGED = "damaged"

    @property
    def usable(self) -> bool:
        return self in {State.OK, State.UNVERIFIED}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model: its path in the folder, its size in bytes, its SHA-256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of one model found. `size`: bytes on disk; `problem`: one phrase, empty if there is none."""

    model: Model
    state: State
    size: int = 0
    problem: str = ""


def write_manifest(folder: Path, source: str, files: list[ModelFile]) -> None:
    """Raises OSError."""
    body = {"source": source, "files": [asdict(file) for file in files]}
    (folder / MANIFEST).write_text(json.dumps(body, indent=1), encoding="utf-8")


def check(models_path: Path, model: Model, *, hashes: bool, progress: Callable[[int], None] = lambda _bytes: None) -> Finding:
    """Compare the folder with its manifest: names and sizes, and with `hashes` every byte. `progress` hears of bytes read."""
    folder = models_path / model.folder
    if not folder.is_dir():
        return Finding(model, State.MISSING, 0, "no folder")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    lacking = [name for name in model.required if not _has_content(folder / name)]
    if lacking:
        return Finding(model, State.DAMAGED, size, f"missing or empty: {', '.join(lacking)}")
    try:
        files = _read_manifest(folder)
    except FileNotFoundError:
        return Finding(model, State.UNVERIFIED, size, "no manifest")
    except (OSError, ValueError, TypeError, KeyError):
        return Finding(model, State.DAMAGED, size, "unreadable manifest")
    problems = (_problem(folder / file.path, file, hashes=hashes, progress=progress) for file in files)
    problem = next((problem for problem in problems if problem), "")
    return Finding(model, State.DAMAGED if problem else State.OK, size, problem)


def usable(models_path: Path, models: Iterable[Model], optional: Iterable[Model]) -> bool:
    """Whether every model is there and none is broken, by names and sizes: cheap enough for a probe. `optional`: may be missing."""
    found = (check(models_path, model, hashes=False).state for model in models)
    extra = (check(models_path, model, hashes=False).state for model in optional)
    try:
        return all(state.usable for state in found) and all(state.usable or state is State.MISSING for state in extra)
    except OSError:
        return False


def sha256_of(path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> str:
    """Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            progress(len(chunk))
    return digest.hexdigest()


def _read_manifest(folder: Path) -> list[ModelFile]:
    body = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return [ModelFile(**entry) for entry in body["files"]]


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _problem(path: Path, file: ModelFile, *, hashes: bool, progress: Callable[[int], None]) -> str:
    if not path.is_file():
        return f"{file.path} is missing"
    if path.stat().st_size != file.size:
        return f"{file.path} has {path.stat().st_size} bytes instead of {file.size}"
    if hashes and sha256_of(path, progress) != file.sha256:
        return f"{file.path} has other content than was downloaded"
    return ""
