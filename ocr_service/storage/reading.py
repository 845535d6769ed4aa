"""The way from names that strangers send to files that may be read.

What may be read is listed, not what may not: a document's files have few kinds of names, and none begins with a dot.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from ocr_service.domain.documents import MediaType, StoredFile
from ocr_service.domain.errors import DocumentNotFound

PAGES, IMAGES, TABLES = "pages", "images", "tables"
RESULT, MARKDOWN, SEARCHABLE_PDF, WORKBOOK = "result.json", "document.md", "searchable.pdf", "tables.xlsx"

_DOCUMENT_ID = re.compile(r"[a-z2-7]{26}")
_PICTURE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.(?:png|jpg|webp)")
_IN_FOLDER = {PAGES: re.compile(r"\d{4,9}\.json"), IMAGES: _PICTURE, TABLES: re.compile(r"p\d{4,9}-t\d{1,9}\.csv")}
_AT_TOP = frozenset({RESULT, MARKDOWN, SEARCHABLE_PDF, WORKBOOK} | {f"source{media_type.suffix}" for media_type in MediaType})
_MEDIA_TYPES = {
    ".json": "application/json",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    **{media_type.suffix: media_type.value for media_type in MediaType},
}


def unfinished_documents(output_dir: Path) -> Iterator[Path]:
    """Folders of documents that have no result: they are in work, or were. Raises OSError."""
    for folder in output_dir.iterdir():
        if _DOCUMENT_ID.fullmatch(folder.name) is not None and _is_folder(folder) and _size(folder / RESULT) is None:
            yield folder


def is_picture_name(name: str) -> bool:
    """Whether a picture may be stored, and read back, under this name."""
    return _PICTURE.fullmatch(name) is not None


def media_type_of(name: str) -> str:
    """The media type of a document's file, by the kinds of names that there are."""
    return _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")


def find_document(output_dir: Path, document_id: str) -> Path:
    """The folder of a finished document. Raises DocumentNotFound."""
    folder = _find_folder(output_dir, document_id)
    if _size(folder / RESULT) is None:
        raise DocumentNotFound("There is no such document.")
    return folder


def _find_folder(output_dir: Path, document_id: str) -> Path:
    if _DOCUMENT_ID.fullmatch(document_id) is not None:
        folder = output_dir / document_id
        if _is_folder(folder):
            return folder
    raise DocumentNotFound("There is no such document.")


def _is_of_a_page(name: str) -> bool:
    """These are whole and final as soon as they are there: whoever follows the stream of pages may see them at once."""
    return name.partition("/")[0] in {PAGES, IMAGES}


def find_file(output_dir: Path, document_id: str, name: str) -> StoredFile:
    """A file of a finished document, or a page's file of one that is still read; links are not followed. Raises DocumentNotFound."""
    folder = _find_folder(output_dir, document_id) if _is_of_a_page(name) else find_document(output_dir, document_id)
    if _is_known(name):
        path = folder / name
        size = _size(path) if _is_folder(path.parent) else None
        if size is not None:
            return StoredFile(name, path, _MEDIA_TYPES[path.suffix], size)
    raise DocumentNotFound("The document has no such file.")


def _is_known(name: str) -> bool:
    folder, slash, file = name.partition("/")
    if not slash:
        return name in _AT_TOP
    return folder in _IN_FOLDER and _IN_FOLDER[folder].fullmatch(file) is not None


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _size(path: Path) -> int | None:
    """Bytes of a plain file, None if it is anything else."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
