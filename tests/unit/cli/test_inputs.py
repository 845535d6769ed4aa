"""Which documents the arguments mean."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ocr_service.cli.inputs import find
from ocr_service.cli.status import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.pdf", "b.PNG", "notes.txt", "sub/c.tiff", ".hidden/d.pdf", ".e.pdf", "[1].pdf", "results/f.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "loop").symlink_to(tmp_path)
    return tmp_path


def found(*arguments: object, recursive: bool = False, skip: str = "") -> list[str]:
    sources = find([str(argument) for argument in arguments], recursive=recursive, skip=lambda path: path.name == skip)
    return [str(source.relative) for source in sources]


def test_a_folder_gives_its_pdfs_and_images_hidden_ones_left_out(folder: Path) -> None:
    assert found(folder, recursive=True, skip="results") == ["[1].pdf", "a.pdf", "b.PNG", "sub/c.tiff"]


def test_a_folder_without_recursive_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match="--recursive"):
        found(folder)


def test_a_file_that_is_named_may_be_called_anything(folder: Path) -> None:
    assert found(folder / "notes.txt") == ["notes.txt"]


def test_a_folder_that_cannot_be_read_is_told(folder: Path) -> None:
    def vanish(path: Path) -> bool:
        shutil.rmtree(path)
        return False

    with pytest.raises(UsageError, match=r"results cannot be read: No such file"):
        find([str(folder)], recursive=True, skip=lambda path: path.name == "results" and vanish(path))


def test_a_quoted_pattern_is_looked_up(folder: Path) -> None:
    assert found(folder / "*.pdf") == ["[1].pdf", "a.pdf"]
    assert found(folder / "**" / "c.*") == ["c.tiff"]


def test_a_file_with_brackets_in_its_name_is_no_pattern(folder: Path) -> None:
    assert found(folder / "[1].pdf") == ["[1].pdf"]


def test_a_document_counts_once(folder: Path) -> None:
    assert found(folder / "a.pdf", folder / "sub" / ".." / "a.pdf", folder / "a*.pdf", "-", "-") == ["a.pdf", "stdin"]


def test_all_that_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        found(folder / "x.pdf", folder / "a.pdf", folder / "*.doc")
    assert "x.pdf: no such file; " in str(caught.value)
    assert "*.doc: no such file" in str(caught.value)
