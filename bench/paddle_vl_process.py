"""PaddleX's client of a VLM server, in a process of its own: `python -m bench.paddle_vl_process URL FOLDER`.

Asks about every picture of the folder in one call, and prints `{"seconds", "answers"}`: the time of the call, without imports and loading.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    # The libraries print; what they print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    from paddleocr import PaddleOCRVL

    url, folder = sys.argv[1], Path(sys.argv[2])
    pipeline = PaddleOCRVL(
        pipeline_version="v1.5", vl_rec_backend="vllm-server", vl_rec_server_url=url, use_layout_detection=False, device="cpu"
    )
    pictures = sorted(str(path) for path in folder.iterdir())
    began = time.perf_counter()
    found = list(pipeline.predict(pictures, prompt_label="ocr"))
    seconds = time.perf_counter() - began
    told = sum(bool(block.content) for result in found for block in result["parsing_res_list"])
    print(json.dumps({"seconds": seconds, "answers": told}), file=answers, flush=True)


if __name__ == "__main__":
    main()
