"""The service as it is deployed: `server_vllm.py`, real workers, the embedded engine with its models, over real HTTP."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pymupdf
import pytest

from ocr_service.api import wire
from tests.e2e import samples
from tests.e2e.running import RunningServer, running, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running("server_vllm.py", tmp_path_factory.mktemp("server"), OCR_WORKERS="1") as server:
        yield server


def document(response: httpx.Response) -> wire.Document:
    assert response.status_code == 200, response.text
    return wire.Document.model_validate_json(response.content)


def test_a_born_digital_page_is_read_from_its_own_text_exactly(server: RunningServer) -> None:
    [page] = document(server.post(samples.born_digital())).pages
    assert page.text_layer == wire.TextLayer(used=True, reason="trusted")
    assert samples.HEADING in page.markdown
    assert samples.SENTENCE in " ".join(page.markdown.split())
    assert {block.source for block in page.blocks} == {"text_layer"}


def test_a_heading_is_a_heading_in_the_markdown(server: RunningServer) -> None:
    markdown = server.post(samples.born_digital(), headers={"Accept": "text/markdown"}).text
    assert f"# {samples.HEADING}" in markdown


def test_a_scan_in_russian_and_english_is_read_by_ocr(server: RunningServer) -> None:
    [page] = document(server.post(samples.scan(), name="scan.png")).pages
    assert page.text_layer is not None
    assert not page.text_layer.used
    text = " ".join(page.markdown.split())
    assert "Поставщик обязуется передать товар" in text
    assert "The supplier delivers the goods" in text


def test_a_scanned_pdf_becomes_searchable_and_keeps_its_picture(server: RunningServer) -> None:
    answer = document(server.post(samples.scanned_pdf(), data={"outputs": "searchable_pdf"}))
    searchable = server.client.get(answer.urls["searchable_pdf"])
    assert searchable.headers["content-type"] == "application/pdf"
    assert "Поставщик" in samples.text_of(searchable.content)
    assert samples.text_of(server.client.get(answer.urls["source"]).content).strip() == ""


def test_a_text_layer_can_be_ignored(server: RunningServer) -> None:
    [page] = document(server.post(samples.born_digital(), data={"text_layer": "ignore"})).pages
    assert page.text_layer is not None
    assert not page.text_layer.used
    assert "Поставщик" in page.markdown


@pytest.mark.parametrize("content", [samples.born_digital(), samples.scan()], ids=["born-digital", "scan"])
def test_a_picture_of_the_whole_page_comes_where_it_is_asked_for(server: RunningServer, content: bytes) -> None:
    answer = server.post(content, data={"outputs": "page_images"}).json()
    [page] = answer["pages"]
    assert (page["image"], page["images"]) == ("p0001.jpg", ["p0001.jpg"])
    picture = server.client.get(f"/ocr/documents/{answer['document_id']}/files/images/p0001.jpg")
    assert picture.headers["content-type"] == "image/jpeg"
    with pymupdf.open(stream=picture.content) as shown:
        width, height = shown[0].get_pixmap(dpi=72).width, shown[0].get_pixmap(dpi=72).height
    assert width / height == pytest.approx(page["width"] / page["height"], rel=0.01)
    [without] = server.post(content).json()["pages"]
    assert (without["image"], without["images"]) == (None, [])
    assert "image" not in without["timings"]


def test_only_the_asked_pages_are_read(server: RunningServer) -> None:
    answer = document(server.post(samples.born_digital(5), data={"pages": "4,2"}))
    assert answer.page_count == 5
    assert [page.page for page in answer.pages] == [2, 4]
    assert "номер 4" in answer.pages[1].markdown


def test_a_page_that_does_not_exist_is_refused(server: RunningServer) -> None:
    response = server.post(samples.born_digital(), data={"pages": "2"})
    assert (response.status_code, response.json()["field"]) == (422, "pages")


def test_an_encrypted_pdf_opens_with_its_password_only(server: RunningServer) -> None:
    locked = samples.born_digital(password="пароль")
    assert server.post(locked).json()["code"] == "password_required"
    assert server.post(locked, data={"password": "wrong"}).json()["code"] == "password_required"
    assert "Поставщик" in document(server.post(locked, data={"password": "пароль"})).markdown
    assert "пароль" not in str(server.log())


def test_a_damaged_file_is_refused_and_the_service_stays_healthy(server: RunningServer) -> None:
    response = server.post(b"%PDF-1.7\n" + bytes(1000))
    assert (response.status_code, response.json()["code"]) == (422, "document_unreadable")
    assert server.client.get("/health").json()["status"] == "healthy"


def test_killing_every_worker_in_the_middle_of_a_document_costs_no_page(server: RunningServer) -> None:
    answers: list[wire.Document] = []
    reading = threading.Thread(target=lambda: answers.append(document(server.post(samples.born_digital(30)))))
    reading.start()
    wait_until(lambda: any(folder.joinpath("pages/0003.json").exists() for folder in server.folders()), "the third page")
    children = [int(pid) for pid in _children_of(server.process.pid)]
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    reading.join()
    assert children
    assert (answers[0].status, len(answers[0].pages)) == ("complete", 30)


def _children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
