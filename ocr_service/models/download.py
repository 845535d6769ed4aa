"""Gets models from hubs: source after source, try after try, going on where a broken download stopped, and into place only when whole."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from ocr_service.models.catalogue import Model
from ocr_service.models.hubs import Hub, HubFailed, RemoteFile
from ocr_service.models.manifest import ModelFile, sha256_of, write_manifest

log = logging.getLogger(__name__)

# Hidden, so that PaddleX does not take an unfinished download for a model.
_PARTS = ".downloading"
_SPARE_BYTES = 256 * 1024 * 1024

_Answer = TypeVar("_Answer")


class DownloadFailed(Exception):
    """A model could not be had from any source; the text says what each of them answered."""


class NoSpace(Exception):
    """The models do not fit on the disk; the text has the figures."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`attempts` at each file and source; the pause between them doubles from `pause_s`; `silence_s` ends a download that stands still."""

    attempts: int = 5
    pause_s: float = 1.0
    silence_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A model as one source offers it."""

    model: Model
    hub: Hub
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(file.size for file in self.files)


class Downloader:
    """Downloads into `models_path`. `progress` hears of bytes as they arrive."""

    def __init__(
        self,
        models_path: Path,
        hubs: Sequence[Hub],
        patience: Patience | None = None,
        *,
        progress: Callable[[int], None] = lambda _bytes: None,
    ) -> None:
        self._models_path = models_path
        self._hubs = hubs
        self._patience = patience or Patience()
        self._progress = progress
        timeout = httpx.Timeout(self._patience.silence_s)
        self._client = httpx.Client(follow_redirects=True, timeout=timeout, headers={"Accept-Encoding": "identity"})

    def close(self) -> None:
        self._client.close()

    def plans(self, model: Model) -> list[Plan]:
        """What each source offers, in order. Raises DownloadFailed if none has the model whole."""
        plans, refusals = [], []
        for hub in self._hubs:
            try:
                files = self._with_patience(lambda hub=hub: hub.files(self._client, model.repository))  # type: ignore[misc]
            except HubFailed as error:
                refusals.append(str(error))
                continue
            lacking = set(model.required) - {file.path for file in files}
            if lacking:
                refusals.append(f"{hub.name} has no {', '.join(sorted(lacking))}")
            else:
                plans.append(Plan(model, hub, tuple(files)))
        if not plans:
            raise DownloadFailed(f"{model.folder}: {'; '.join(refusals)}")
        return plans

    def check_space(self, plans: Sequence[Plan]) -> None:
        """Raises NoSpace, before the first byte is fetched."""
        self._models_path.mkdir(parents=True, exist_ok=True)
        needed = sum(plan.size for plan in plans) + _SPARE_BYTES
        held = sum(path.stat().st_size for path in (self._models_path / _PARTS).rglob("*") if path.is_file())
        free = shutil.disk_usage(self._models_path).free + held
        if free < needed:
            raise NoSpace(f"{self._models_path}: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")

    def fetch(self, plans: Sequence[Plan]) -> None:
        """Get one model from the first of the sources that gives it whole. Raises DownloadFailed, OSError."""
        model, refusals = plans[0].model, []
        for plan in plans:
            try:
                files = [self._fetch_file(plan, file) for file in plan.files]
            except HubFailed as error:
                log.warning("%s: %s", model.folder, error)
                refusals.append(str(error))
                continue
            self._put_in_place(model, plan.hub.name, files)
            return
        raise DownloadFailed(f"{model.folder}: {'; '.join(refusals)}")

    def _put_in_place(self, model: Model, source: str, files: list[ModelFile]) -> None:
        parts, target = self._parts(model), self._models_path / model.folder
        kept = {file.path for file in files}
        for path in [path for path in parts.rglob("*") if path.is_file()]:
            if str(path.relative_to(parts)) not in kept:  # of another source
                path.unlink()
        write_manifest(parts, f"{source}/{model.repository}", files)
        if target.exists():
            shutil.rmtree(target)
        parts.rename(target)

    def _fetch_file(self, plan: Plan, file: RemoteFile) -> ModelFile:
        path = self._parts(plan.model) / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (path.is_file() and file.matches(path)):
            self._with_patience(lambda: self._attempt(file, path))
        return ModelFile(file.path, file.size, sha256_of(path))

    def _attempt(self, file: RemoteFile, path: Path) -> None:
        """Go on behind the bytes that are there. Raises HubFailed; the bytes that came stay, unless they are wrong."""
        part = path.with_name(f"{path.name}.part")
        have = part.stat().st_size if part.is_file() else 0
        if have > file.size:
            part.unlink()
            have = 0
        try:
            if have < file.size or file.size == 0:
                self._receive(file, part, have)
        except httpx.HTTPError as error:
            raise HubFailed(f"{type(error).__name__} for {file.url}") from error
        if part.stat().st_size < file.size:
            raise HubFailed(f"{file.url} ended after {part.stat().st_size} of {file.size} bytes")
        if not file.matches(part):
            part.unlink()
            raise HubFailed(f"{file.url} has other content than the hub lists")
        part.rename(path)

    def _receive(self, file: RemoteFile, part: Path, have: int) -> None:
        with self._client.stream("GET", file.url, headers={"Range": f"bytes={have}-"} if have else {}) as answer:
            if answer.is_error:
                raise HubFailed(f"HTTP {answer.status_code} for {file.url}")
            goes_on = have > 0 and answer.status_code == httpx.codes.PARTIAL_CONTENT
            written = have if goes_on else 0
            with part.open("ab" if goes_on else "wb") as target:
                for chunk in answer.iter_raw():
                    written += len(chunk)
                    if written > file.size:
                        raise HubFailed(f"{file.url} has more than {file.size} bytes")
                    target.write(chunk)
                    self._progress(len(chunk))

    def _with_patience(self, attempt: Callable[[], _Answer]) -> _Answer:
        for number in range(1, self._patience.attempts):
            try:
                return attempt()
            except HubFailed as error:
                if _is_final(error):
                    raise
                log.warning("%s; trying again", error)
                time.sleep(self._patience.pause_s * 2 ** (number - 1))
        return attempt()

    def _parts(self, model: Model) -> Path:
        return self._models_path / _PARTS / model.folder


def _is_final(error: HubFailed) -> bool:
    """Asking again for what is not there or not allowed helps nobody."""
    cause = error.__cause__
    return isinstance(cause, httpx.HTTPStatusError) and cause.response.status_code in {401, 403, 404}
