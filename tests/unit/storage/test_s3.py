"""Results in S3, against a real S3 server: what arrives, in which order, and what happens when it does not."""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from ocr_service.domain.documents import DocumentResult, MediaType, Picture, RemoteCopy, RemoteStatus
from ocr_service.domain.ports import DocumentFolder, DocumentStore
from ocr_service.storage.local import LocalStore
from ocr_service.storage.outbox import Outbox
from ocr_service.storage.s3_bucket import S3Bucket, S3Config, S3Failed
from ocr_service.storage.s3_store import S3Store
from ocr_service.storage.s3_upload import NOT_UPLOADED
from tests.fakes.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, FaultyProxy, rclone_s3
from tests.unit.outputs.blocks import page, picture
from tests.unit.storage.test_local import _result, _upload

T = TypeVar("T")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    root = tmp_path_factory.mktemp("s3") / "root"
    with rclone_s3(root) as port:
        yield port, root / BUCKET


@pytest.fixture
def proxy(server: tuple[int, Path]) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(server[0])
    yield proxy
    proxy.close()


def config_of(port: int, **changes: object) -> S3Config:
    config = S3Config(f"http://127.0.0.1:{port}", BUCKET, ACCESS_KEY, SECRET_KEY, "ru-central-1", prefix="ocr/")
    return replace(config, **changes)  # type: ignore[arg-type]


def store_of(tmp_path: Path, config: S3Config, *, wait_s: float = 60.0) -> S3Store:
    return S3Store(LocalStore(tmp_path), S3Bucket(config), tmp_path, wait_s=wait_s, retry_s=0.05)


def run(tmp_path: Path, config: S3Config, action: Callable[[S3Store], Awaitable[T]], *, wait_s: float = 60.0) -> T:
    async def whole() -> T:
        store = store_of(tmp_path, config, wait_s=wait_s)
        try:
            return await action(store)
        finally:
            await store.aclose()

    return asyncio.run(whole())


async def finish_one(store: S3Store, tmp_path: Path) -> DocumentResult:
    source = _upload(tmp_path)
    folder = await store.create(source)
    shown = page(1, picture("p0001-b01.png"), pictures=(Picture("p0001-b01.png", MediaType.PNG, b"\x89PNG"),))
    await folder.write_page(shown)
    return await folder.finish(_result(folder, source))  # type: ignore[arg-type]


def remote(result: DocumentResult) -> RemoteCopy:
    assert result.remote is not None
    return result.remote


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  another process is waited for
            await asyncio.sleep(0.01)


def test_the_store_is_what_the_pipeline_needs(tmp_path: Path, server: tuple[int, Path]) -> None:
    async def create(store: S3Store) -> None:
        port: DocumentStore = store
        folder: DocumentFolder = await port.create(_upload(tmp_path))
        assert folder.path == tmp_path / folder.document_id

    run(tmp_path, config_of(server[0]), create)


def test_a_finished_document_lies_in_the_bucket_whole_and_says_so(tmp_path: Path, server: tuple[int, Path]) -> None:
    port, bucket = server
    result = run(tmp_path, config_of(port), lambda store: finish_one(store, tmp_path))
    there = bucket / "ocr" / result.document_id
    assert names(there) == ["document.md", "images/p0001-b01.png", "pages/0001.json", "result.json", "source.pdf"]
    assert all((there / name).read_bytes() == (tmp_path / result.document_id / name).read_bytes() for name in names(there))
    assert remote(result).status is RemoteStatus.UPLOADED
    assert remote(result).location == f"s3://{BUCKET}/ocr/{result.document_id}/"
    assert remote(result).urls["markdown"] == f"http://127.0.0.1:{port}/{BUCKET}/ocr/{result.document_id}/document.md"
    assert result.warnings == ()
    stored = json.loads((there / "result.json").read_bytes())
    assert stored["s3"] == {"status": "uploaded", "location": remote(result).location, "urls": remote(result).urls}
    assert (stored["warnings"], len(stored["pages"])) == ([], 1)
    assert Outbox(tmp_path).waiting() == []


def test_presigned_links_open_without_keys_and_use_the_public_endpoint(
    tmp_path: Path, server: tuple[int, Path], proxy: FaultyProxy
) -> None:
    config = config_of(server[0], link_s=600, public_endpoint=f"http://127.0.0.1:{proxy.port}")
    result = run(tmp_path, config, lambda store: finish_one(store, tmp_path))
    link = remote(result).urls["json"]
    assert link.startswith(f"http://127.0.0.1:{proxy.port}/")
    assert SECRET_KEY not in link
    with urllib.request.urlopen(link) as answer:
        assert json.loads(answer.read())["document_id"] == result.document_id


def test_plain_links_of_both_styles(server: tuple[int, Path]) -> None:
    assert (
        S3Bucket(config_of(1, endpoint="https://user:pw@s3.example.org")).link("a/б.md") == f"https://s3.example.org/{BUCKET}/a/%D0%B1.md"
    )
    hosted = S3Bucket(config_of(1, endpoint="https://s3.example.org", path_style=False))
    assert hosted.link("a/b.md") == f"https://{BUCKET}.s3.example.org/a/b.md"


