"""PaddleX's own server with its OCR pipeline, on the weights that the service uses: `paddlex --serve`, for as long as a benchmark lasts."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from bench.paddle_models import DETECTION, RECOGNITION, prepare
from bench.service import OUT, free_port, stop

_START_S = 180.0
_ENVIRONMENT = {"PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True"}


def request(picture: bytes) -> dict[str, Any]:
    """The body of POST /ocr for a picture: text only, nothing drawn."""
    off = ("useDocOrientationClassify", "useDocUnwarping", "useTextlineOrientation", "visualize")
    return {"file": base64.b64encode(picture).decode(), "fileType": 1, **dict.fromkeys(off, False)}


def text_of(answer: dict[str, Any]) -> str:
    """The lines that it read."""
    return "\n".join(answer["result"]["ocrResults"][0]["prunedResult"]["rec_texts"])


@contextmanager
def running() -> Iterator[str]:
    """The server's URL; it is ready. Its threads are those that it takes by default."""
    port = free_port()
    log_path = OUT / "paddle_serving.log"
    command = [
        sys.executable, "-m", "paddlex", "--serve", "--pipeline", str(_pipeline()), "--engine", "onnxruntime", "--device", "cpu",
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | _ENVIRONMENT, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, url, str(log_path))
        yield url
    finally:
        stop(process)


def _pipeline() -> str:
    """Its configuration, as PaddleOCR's own class writes it. In a process of its own: what it loads is not needed here."""
    path = OUT / "paddle_serving.yaml"
    folder = prepare()
    models = {
        "text_detection_model_name": DETECTION,
        "text_detection_model_dir": str(folder / DETECTION),
        "text_recognition_model_name": RECOGNITION,
        "text_recognition_model_dir": str(folder / RECOGNITION),
        **dict.fromkeys(("use_doc_orientation_classify", "use_doc_unwarping", "use_textline_orientation"), False),
        "engine": "onnxruntime",
        "device": "cpu",
    }
    make = f"PaddleOCR(**json.loads({json.dumps(models)!r}))"
    code = f"import json; from paddleocr import PaddleOCR; {make}.export_paddlex_config_to_yaml({str(path)!r})"
    subprocess.run([sys.executable, "-c", code], env=os.environ | _ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    return str(path)


def _wait(process: subprocess.Popen[bytes], url: str, log: str) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"PaddleX's server did not start; see {log}")
        try:
            if httpx.get(f"{url}/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
