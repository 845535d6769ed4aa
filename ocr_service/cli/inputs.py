"""Which documents the arguments mean."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from ocr_service.cli.status import UsageError

STANDARD = "-"
SUFFIXES = frozenset({".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})
"""Taken out of folders. A file that is named itself may be called anything: the service looks at its bytes."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document: where it lies, and its path below the folder that was named, or its name; `path` is None for standard input."""

    path: Path | None
    relative: PurePath

    @property
    def shown(self) -> str:
        return str(self.path) if self.path is not None else "standard input"

    def sha256(self) -> str:
        """Of the file, in hex; standard input cannot be read twice and has none. Raises OSError."""
        return sha256_of(self.path) if self.path is not None else ""


def sha256_of(path: Path) -> str:
    """Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find(arguments: Iterable[str], *, recursive: bool, skip: Callable[[Path], bool]) -> list[Source]:
    """Each document once, in the order given. `skip`: folders not to look into. Raises UsageError that names all that is missing."""
    found: dict[Path | None, Source] = {}
    problems: list[str] = []
    for argument in arguments:
        try:
            for source in _sources(argument, recursive=recursive, skip=skip):
                found.setdefault(source.path.resolve() if source.path is not None else None, source)
        except UsageError as error:
            problems.append(str(error))
    if problems:
        raise UsageError("; ".join(problems))
    return list(found.values())


def _sources(argument: str, *, recursive: bool, skip: Callable[[Path], bool]) -> Iterator[Source]:
    if argument == STANDARD:
        yield Source(None, PurePath("stdin"))
        return
    for path in _matches(argument):
        if not path.is_dir():
            yield Source(path, PurePath(path.name))
        elif recursive:
            yield from _walk(path, skip)
        else:
            raise UsageError(f"{path} is a folder: --recursive takes the documents in it")


def _matches(argument: str) -> list[Path]:
    """The path itself, or what it means as a pattern. A file that has brackets in its name is still a file."""
    path = Path(argument)
    if path.exists():
        return [path]
    # Not Path.glob: it takes no absolute pattern.
    matches = [Path(match) for match in sorted(glob.glob(argument, recursive=True))] if glob.has_magic(argument) else []  # noqa: PTH207
    if not matches:
        raise UsageError(f"{argument}: no such file")
    # `**` finds the folders on the way, too.
    return [match for match in matches if not match.is_dir()] or matches


def _walk(folder: Path, skip: Callable[[Path], bool]) -> Iterator[Source]:
    """Hidden files and folders are left alone; links to folders are not followed, so that there is an end."""

    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=refuse):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not skip(here / name))
        for name in sorted(names):
            path = here / name
            if path.suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Source(path, path.relative_to(folder))
