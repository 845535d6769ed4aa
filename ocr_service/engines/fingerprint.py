"""What a page's result depends on beside the page: our code, the engine with its libraries, the models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import ocr_service
from ocr_service.engines.config import EngineConfig
from ocr_service.engines.ocr import tessdata

_MANIFEST = ".manifest.json"


def fingerprint(engine: str, versions: Mapping[str, str], config: EngineConfig) -> str:
    """Hexadecimal. `engine`: its name, `versions`: of the libraries. Reads the service's own sources, and no model: those are told apart by
    their manifests or, without one, by sizes and times, so that a model put there by hand again may only be taken for a new one."""
    parts = [engine, repr(sorted(versions.items())), repr(sorted((name, str(value)) for name, value in asdict(config).items()))]
    parts += _sources(Path(ocr_service.__file__).parent)
    parts += _models(config.models_path)
    for folder in tessdata.candidates(config.tessdata):
        parts += [_stamp(path) for path in sorted(folder.glob("*.traineddata"))]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _sources(package: Path) -> Iterator[str]:
    """The version number alone would let a changed engine answer with what the old one read."""
    for path in sorted(package.rglob("*.py")):
        yield f"{path.relative_to(package)} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _models(folder: Path) -> Iterator[str]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.name == _MANIFEST:
            yield f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        elif not (path.parent / _MANIFEST).is_file():
            yield _stamp(path)


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"
