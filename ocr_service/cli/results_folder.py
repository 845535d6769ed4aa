"""The folder that results are written to.

DIR/name.md  name.json        the document, as the service gives it; links of the Markdown lead into name.files/
DIR/name.files/               pictures and extra files, under the service's own paths
DIR/.ocr-service/records/     of what file and with which options the result was made: written last, so a result without it is not whole
DIR/.ocr-service/jobs/        which job a document was handed in as, until its result is there
"""

from __future__ import annotations

import fcntl
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import quote

import msgspec

from ocr_service.cli.inputs import Source
from ocr_service.cli.status import UsageError
from ocr_service.cli.tickets import TicketFile
from ocr_service.client.wholly import whole_file

_OWN = ".ocr-service"
_RECORDS, _STAGES, _JOBS = "records", "unfinished", "jobs"
_PICTURE = re.compile(rb"(!\[[^\n]*?\]\()(?=images/[\w%.-]+\))")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`whole` is false while the files are put in place. `options`: as they were asked for, without a password."""

    whole: bool
    source: str
    sha256: str
    options: dict[str, str]
    document_id: str
    status: str
    failed_pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """A document's files before they are put in place; `files` holds what goes to `name.files/`."""

    folder: Path

    @property
    def markdown(self) -> Path:
        return self.folder / "document.md"

    @property
    def json(self) -> Path:
        return self.folder / "result.json"

    @property
    def files(self) -> Path:
        return self.folder / "files"


class ResultsFolder:
    """DIR."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, keep others from writing to it, and remove what an earlier run left unfinished. Raises UsageError."""
        try:
            (self.path / _OWN).mkdir(parents=True, exist_ok=True)
            lock = (self.path / _OWN / "lock").open("w")
        except OSError as error:
            raise UsageError(f"{self.path} cannot be written: {error.strerror}") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"Another ocr-service writes to {self.path}: wait for it, or name another folder") from None
            stages = self.path / _OWN / _STAGES
            shutil.rmtree(stages, ignore_errors=True)
            try:
                yield
            finally:
                shutil.rmtree(stages, ignore_errors=True)

    def is_own(self, folder: Path) -> bool:
        """Whether a folder below DIR was written by this command: no documents are looked for in it."""
        if folder.suffix != ".files" or self.path.resolve() not in folder.resolve().parents:
            return False
        return self._record_path(folder.resolve().relative_to(self.path.resolve()).with_suffix("")).is_file()

    def record(self, name: PurePath) -> Record | None:
        try:
            return msgspec.json.decode(self._record_path(name).read_bytes(), type=Record)
        except (OSError, msgspec.MsgspecError):
            return None

    def belongs_to_another(self, name: PurePath, source: Source) -> bool:
        """Whether the result of another file lies there. A file that was moved is still the same by its bytes. Raises OSError."""
        record = self.record(name)
        return record is not None and record.source != _identity(source) and record.sha256 != source.sha256()

    def is_done(self, name: PurePath, sha256: str, options: dict[str, str]) -> bool:
        """Whether all pages of these bytes were converted with these options, and the result is still there."""
        record = self.record(name)
        if record is None or not record.whole or record.status != "complete":
            return False
        return (record.sha256, record.options) == (sha256, options) and self.markdown(name).is_file() and self.json(name).is_file()

    def has_foreign_files(self, name: PurePath) -> bool:
        """Whether files of these names are there that this command did not write."""
        return self.record(name) is None and any(path.exists() for path in (self.markdown(name), self.json(name), self.files(name)))

    def markdown(self, name: PurePath) -> Path:
        return self.path / f"{name}.md"

    def json(self, name: PurePath) -> Path:
        return self.path / f"{name}.json"

    def files(self, name: PurePath) -> Path:
        return self.path / f"{name}.files"

    def ticket(self, name: PurePath) -> TicketFile:
        return TicketFile(self.path / _OWN / _JOBS / f"{name}.json")

    @contextmanager
    def stage(self) -> Iterator[Stage]:
        """A place for a document's files until they are whole. Raises OSError."""
        folder = self.path / _OWN / _STAGES / secrets.token_hex(8)
        (folder / "files").mkdir(parents=True)
        try:
            yield Stage(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, name: PurePath, stage: Stage, record: Record) -> None:
        """Put a stage's files in place. Raises OSError."""
        self._write_record(name, msgspec.structs.replace(record, whole=False))
        self.markdown(name).parent.mkdir(parents=True, exist_ok=True)
        if self.files(name).exists():
            self.files(name).rename(stage.folder / "old")
        if any(stage.files.iterdir()):
            _lead_links_into(stage.markdown, self.files(name).name)
            stage.files.rename(self.files(name))
        stage.json.replace(self.json(name))
        stage.markdown.replace(self.markdown(name))
        self._write_record(name, record)

    def _record_path(self, name: PurePath) -> Path:
        return self.path / _OWN / _RECORDS / f"{name}.json"

    def _write_record(self, name: PurePath, record: Record) -> None:
        path = self._record_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(msgspec.json.format(msgspec.json.encode(record), indent=1))


def new_record(source: Source, sha256: str, options: dict[str, str], document_id: str, failed_pages: tuple[int, ...]) -> Record:
    status = "partial" if failed_pages else "complete"
    return Record(
        whole=True,
        source=_identity(source),
        sha256=sha256,
        options=options,
        document_id=document_id,
        status=status,
        failed_pages=failed_pages,
    )


def _identity(source: Source) -> str:
    return str(source.path.resolve()) if source.path is not None else "-"


def _lead_links_into(markdown: Path, folder: str) -> None:
    """`![…](images/…)` → `![…](name.files/images/…)`; the service escapes what a document itself says in such words."""
    prefix = quote(folder).encode()
    target = markdown.with_suffix(".linked")
    with markdown.open("rb") as before, target.open("wb") as after:
        for line in before:
            after.write(_PICTURE.sub(rb"\g<1>" + prefix.replace(b"\\", b"\\\\") + b"/", line))
    target.replace(markdown)
