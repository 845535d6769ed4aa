"""A document's folder: what is in it, what is never in it, and who may read what."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocr_service.domain.documents import (
    DocumentOptions,
    DocumentResult,
    DocumentStatus,
    MediaType,
    OutputKind,
    PageResult,
    Picture,
    SourceFile,
)
from ocr_service.domain.errors import DocumentNotFound, StorageFailed
from ocr_service.domain.geometry import BBox
from ocr_service.domain.ports import DocumentFolder, DocumentStore
from ocr_service.outputs.atomic import whole_file
from ocr_service.outputs.page_json import encode_page
from ocr_service.storage.local import LocalFolder, LocalStore, new_document_id
from tests.unit.outputs.blocks import block, failed_page, page, picture, table


def _upload(folder: Path, media_type: MediaType = MediaType.PDF) -> SourceFile:
    path = folder / "upload.tmp"
    path.write_bytes(b"%PDF-1.7 ...")
    return SourceFile(path, media_type, "../../Договор.pdf", "0" * 64, 12, password="тайна")


def _result(folder: LocalFolder, source: SourceFile, *, pages: int = 1, outputs: frozenset[OutputKind] = frozenset()) -> DocumentResult:
    return DocumentResult(
        document_id=folder.document_id,
        source=source,
        options=DocumentOptions(outputs=outputs),
        status=DocumentStatus.COMPLETE,
        page_count=pages,
        pages=tuple(range(1, pages + 1)),
        failed_pages=(),
        engine="fake",
    )


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _with_picture(number: int, name: str) -> PageResult:
    return page(number, picture(name), pictures=(Picture(name, MediaType.PNG, b"\x89PNG"),))


async def _finished(store: LocalStore, source: SourceFile) -> LocalFolder:
    folder = await store.create(source)
    await folder.write_page(_with_picture(1, "p0001-b01.png"))
    await folder.finish(_result(folder, source))
    return folder


def test_the_store_is_what_the_pipeline_needs(tmp_path: Path) -> None:
    store: DocumentStore = LocalStore(tmp_path)
    folder: DocumentFolder = asyncio.run(store.create(_upload(tmp_path)))
    assert folder.path == tmp_path / folder.document_id


async def _all_outputs(tmp_path: Path) -> tuple[LocalFolder, DocumentResult]:
    source = _upload(tmp_path)
    folder = await LocalStore(tmp_path / "out").create(source)
    await folder.write_page(page(2, table("а|б"), block("Итого.")))
    await folder.write_page(_with_picture(1, "p0001-b01.png"))
    (folder.path / "searchable.pdf").write_bytes(b"%PDF")
    return folder, await folder.finish(_result(folder, source, pages=2, outputs=frozenset(OutputKind)))


def test_a_finished_document_has_all_its_files_and_names_them(tmp_path: Path) -> None:
    folder, result = asyncio.run(_all_outputs(tmp_path))
    assert _files(folder.path) == [
        ".order",
        "document.md",
        "images/p0001-b01.png",
        "pages/0001.json",
        "pages/0002.json",
        "result.json",
        "searchable.pdf",
        "source.pdf",
        "tables.xlsx",
        "tables/p0002-t1.csv",
    ]
    assert result.outputs == {
        "json": "result.json",
        "markdown": "document.md",
        "source": "source.pdf",
        "searchable_pdf": "searchable.pdf",
        "tables_xlsx": "tables.xlsx",
        "table_p0002-t1": "tables/p0002-t1.csv",
    }
    assert result.created_at is not None
    answer = json.loads((folder.path / "result.json").read_bytes())
    assert [each["page"] for each in answer["pages"]] == [1, 2]
    assert answer["markdown"] == (folder.path / "document.md").read_text("utf-8")
    assert answer["outputs"] == result.outputs
    assert not (tmp_path / "upload.tmp").exists()
    assert (folder.path / "source.pdf").read_bytes() == b"%PDF-1.7 ..."


def test_the_password_is_in_no_file(tmp_path: Path) -> None:
    folder, _ = asyncio.run(_all_outputs(tmp_path))
    assert not [name for name in _files(folder.path) if "тайна".encode() in (folder.path / name).read_bytes()]


def test_a_page_is_answered_with_the_bytes_of_its_file(tmp_path: Path) -> None:
    async def go() -> tuple[bytes, list[Path]]:
        folder = await LocalStore(tmp_path / "out").create(_upload(tmp_path), include_running=True)
        written = await folder.write_page(page(1, block("Текст.")))
        await folder.write_page(failed_page(10000))
        await folder.write_page(failed_page(9999))
        return written, list(folder.page_files())

    written, files = asyncio.run(go())
    assert [path.name for path in files] == ["0001.json", "9999.json", "10000.json"]
    assert files[0].read_bytes() == written == encode_page(page(1, block("Текст.")))


def test_ids_are_long_and_never_the_same() -> None:
    ids = {new_document_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(each) == 26 and each.isalnum() and each == each.lower() for each in ids)


def test_a_refused_document_leaves_nothing(tmp_path: Path) -> None:
    async def go() -> None:
        folder = await LocalStore(tmp_path / "out").create(_upload(tmp_path))
        await folder.write_page(_with_picture(1, "p0001-b01.png"))
        (folder.path / ".result.json.1234.tmp").write_bytes(b"half")
        await folder.discard()
        await folder.discard()

    asyncio.run(go())
    assert list((tmp_path / "out").iterdir()) == []


def test_an_output_folder_that_cannot_be_made_is_a_storage_failure_and_keeps_the_upload(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file is in the way")
    with pytest.raises(StorageFailed, match="OUTPUT_DIR"):
        asyncio.run(LocalStore(tmp_path / "out").create(_upload(tmp_path)))
    assert (tmp_path / "upload.tmp").exists()


def test_an_upload_on_another_file_system_is_copied(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    upload = other / f"ocr-service-test-{os.getpid()}"
    upload.write_bytes(b"%PDF")
    try:
        folder = asyncio.run(LocalStore(tmp_path).create(SourceFile(upload, MediaType.PDF, "a.pdf", "0" * 64, 4)))
        assert _files(folder.path) == ["source.pdf"]
        assert not upload.exists()
    finally:
        upload.unlink(missing_ok=True)


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", ".hidden.png", "a.html", "a/b.png", "a\x00.png", ""])
def test_a_picture_with_a_name_that_escapes_is_refused(tmp_path: Path, name: str) -> None:
    async def go() -> None:
        folder = await LocalStore(tmp_path / "out").create(_upload(tmp_path))
        await folder.write_page(_with_picture(1, name))

    with pytest.raises(StorageFailed):
        asyncio.run(go())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["source.pdf"]


def _write_then(action: str, target: Path) -> subprocess.CompletedProcess[bytes]:
    code = f"""
