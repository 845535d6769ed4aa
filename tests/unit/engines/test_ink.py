from __future__ import annotations

import numpy as np
import pytest

from ocr_service.engines.page.ink import grey_level


@pytest.mark.parametrize("percent", [0, 2, 50, 85, 90, 100])
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (36, 1270), (7, 13)])
def test_a_grey_level_is_the_percentile(shape: tuple[int, int], percent: float) -> None:
    gray = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert grey_level(gray, percent) == pytest.approx(float(np.percentile(gray, percent)))


def test_a_part_of_a_picture_has_its_own_grey_level() -> None:
    gray = np.repeat(np.arange(0, 200, 10, dtype=np.uint8)[None], 5, axis=0)
    assert grey_level(gray[1:4, 3:11], 50) == 65
