"""The folder of results: whole or not at all, known again, never over somebody else's files."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from ocr_service.cli.inputs import Source
from ocr_service.cli.results_folder import Record, ResultsFolder, Stage, new_record
from ocr_service.cli.status import UsageError

NAME = PurePath("sub/отчёт 1")
OPTIONS = {"dpi": "300"}


@pytest.fixture
def folder(tmp_path: Path) -> ResultsFolder:
    return ResultsFolder(tmp_path / "out")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "отчёт 1.pdf"
    path.write_bytes(b"%PDF")
    return Source(path, PurePath(path.name))


def record(source: Source, failed: tuple[int, ...] = ()) -> Record:
    return new_record(source, "hash", OPTIONS, "id", failed)


def fill(stage: Stage, markdown: str = "text\n", *, picture: bool = False) -> Stage:
    stage.markdown.write_text(markdown, encoding="utf-8")
    stage.json.write_text("{}")
    if picture:
        (stage.files / "images").mkdir()
        (stage.files / "images" / "p0001-b03.png").write_bytes(b"png")
    return stage


def put(folder: ResultsFolder, source: Source, **arguments: object) -> None:
    with folder.held(), folder.stage() as stage:
        folder.put(NAME, fill(stage, **arguments), record(source))  # type: ignore[arg-type]


def test_a_result_is_known_again_by_bytes_and_options(folder: ResultsFolder, source: Source) -> None:
    assert not folder.is_done(NAME, "hash", OPTIONS)
    put(folder, source)
    assert folder.is_done(NAME, "hash", OPTIONS)
    assert not folder.is_done(NAME, "other", OPTIONS)
    assert not folder.is_done(NAME, "hash", {})
    assert sorted(path.name for path in (folder.path / "sub").iterdir()) == ["отчёт 1.json", "отчёт 1.md"]


def test_a_result_that_somebody_removed_is_not_done(folder: ResultsFolder, source: Source) -> None:
    put(folder, source)
    folder.json(NAME).unlink()
    assert not folder.is_done(NAME, "hash", OPTIONS)


def test_a_partial_result_is_not_done(folder: ResultsFolder, source: Source) -> None:
    with folder.held(), folder.stage() as stage:
        folder.put(NAME, fill(stage), record(source, (2,)))
    assert not folder.is_done(NAME, "hash", OPTIONS)


def test_links_lead_to_the_pictures_beside_it_and_nothing_else_is_changed(folder: ResultsFolder, source: Source) -> None:
    text = "![a \\] b](images/p0001-b03.png)\nimages/p0001-b03.png \\[x](images/p0001-b03.png)\n"
    put(folder, source, markdown=text, picture=True)
    prefix = "%D0%BE%D1%82%D1%87%D1%91%D1%82%201.files/"
    assert folder.markdown(NAME).read_text(encoding="utf-8") == text.replace("![a \\] b](", f"![a \\] b]({prefix}")
    assert (folder.files(NAME) / "images" / "p0001-b03.png").read_bytes() == b"png"


def test_a_new_result_takes_the_old_pictures_along(folder: ResultsFolder, source: Source) -> None:
    put(folder, source, picture=True)
    put(folder, source)
    assert not folder.files(NAME).exists()


def test_what_is_broken_off_in_the_middle_is_neither_done_nor_somebody_elses(folder: ResultsFolder, source: Source) -> None:
    with folder.held(), folder.stage() as stage:
        fill(stage)
        stage.markdown.unlink()
        with pytest.raises(FileNotFoundError):
            folder.put(NAME, stage, record(source))
    assert folder.json(NAME).exists()
    assert not folder.is_done(NAME, "hash", OPTIONS)
    assert not folder.has_foreign_files(NAME)
    assert not folder.belongs_to_another(NAME, source)
    put(folder, source)
    assert folder.is_done(NAME, "hash", OPTIONS)


def test_a_file_that_this_command_did_not_write_is_foreign(folder: ResultsFolder) -> None:
    folder.markdown(NAME).parent.mkdir(parents=True)
    assert not folder.has_foreign_files(NAME)
    folder.markdown(NAME).write_text("mine")
    assert folder.has_foreign_files(NAME)


def test_a_document_that_was_moved_is_still_the_same(folder: ResultsFolder, source: Source, tmp_path: Path) -> None:
    with folder.held(), folder.stage() as stage:
        folder.put(NAME, fill(stage), new_record(source, source.sha256(), OPTIONS, "id", ()))
    assert source.path is not None
    moved = Source(source.path.rename(tmp_path / "moved.pdf"), PurePath("moved.pdf"))
    assert not folder.belongs_to_another(NAME, moved)
    assert moved.path is not None
    moved.path.write_bytes(b"other")
    assert folder.belongs_to_another(NAME, moved)


def test_the_results_of_earlier_runs_are_known_among_the_documents(folder: ResultsFolder, source: Source) -> None:
    put(folder, source, picture=True)
    (folder.path / "mine.files").mkdir()
    assert folder.is_own(folder.files(NAME))
    assert not folder.is_own(folder.path / "mine.files")
    assert not folder.is_own(folder.path.parent)


def test_a_folder_has_one_writer_at_a_time_and_is_tidied_up(folder: ResultsFolder) -> None:
    (folder.path / ".ocr-service" / "unfinished" / "left").mkdir(parents=True)
    with folder.held():
        assert not (folder.path / ".ocr-service" / "unfinished").exists()
        with pytest.raises(UsageError, match="Another ocr-service writes to"), ResultsFolder(folder.path).held():
            pass
    with folder.held():
        pass


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"), ResultsFolder(tmp_path / "file" / "out").held():
        pass
