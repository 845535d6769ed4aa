"""A document through the real service and real vLLM: with the model that reads, and with the same one gone mad."""

from __future__ import annotations

import io
import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image, features

from ocr_service.api import wire
from tests.e2e import samples
from tests.e2e.running import RunningServer, running
from tests.vlm_server.real import API_KEY, Server
from tests.vlm_server.tiny.lines import DPI, draw

pytestmark = [
    pytest.mark.skipif(os.environ.get("OCR_TEST_VLLM") != "1", reason="real vLLM is tested with OCR_TEST_VLLM=1 (needs 2.5 GB)"),
    pytest.mark.timeout(900),
    pytest.mark.e2e,
]
A4 = (1654, 2339)  # pixels at DPI
LINES = ("Поставщик", "Дата", "15.03.2024", "Условия", "People", "43210", "Оплата", "System")


def page_of(lines: tuple[str, ...]) -> bytes:
    """A scanned page, a PNG: lines that stand too far apart to be one paragraph."""
    page = Image.new("L", A4, 255)
    for number, text in enumerate(lines):
        page.paste(draw(text, random.Random(0)).image, (200, 200 + 250 * number))
    out = io.BytesIO()
    page.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


@contextmanager
def service_with(vllm: Server, folder: Path) -> Iterator[RunningServer]:
    settings = {
        "OCR_WORKERS": "1", "USE_VLM_API": "true", "VLM_POLICY": "all", "VLLM_URL": f"{vllm.url}/v1/markdown", "VLM_API_KEY": API_KEY,
        "VLM_CONCURRENCY": "4", "VLM_PAGE_TIMEOUT_S": "600",
    }  # fmt: skip
    with running("server_vllm.py", folder, **settings) as service:
        yield service


def read(service: RunningServer, scan: bytes, *, use_vlm: bool) -> wire.Document:
    answer = service.post(scan, name="scan.png", data={"use_vlm": str(use_vlm).lower()}, timeout=600)
    return wire.Document.model_validate_json(answer.raise_for_status().content)


def test_what_random_weights_say_is_rejected_and_the_document_is_the_one_without_a_vlm(mad: Server, tmp_path: Path) -> None:
    with service_with(mad, tmp_path) as service:
        without, refined = (read(service, samples.scan(), use_vlm=use_vlm) for use_vlm in (False, True))

    assert "Поставщик обязуется передать товар" in " ".join(refined.markdown.split())
    assert refined.markdown == without.markdown
    assert (refined.status, refined.warnings) == ("complete", without.warnings)
    blocks = refined.pages[0].blocks
    assert [(block.content, block.source) for block in blocks] == [(block.content, block.source) for block in without.pages[0].blocks]
    assert {block.source for block in blocks} == {"ocr"}
    assert {block.refinement.status for block in blocks} == {"rejected"}
    assert all(block.refinement.reason and block.refinement.attempts for block in blocks)


@pytest.mark.skipif(not features.check("freetype2"), reason="Pillow without FreeType draws no text")
def test_what_the_model_reads_right_is_accepted_and_the_words_of_the_page_are_right(vllm: Server, tmp_path: Path) -> None:
    with service_with(vllm, tmp_path) as service:
        document = read(service, page_of(LINES), use_vlm=True)

    blocks = document.pages[0].blocks
    assert words(" ".join(block.content for block in blocks)) == words(" ".join(LINES))
    assert (document.status, document.warnings) == ("complete", [])
    assert {block.refinement.status for block in blocks} <= {"accepted", "rejected"}, "every block was asked about and answered"
    accepted = [block for block in blocks if block.refinement.status == "accepted"]
    assert {"Поставщик", "15.03.2024", "System"} <= {block.content for block in accepted}, "Cyrillic, digits, Latin"
    assert len(accepted) >= len(LINES) // 2
    assert {block.source for block in accepted} == {"vlm"}