import os, signal, sys
from pathlib import Path
from ocr_service.outputs.atomic import whole_file
with whole_file(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    {action}
"""
    return subprocess.run([sys.executable, "-c", code, str(target)], check=False, capture_output=True)


def test_a_writer_that_is_killed_midway_leaves_no_file_under_the_final_name(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    target.write_bytes(b"whole")
    assert _write_then("os.kill(os.getpid(), signal.SIGKILL)", target).returncode == -signal.SIGKILL
    assert target.read_bytes() == b"whole"
    assert all(name == "result.json" or name.startswith(".result.json.") for name in _files(tmp_path))


def test_a_writer_that_raises_midway_leaves_nothing_of_its_own(tmp_path: Path) -> None:
    assert _write_then("raise OSError(28, 'No space left on device')", tmp_path / "result.json").returncode == 1
    assert _files(tmp_path) == []


def test_a_full_disk_is_a_storage_failure_that_says_what_to_do_and_names_no_path(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("/dev/full is not here")

    def write() -> None:
        with whole_file(tmp_path / "result.json") as temporary:
            temporary.write_bytes(b"half")
            full.write_bytes(b"the other half")

    with pytest.raises(StorageFailed, match="free space") as failure:
        write()
    assert str(tmp_path) not in failure.value.detail
    assert _files(tmp_path) == []


def test_a_write_that_the_system_cuts_off_leaves_no_half_file(tmp_path: Path) -> None:
    source = _upload(tmp_path)
    folder = asyncio.run(LocalStore(tmp_path / "out").create(source))
    asyncio.run(folder.write_page(page(1, block("Текст."))))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StorageFailed):
            asyncio.run(folder.write_page(page(2, *[block("Текст.")] * 50)))
        with pytest.raises(StorageFailed):
            asyncio.run(folder.finish(_result(folder, source)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert _files(folder.path) == [".order", "document.md", "pages/0001.json", "source.pdf"]


def test_of_what_is_not_finished_only_pages_and_their_pictures_are_served(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "out")
    folder = asyncio.run(store.create(_upload(tmp_path)))
    asyncio.run(folder.write_page(_with_picture(1, "p0001.jpg")))
    with pytest.raises(DocumentNotFound):
        store.find(folder.document_id)
    (folder.path / "document.md").write_text("half")
    for name in ("document.md", "source.pdf", "result.json", "images/p0002.jpg"):
        with pytest.raises(DocumentNotFound):
            store.file(folder.document_id, name)
    assert store.file(folder.document_id, "pages/0001.json").path == folder.path / "pages" / "0001.json"
    assert store.file(folder.document_id, "images/p0001.jpg").media_type == "image/jpeg"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("result.json", "application/json"),
        ("document.md", "text/markdown"),
        ("pages/0001.json", "application/json"),
        ("images/p0001-b01.png", "image/png"),
        ("source.pdf", "application/pdf"),
    ],
)
def test_files_of_a_finished_document_are_found(tmp_path: Path, name: str, media_type: str) -> None:
    store = LocalStore(tmp_path / "out")
    folder = asyncio.run(_finished(store, _upload(tmp_path)))
    stored = store.file(folder.document_id, name)
    assert (stored.name, stored.path, stored.media_type) == (name, folder.path / name, media_type)
    assert stored.size_bytes == (folder.path / name).stat().st_size
    assert store.find(folder.document_id) == folder.path


@pytest.fixture(scope="module")
def stored_document(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocalStore, LocalFolder]:
    root = tmp_path_factory.mktemp("store")
    store = LocalStore(root / "out")
    folder = asyncio.run(_finished(store, _upload(root)))
    (root / "secret.json").write_text("secret")
    (root / "out" / "secret.json").write_text("secret")
    (folder.path / ".result.json.12345678.tmp").write_text("half")
    (folder.path / "images" / ".p0001-b02.png.12345678.tmp").write_text("half")
    (folder.path / "images" / "p0001-b09.png").symlink_to(root / "secret.json")
    (folder.path / "tables").symlink_to(root / "out")
    (folder.path / "searchable.pdf").mkdir()
    return store, folder


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "/", "nothing.json", "pages", "pages/", "pages/0009.json", "../secret.json", "../../secret.json",
        "pages/../../secret.json", "pages/../result.json", "./result.json", "//result.json", "/etc/passwd",
        "result.json/", "result.json\x00",
        "images/..%2f..%2fsecret.json", "..\\secret.json", ".result.json.12345678.tmp", "images/.p0001-b02.png.12345678.tmp",
        "images/p0001-b09.png", "tables/secret.json", "tables/p0001-t1.csv", "searchable.pdf", "result.json\n", "RESULT.JSON", "x" * 5000,
    ],
)  # fmt: skip
def test_every_other_name_is_not_found(stored_document: tuple[LocalStore, LocalFolder], name: str) -> None:
    store, folder = stored_document
    with pytest.raises(DocumentNotFound):
        store.file(folder.document_id, name)


@given(st.text(alphabet="./\\ab\x00%2e0-~pages:", max_size=20))
@example("..")
@example("../out")
def test_no_made_up_id_or_name_reaches_a_file(stored_document: tuple[LocalStore, LocalFolder], text: str) -> None:
    store, folder = stored_document
    with pytest.raises(DocumentNotFound):
        store.find(text)
    with pytest.raises(DocumentNotFound):
        store.file(text, "result.json")
    with pytest.raises(DocumentNotFound):
        store.file(folder.document_id, text)


def test_a_folder_that_is_a_link_is_no_document(stored_document: tuple[LocalStore, LocalFolder], tmp_path: Path) -> None:
    _, folder = stored_document
    linked = tmp_path / new_document_id()
    linked.symlink_to(folder.path)
    with pytest.raises(DocumentNotFound):
        LocalStore(tmp_path).find(linked.name)


@pytest.mark.slow
def test_two_thousand_pages_are_finished_in_the_memory_of_a_few(tmp_path: Path) -> None:
    lines = [block(f"Строка {number}, длинная, как в настоящем договоре поставки, и без конца", id="x") for number in range(8)]
    # One table that runs over all pages, and one paragraph that ends nowhere.
    over_all = table("№|Товар|Цена", *(f"{row}|Чашка|10" for row in range(8)), header_rows=1, bbox=BBox(150, 150, 1500, 2200))
    source = _upload(tmp_path)
    folder = asyncio.run(LocalStore(tmp_path / "out").create(source))
    for number in range(1, 2001):
        result = page(number, over_all) if number > 1000 else page(number, *lines)
        (folder.path / "pages" / f"{number:04d}.json").write_bytes(encode_page(result))
    result_of_all = _result(folder, source, pages=2000, outputs=frozenset({OutputKind.TABLES}))
    finish = folder.finish(replace(result_of_all, timings={"total": 1.0}))
    tracemalloc.start()
    try:
        asyncio.run(finish)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    answer = json.loads((folder.path / "result.json").read_bytes())
    assert len(answer["pages"]) == 2000
    assert answer["markdown"].count("<table>") == 1
    assert answer["markdown"].count("<tr>") == 8 * 1000 + 1
    # The names of the page files take most of it; the pages themselves, held as values, would take 12 MB.
    assert peak < 3_000_000


def test_a_document_that_is_gone_on_with_has_nothing_half_written(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = LocalStore(tmp_path / "output")
        folder = await store.create(_upload(tmp_path))
        await folder.write_page(page(1))
        unfinished = [folder.path / "pages/.0002.json.0a1b2c3d.tmp", folder.path / "images/.p0002-b01.png.0a1b2c3d.tmp"]
        for path in unfinished:
            path.write_bytes(b"half")
        reopened = await store.reopen(folder.document_id)
        assert [path for path in unfinished if path.exists()] == []
        assert [kept.page async for kept in reopened.kept_pages()] == [1]

    asyncio.run(scenario())
