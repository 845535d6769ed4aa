"""PaddleX's PaddleOCR-VL pipeline in a process of its own: `python -m bench.paddle_vl_process URL FOLDER one|each`.

The folder holds pages as pictures, and beside each what is to be asked about there (`00001.jpg`, `00001.json`: a list of
`{label, box}`). `one`: all pages in one call, as one document; `each`: a call for each page, one after the other, which is how PaddleX's
own server treats its requests (`PADDLE_PDX_SERVING_SERIAL_PIPELINE_CALLS` is on by default). Prints `{"seconds", "answers"}`: the time of
the calls, without imports and loading.

The weights of its layout model are in no package, so a stand-in answers at once with the boxes that the folder names: PaddleX gets
for nothing what takes its model a second a page on a CPU. Everything after it is PaddleX's own: cutting, encoding, batches, the client.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_LABELS = {"table": "table", "formula": "display_formula", "chart": "chart", "seal": "seal"}


class GivenLayout:
    """In the place of PaddleX's layout model: the boxes of one page after the other."""

    batch_sampler = SimpleNamespace(batch_size=8)

    def __init__(self, pages: Iterable[list[dict[str, Any]]]) -> None:
        self._pages = iter(pages)

    def __call__(self, images: list[object], **_options: object) -> Iterator[dict[str, Any]]:
        for _ in images:
            boxes = [
                {"cls_id": 0, "label": _LABELS.get(found["label"], "text"), "score": 1.0, "coordinate": found["box"]}
                for found in next(self._pages)
            ]
            yield {"input_path": None, "page_index": None, "boxes": boxes}


def main() -> None:
    # The libraries print; what they print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    from paddleocr import PaddleOCRVL

    url, folder, way = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    pipeline = PaddleOCRVL(
        pipeline_version="v1.5",
        vl_rec_backend="vllm-server",
        vl_rec_server_url=url,
        use_layout_detection=False,
        use_chart_recognition=True,
        use_seal_recognition=True,
        # Blocks that PaddleX joins are one question there and two here: the same questions for both.
        merge_layout_blocks=False,
        device="cpu",
    )
    inner = pipeline.paddlex_pipeline._pipeline  # noqa: SLF001  there is no other way to give it another layout model
    pictures = sorted(str(path) for path in folder.glob("*.jpg"))
    inner.layout_det_model = GivenLayout(json.loads(Path(picture).with_suffix(".json").read_bytes()) for picture in pictures)
    inner.use_layout_detection = True
    began = time.perf_counter()
    calls = [pictures] if way == "one" else [[picture] for picture in pictures]
    found = [page for call in calls for page in pipeline.predict(call, layout_shape_mode="rect")]
    seconds = time.perf_counter() - began
    told = sum(bool(block.content) for result in found for block in result["parsing_res_list"])
    print(json.dumps({"seconds": seconds, "answers": told}), file=answers, flush=True)


if __name__ == "__main__":
    main()
