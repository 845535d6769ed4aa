"""PaddleOCR's PP-StructureV3 pipeline, asked for one page at a time so that its faults cost no page.

Through `paddleocr`, never PaddleX itself: the wrapper mends faults of PaddleX. A page that makes the pipeline raise is asked for again with
less and less of what is known to raise; what was left out is a warning on the page.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from ocr_service.domain.errors import PageFailed
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.structure_v3 import models
from ocr_service.engines.structure_v3.device import is_out_of_memory
from ocr_service.engines.structure_v3.models import ModelFolder
from ocr_service.engines.structure_v3.raw import RawPage, plain

log = logging.getLogger(__name__)

# The ladder: options of `predict`, and what the client is told when that step was needed. In the library's own order of value.
#
# 1. As upstream recommends.
# 2. A ruled table without a single cell above the detector's threshold raises IndexError; the structure model's own cells do not.
# 3. Anything else that the table models may raise: the tables' cells are then found by this service's own code.
# 4. Without the order of regions, which sorts an unusual page wrongly rather than not at all.
_LADDER: tuple[tuple[dict[str, bool], str | None], ...] = (
    ({}, None),
    ({"use_e2e_wired_table_rec_model": True}, "The table models failed at first; cells were found by the structure model alone."),
    ({"use_table_recognition": False}, "The table models failed on this page; its tables were found by their lines and gaps."),
    (
        {"use_table_recognition": False, "use_region_detection": False},
        "The layout models failed at first; tables and reading order were found without them.",
    ),
)


class StructurePipeline:
    """The models of one language, loaded. Not thread-safe; use it in the thread that made it."""

    def __init__(self, folders: Mapping[str, ModelFolder], recogniser: str, device: str, engine_options: Mapping[str, Any]) -> None:
        """`folders`: by model name, see `models.find_models`; `device`: "cpu" or "gpu:0"; `engine_options`: `engine`, `engine_config`."""
        # Only here: the import takes seconds, wants packages that only this engine needs, and makes folders.
        from paddleocr import PPStructureV3

        def folder(name: str) -> str:
            return str(folders[name].path)

        self._pipeline = PPStructureV3(
            device=device,
            **engine_options,
            layout_detection_model_dir=folder(models.LAYOUT),
            region_detection_model_dir=folder(models.REGIONS),
            doc_orientation_classify_model_dir=folder(models.PAGE_ORIENTATION),
            table_orientation_classify_model_dir=folder(models.PAGE_ORIENTATION),
            textline_orientation_model_dir=folder(models.LINE_ORIENTATION),
            # Named, because without a name the library takes its own default's and refuses the folder.
            text_detection_model_name=models.DETECTION,
            text_detection_model_dir=folder(models.DETECTION),
            text_recognition_model_name=recogniser,
            text_recognition_model_dir=folder(recogniser),
            table_classification_model_dir=folder(models.TABLE_KIND),
            wired_table_structure_recognition_model_dir=folder(models.WIRED_STRUCTURE),
            wireless_table_structure_recognition_model_dir=folder(models.WIRELESS_STRUCTURE),
            wired_table_cells_detection_model_dir=folder(models.WIRED_CELLS),
            wireless_table_cells_detection_model_dir=folder(models.WIRELESS_CELLS),
            # Has to be said: unwarping is on by default, bends clean pages, and moves everything away from its place in the file.
            use_doc_unwarping=False,
            # The VLM reads these better; two of them have no ONNX weights upstream, and loading them would raise.
            use_formula_recognition=False,
            use_chart_recognition=False,
            use_seal_recognition=False,
        )

    def __call__(self, rgb: Image, *, find_orientation: bool) -> tuple[RawPage, tuple[str, ...]]:
        """Read a page, height × width × 3; returns what was found and warnings. `find_orientation`: turn it upright first.

        Raises PageFailed when even the least of the pipeline fails; MemoryError.
        """
        bgr = np.ascontiguousarray(rgb[:, :, ::-1])
        failure: Exception | None = None
        for options, warning in _LADDER:
            try:
                # The library writes into the picture it is given.
                result = self._predict(bgr.copy(), use_doc_orientation_classify=find_orientation, **options)
                return plain(result), (warning,) if warning else ()
            except MemoryError:
                raise
            except Exception as error:  # the library raises whatever its bugs raise: IndexError, AttributeError, UnboundLocalError …
                if is_out_of_memory(error):
                    raise MemoryError from error
                log.warning("PP-StructureV3 failed on a page with %s: %s: %s", options or "all models", type(error).__name__, error)
                failure = error
        raise PageFailed(f"The page could not be read: PP-StructureV3 failed with {type(failure).__name__}.") from failure

    def _predict(self, bgr: Image, **options: bool) -> Mapping[str, Any]:
        # One page a call: whatever fails in a list takes the whole list with it.
        results = self._pipeline.predict(bgr, use_doc_unwarping=False, **options)
        if len(results) != 1 or "error" in results[0]:
            raise ValueError(f"{len(results)} results for one page: {results[0].get('error') if results else 'nothing'}")
        result: Mapping[str, Any] = results[0]
        return result
