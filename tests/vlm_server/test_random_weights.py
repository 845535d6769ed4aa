"""Real vLLM with random weights: it writes without end and means nothing."""

from __future__ import annotations

import base64
import io
import os
import random

import pytest
from PIL import features

from tests.vlm_server.real import Server, until
from tests.vlm_server.tiny.lines import draw

pytestmark = [
    pytest.mark.skipif(os.environ.get("OCR_TEST_VLLM") != "1", reason="real vLLM is tested with OCR_TEST_VLLM=1 (needs 2.5 GB)"),
    pytest.mark.timeout(900),
    pytest.mark.e2e,
]


@pytest.mark.skipif(not features.check("freetype2"), reason="Pillow without FreeType draws no text")
def test_a_loop_ends_with_repetition_and_leaves_the_engine_idle(mad: Server) -> None:
    out = io.BytesIO()
    draw("Seconds", random.Random(1)).image.save(out, "PNG")
    asked = {"image": base64.b64encode(out.getvalue()).decode(), "repetition_penalty": 1.0, "raw": True}

    answer = mad.http.post("/v1/markdown", json=asked).json()

    assert answer["finish_reason"] == "repetition"
    assert answer["raw"].startswith(answer["markdown"])
    assert len(answer["markdown"]) < len(answer["raw"])
    until(lambda: mad.running() == 0, 30, "the end of the generation")
