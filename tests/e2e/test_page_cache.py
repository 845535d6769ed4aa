"""A document that comes again costs what has changed of it: the real engine, the real folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest

from tests.e2e.running import RunningServer, running

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FORM = {"lang": "en", "outputs": "searchable_pdf,page_images"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("cache")
    with running("server_vllm.py", folder, OCR_PAGE_CACHE_MB="64", OCR_WORKERS="1", OCR_LOG_LEVEL="warning") as server:
        yield server


def pdf(*texts: str) -> bytes:
    """Each page has a text and, so that there is something to cut out, a photograph."""
    document = pymupdf.open()
    noise = pymupdf.Pixmap(pymupdf.csRGB, 64, 64, bytes(value * 7 % 256 for value in range(64 * 64 * 3)), 0)
    for text in texts:
        page = document.new_page()
        page.insert_textbox((72, 72, 520, 200), f"{text}. The parties agree that the work is done and paid for in full.", fontsize=12)
        page.insert_image((100, 250, 400, 550), pixmap=noise)
    return bytes(document.tobytes())


def pages_of(server: RunningServer, content: bytes) -> tuple[str, list[dict[str, object]]]:
    answer = server.post(content, data=FORM)
    assert answer.status_code == 200, answer.text
    return answer.json()["document_id"], answer.json()["pages"]


def looks(server: RunningServer, outcome: str) -> float:
    return server.metric(f'ocr_page_cache_looks_total{{outcome="{outcome}"}}')


def test_a_document_sent_again_with_one_changed_page_costs_one_page(server: RunningServer) -> None:
    before = pdf("First act", "Second act", "Third act")
    _, read = pages_of(server, before)
    assert [page["cached"] for page in read] == [False] * 3
    assert (looks(server, "hit"), looks(server, "miss")) == (0, 3)
    document_id, again = pages_of(server, pdf("A cover", "First act", "Second act", "Third act"))
    assert [page["cached"] for page in again] == [False, True, True, True]
    assert (looks(server, "hit"), looks(server, "miss")) == (3, 4)
    assert server.metric("ocr_page_cache_bytes") > 0
    for was, now in zip(read, again[1:], strict=True):
        number = was["page"]
        assert isinstance(number, int)
        moved = json.loads(json.dumps(was).replace(f"p{number:04d}", f"p{number + 1:04d}"))
        same = moved.keys() - {"page", "timings", "cached"}
        assert {name: now[name] for name in same} == {name: moved[name] for name in same}
        assert len(was["images"]) == 2  # type: ignore[arg-type]
        for name in now["images"]:  # type: ignore[attr-defined]
            assert server.client.get(f"/ocr/documents/{document_id}/files/images/{name}").content
    searchable = pymupdf.open(stream=server.client.get(f"/ocr/documents/{document_id}/files/searchable.pdf").content)
    assert ["act" in page.get_text() for page in searchable] == [False, True, True, True]


def test_other_options_are_another_page(server: RunningServer) -> None:
    content = pdf("Options")
    pages_of(server, content)
    assert server.post(content, data=FORM | {"dpi": "150"}).json()["pages"][0]["cached"] is False
    assert server.post(content, data=FORM | {"pages": "1"}).json()["pages"][0]["cached"] is True


def test_damaged_pages_and_a_folder_that_is_gone_cost_nothing(server: RunningServer) -> None:
    content = pdf("Damaged")
    pages_of(server, content)
    cache: Path = server.output_dir / ".page-cache"
    for path in cache.glob("*/*"):
        path.write_bytes(path.read_bytes()[:-5] + b"wrong")
    _, again = pages_of(server, content)
    assert (again[0]["cached"], again[0]["status"]) == (False, "ok")
    _, healed = pages_of(server, content)
    assert healed[0]["cached"] is True
    # What is kept is served to nobody.
    name = next(cache.glob("*/*")).relative_to(server.output_dir)
    assert server.client.get(f"/ocr/documents/.page-cache/files/{name.parent.name}/{name.name}").status_code == 404
