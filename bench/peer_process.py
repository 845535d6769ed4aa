"""A peer engine in a process of its own: `python -m bench.peer_process ENGINE THREADS` (0: the engine's own default).

Reads lines of JSON `{"pdf", "pages", "dpi"}` on standard input; after a warm-up line it answers each with `{"cpu_s", "texts"}`, where
CPU seconds are those of this process with all its threads, and texts are one a page.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ReadPages = Callable[[str, Sequence[int], int], list[str]]


def pymupdf4llm_rapidocr(threads: int) -> ReadPages:
    """Pymupdf4llm as it picks its OCR by itself when RapidOCR is installed; only the number of threads is set, where one is asked for."""
    import pymupdf4llm
    from pymupdf4llm.ocr import rapidocr_391_backend as backend
    from rapidocr import RapidOCR

    if threads:
        limits = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": threads for kind in ("intra", "inter")}
        backend.ENGINE = RapidOCR(params=limits)
    return _markdown_of(pymupdf4llm, {"header": True, "footer": True})


def pymupdf4llm_tesseract(_threads: int) -> ReadPages:
    """As in the harness's baseline: Tesseract rus+eng. Its threads are set by OMP_THREAD_LIMIT."""
    import pymupdf4llm
    from pymupdf4llm.ocr import tesseract_api

    options = {"ocr_language": "rus+eng", "ocr_function": tesseract_api.exec_ocr, "header": False, "footer": False}
    return _markdown_of(pymupdf4llm, options)


def _markdown_of(pymupdf4llm: Any, options: dict[str, Any]) -> ReadPages:  # noqa: ANN401  a module without types
    import pymupdf

    def read(pdf: str, pages: Sequence[int], dpi: int) -> list[str]:
        with pymupdf.open(pdf) as document:
            return [str(pymupdf4llm.to_markdown(document, pages=[page], ocr_dpi=dpi, **options)) for page in pages]

    return read


def paddleocr(threads: int) -> ReadPages:
    """PaddleOCR's OCR pipeline at its own defaults, with the weights of the rapidocr wheel, on ONNX Runtime; lines only, no layout."""
    import numpy as np
    import pymupdf
    from paddleocr import PaddleOCR

    from bench.paddle_models import DETECTION, RECOGNITION, prepare

    folder = prepare()
    pipeline = PaddleOCR(
        text_detection_model_name=DETECTION,
        text_detection_model_dir=str(folder / DETECTION),
        text_recognition_model_name=RECOGNITION,
        text_recognition_model_dir=str(folder / RECOGNITION),
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
        engine="onnxruntime",
        engine_config={"intra_op_num_threads": threads, "inter_op_num_threads": threads} if threads else None,
        device="cpu",
    )

    def read(pdf: str, pages: Sequence[int], dpi: int) -> list[str]:
        texts = []
        with pymupdf.open(pdf) as document:
            for page in pages:
                pixels = document[page].get_pixmap(dpi=dpi, colorspace=pymupdf.csRGB, alpha=False)
                picture = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, 3)[:, :, ::-1]
                result = pipeline.predict(np.ascontiguousarray(picture))[0]
                texts.append("\n".join(result["rec_texts"]))
        return texts

    return read


ENGINES: dict[str, Callable[[int], ReadPages]] = {
    "pymupdf4llm+rapidocr": pymupdf4llm_rapidocr,
    "pymupdf4llm+tesseract": pymupdf4llm_tesseract,
    "paddleocr": paddleocr,
}


def main() -> None:
    # The libraries print; what they print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # PaddleX asks model hubs whether they are there when it is imported; all weights are local.
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    if threads := int(sys.argv[2]):
        os.environ |= {"OMP_NUM_THREADS": str(threads), "OMP_THREAD_LIMIT": str(threads)}
        import cv2

        cv2.setNumThreads(threads)
    if not os.environ.get("TESSDATA_PREFIX"):
        folders = sorted(Path("/usr/share/tesseract-ocr").glob("*/tessdata"))
        os.environ["TESSDATA_PREFIX"] = str(folders[-1]) if folders else ""
    read = ENGINES[sys.argv[1]](threads)
    for line in sys.stdin:
        job = json.loads(line)
        before = _cpu_seconds()
        texts = read(job["pdf"], job["pages"], job["dpi"])
        print(json.dumps({"cpu_s": _cpu_seconds() - before, "texts": texts}, ensure_ascii=False), file=answers, flush=True)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
