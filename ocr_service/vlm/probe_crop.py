"""The smallest question: a white square, for finding out whether the server generates."""

from __future__ import annotations

import base64

from ocr_service.domain.documents import MediaType
from ocr_service.domain.geometry import BBox
from ocr_service.domain.vlm import Crop

_SIDE = 56  # two of the model's patches of 28 pixels each way
_PNG = "iVBORw0KGgoAAAANSUhEUgAAADgAAAA4CAAAAACN7WTCAAAAJElEQVR42u3LMQ0AAAwDoPo33VpYdsNP+hRRFEVRFEVRFMWbASLRNHVG93lOAAAAAElFTkSuQmCC"
PROBE_CROP = Crop("probe", BBox(0, 0, _SIDE, _SIDE), _SIDE, _SIDE, MediaType.PNG, base64.b64decode(_PNG))