def test_a_file_above_the_size_of_a_part_arrives_whole(tmp_path: Path, server: tuple[int, Path]) -> None:
    port, bucket = server
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(range(256)) * (70 * 1024))  # 17.5 MiB: two parts
    S3Bucket(config_of(port)).put(big, "ocr/big.bin", "application/octet-stream")
    assert (bucket / "ocr/big.bin").read_bytes() == big.read_bytes()


def test_wrong_keys_cost_no_document_and_show_nowhere(tmp_path: Path, server: tuple[int, Path], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wrong = config_of(server[0], secret_key="wrong-" + SECRET_KEY)
    result, works = run(tmp_path, wrong, lambda store: _with_state(store, tmp_path))
    assert (remote(result).status, remote(result).urls, result.warnings) == (RemoteStatus.PENDING, {}, (NOT_UPLOADED,))
    assert not works
    folder = tmp_path / result.document_id
    assert json.loads((folder / "result.json").read_bytes())["s3"]["status"] == "pending"
    assert [path.name for path in Outbox(tmp_path).waiting()] == [result.document_id]
    assert [name for name in names(folder) if name.startswith(".")] == [".order"]
    told = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "SignatureDoesNotMatch" in told
    everything = told + "".join((folder / name).read_text(errors="replace") for name in names(folder)) + repr(result)
    assert SECRET_KEY not in everything
    assert ACCESS_KEY not in everything


async def _with_state(store: S3Store, tmp_path: Path) -> tuple[DocumentResult, bool]:
    return await finish_one(store, tmp_path), store.works


@pytest.mark.parametrize("fault", ["unavailable", "cut"])
def test_what_s3_did_not_take_is_uploaded_later_by_a_service_that_was_restarted(
    tmp_path: Path, server: tuple[int, Path], proxy: FaultyProxy, fault: str
) -> None:
    proxy.fault = fault  # type: ignore[assignment]
    config = config_of(proxy.port)
    result = run(tmp_path, config, lambda store: finish_one(store, tmp_path))
    assert remote(result).status is RemoteStatus.PENDING
    there = server[1] / "ocr" / result.document_id
    assert not (there / "result.json").exists()

    async def restarted(store: S3Store) -> bool:
        running = asyncio.create_task(store.run())
        await until(lambda: not store.works)
        proxy.fault = "none"
        await until(lambda: Outbox(tmp_path).waiting() == [] and store.works)
        running.cancel()
        return store.works

    assert run(tmp_path, config, restarted)
    assert json.loads((there / "result.json").read_bytes())["s3"]["status"] == "uploaded"
    stored = json.loads((tmp_path / result.document_id / "result.json").read_bytes())
    assert (stored["s3"]["status"], stored["warnings"]) == ("uploaded", [])


def test_a_connection_that_is_cut_once_is_tried_again_at_once(tmp_path: Path, server: tuple[int, Path], proxy: FaultyProxy) -> None:
    proxy.cuts = 1
    result = run(tmp_path, config_of(proxy.port), lambda store: finish_one(store, tmp_path))
    assert remote(result).status is RemoteStatus.UPLOADED


def test_an_answer_waits_for_a_slow_s3_only_so_long(tmp_path: Path) -> None:
    async def whole() -> DocumentResult:
        async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await gone.wait()
            writer.close()

        gone = asyncio.Event()
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        store = store_of(tmp_path, config_of(server.sockets[0].getsockname()[1]), wait_s=0.1)
        try:
            return await finish_one(store, tmp_path)
        finally:
            server.close()
            gone.set()
            await store.aclose()

    result = asyncio.run(whole())
    assert remote(result).status is RemoteStatus.PENDING
    assert [path.name for path in Outbox(tmp_path).waiting()] == [result.document_id]


def test_pages_go_to_s3_while_others_are_still_read_and_are_taken_back_with_the_document(tmp_path: Path, server: tuple[int, Path]) -> None:
    port, bucket = server

    async def read_and_discard(store: S3Store) -> None:
        folder = await store.create(_upload(tmp_path))
        await folder.write_page(page(1))
        uploaded = bucket / "ocr" / folder.document_id / "pages/0001.json"
        await until(uploaded.is_file)
        await folder.discard()
        await until(lambda: not uploaded.exists())

    run(tmp_path, config_of(port), read_and_discard)


def test_the_result_is_the_last_file_that_is_sent(tmp_path: Path, server: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    put = S3Bucket.put

    def recorded(self: S3Bucket, path: Path, key: str, media_type: str) -> None:
        put(self, path, key, media_type)
        sent.append(key.rpartition("/")[2])

    monkeypatch.setattr(S3Bucket, "put", recorded)
    run(tmp_path, config_of(server[0]), lambda store: finish_one(store, tmp_path))
    assert sent[-1] == "result.json"
    assert sorted(sent) == ["0001.json", "document.md", "p0001-b01.png", "result.json", "source.pdf"]


def test_a_bucket_that_is_not_there_is_told_by_its_code(tmp_path: Path, server: tuple[int, Path]) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a")
    with pytest.raises(S3Failed, match=r"^NoSuchBucket$"):
        S3Bucket(config_of(server[0], bucket="no-such-bucket")).put(file, "a.txt", "text/plain")


def test_marks_without_a_document_are_kept_while_it_may_still_be_finished(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.add("unfinished")
    assert outbox.waiting() == []
    assert (tmp_path / ".outbox" / "unfinished").exists()
