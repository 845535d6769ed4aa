"""Where models come from: what a hub lists of a repository, and where it serves each file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import httpx

from ocr_service.models.manifest import sha256_of

HUGGING_FACE = "https://huggingface.co"
MODELSCOPE = "https://modelscope.cn"
DEFAULT_SOURCES = (HUGGING_FACE, MODELSCOPE)


class HubFailed(Exception):
    """The hub did not give what was asked for; the text is for the operator."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub lists it; `sha256` for large files, `git_blob` (git's SHA-1 of the content) for small ones, or neither."""

    path: str
    size: int
    url: str
    sha256: str = ""
    git_blob: str = ""

    def matches(self, path: Path) -> bool:
        """Whether the file on disk is this one. Raises OSError."""
        if path.stat().st_size != self.size:
            return False
        if self.sha256:
            return sha256_of(path) == self.sha256
        return not self.git_blob or _git_blob(path) == self.git_blob


class Hub(Protocol):
    """A model hub; `name` is its address."""

    @property
    def name(self) -> str: ...

    def files(self, client: httpx.Client, repository: str) -> list[RemoteFile]:
        """Raises HubFailed."""


def hub_of(address: str) -> Hub:
    """The hub that speaks at this address: ModelScope's API at modelscope hosts, Hugging Face's (also its mirrors) at all others."""
    host = urlsplit(address).hostname or ""
    return ModelScope(address.rstrip("/")) if "modelscope" in host else HuggingFace(address.rstrip("/"))


@dataclass(frozen=True, slots=True)
class HuggingFace:
    """Hugging Face, and everything that speaks its API."""

    name: str
    revision: str = "main"

    def files(self, client: httpx.Client, repository: str) -> list[RemoteFile]:
        listed = _json(client, f"{self.name}/api/models/{repository}/tree/{self.revision}", {"recursive": "true"})
        try:
            return [self._file(repository, entry) for entry in listed if entry["type"] == "file" and not _is_hidden(entry["path"])]
        except (KeyError, TypeError) as error:
            raise HubFailed(f"{self.name} lists {repository} in a way that is not understood") from error

    def _file(self, repository: str, entry: dict[str, Any]) -> RemoteFile:
        path = _safe(entry["path"])
        lfs = entry.get("lfs")
        return RemoteFile(
            path=path,
            size=int(entry["size"]),
            url=f"{self.name}/{repository}/resolve/{self.revision}/{quote(path)}",
            sha256=lfs["oid"] if lfs else "",
            git_blob="" if lfs else str(entry.get("oid", "")),
        )


@dataclass(frozen=True, slots=True)
class ModelScope:
    """ModelScope, which has a listing of its own."""

    name: str
    revision: str = "master"

    def files(self, client: httpx.Client, repository: str) -> list[RemoteFile]:
        query = {"Revision": self.revision, "Recursive": "True"}
        answer = _json(client, f"{self.name}/api/v1/models/{repository}/repo/files", query)
        try:
            listed = [entry for entry in answer["Data"]["Files"] if entry["Type"] == "blob" and not _is_hidden(entry["Path"])]
            return [self._file(repository, entry) for entry in listed]
        except (KeyError, TypeError) as error:
            raise HubFailed(f"{self.name} lists {repository} in a way that is not understood") from error

    def _file(self, repository: str, entry: dict[str, Any]) -> RemoteFile:
        path = _safe(entry["Path"])
        url = f"{self.name}/api/v1/models/{repository}/repo?Revision={self.revision}&FilePath={quote(path, safe='')}"
        return RemoteFile(path=path, size=int(entry["Size"]), url=url, sha256=str(entry.get("Sha256") or ""))


def _json(client: httpx.Client, url: str, query: dict[str, str]) -> Any:  # noqa: ANN401  whatever the hub says
    try:
        answer = client.get(url, params=query)
        answer.raise_for_status()
        return answer.json()
    except httpx.HTTPStatusError as error:
        raise HubFailed(f"HTTP {error.response.status_code} for {url}") from error
    except (httpx.HTTPError, ValueError) as error:
        raise HubFailed(f"{type(error).__name__} for {url}") from error


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") and part != ".." for part in PurePosixPath(path).parts)


def _safe(path: str) -> str:
    """The path, if it stays in the model's folder whatever the hub says. Raises HubFailed."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or not parts.parts or ".." in parts.parts or "\\" in path or "\0" in path:
        raise HubFailed(f"a file is listed under a path that leads elsewhere: {path!r}")
    return str(parts)


def _git_blob(path: Path) -> str:
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
