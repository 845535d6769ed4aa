"""A crop inside of JSON."""

from __future__ import annotations

import base64

from ocr_service.domain.vlm import Crop


def data_url(crop: Crop) -> str:
    """The crop's bytes as they are: encoded again, small letters would lose their edges."""
    return f"data:{crop.media_type.value};base64,{base64.b64encode(crop.data).decode('ascii')}"
