from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pymupdf
import pytest
from numpy.typing import NDArray

from ocr_service.domain.geometry import Point, Upright
from ocr_service.engines.upright import UprightFinder, put_upright, turn
from tests.unit.engines.pdf_pages import ENGLISH, RUSSIAN, pdf_with, write

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def finder() -> UprightFinder:
    spec = find_spec("rapidocr")
    assert spec is not None
    assert spec.origin is not None
    return UprightFinder(Path(spec.origin).parent / "models" / "ch_ppocr_mobile_v2.0_cls_mobile.onnx")


def _gray(page: pymupdf.Page, dpi: int = 150) -> Image:
    pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy()


@pytest.fixture(scope="module")
def letter() -> Image:
    return _gray(pdf_with(f"{RUSSIAN} {RUSSIAN}")[0])


def _table() -> Image:
    """A ruled table of figures whose column heads are written upwards."""
    page = pymupdf.open().new_page(width=595, height=842)
    for row in range(31):
        page.draw_line((60, 150 + 20 * row), (540, 150 + 20 * row))
    for column in range(9):
        page.draw_line((60 + 60 * column, 60), (60 + 60 * column, 750))
    for column in range(8):
        page.insert_text((90 + 60 * column, 145), "Quantity kg", fontsize=9, rotate=90)
        for row in range(30):
            page.insert_text((66 + 60 * column, 164 + 20 * row), f"{(row * 7919 + column * 104729) % 100000:,}", fontsize=10)
    write(page, ENGLISH[:150], top=30, size=10)
    return _gray(page)


@pytest.mark.parametrize("lying", [0, 90, 180, 270])
def test_a_page_that_lies_in_any_direction_is_found_and_put_upright(finder: UprightFinder, letter: Image, lying: int) -> None:
    scanned = turn(letter, lying)
    pose = finder(scanned)
    assert pose.orientation == (360 - lying) % 360
    assert pose.confidence > 0.5
    assert np.array_equal(put_upright(scanned, pose.orientation, pose.skew), letter)


@pytest.mark.parametrize("lying", [0, 90, 180, 270])
def test_a_table_of_figures_with_heads_written_upwards_is_turned_by_its_rows(finder: UprightFinder, lying: int) -> None:
    assert finder(turn(_table(), lying)).orientation == (360 - lying) % 360


@pytest.mark.parametrize("crooked", [-9.5, -7.0, -4.3, -1.0, -0.4, 0.3, 1.7, 5.0, 9.0])
def test_a_crooked_scan_is_measured_to_a_tenth_of_a_degree(finder: UprightFinder, letter: Image, crooked: float) -> None:
    pose = finder(put_upright(letter, 0, crooked))
    assert pose.orientation == 0
    assert pose.skew == pytest.approx(-crooked, abs=0.1)


@pytest.mark.parametrize(("lying", "crooked"), [(90, 3.0), (180, -4.0), (270, 5.0)])
def test_a_page_may_be_turned_and_crooked_at_once(finder: UprightFinder, letter: Image, lying: int, crooked: float) -> None:
    pose = finder(turn(put_upright(letter, 0, crooked), lying))
    assert pose.orientation == (360 - lying) % 360
    assert pose.skew == pytest.approx(-crooked, abs=0.1)


def test_a_straight_page_is_not_resampled(finder: UprightFinder, letter: Image) -> None:
    assert finder(letter).skew == 0.0


def test_a_ruled_table_that_is_crooked_is_straightened(finder: UprightFinder) -> None:
    assert finder(put_upright(_table(), 0, 2.5)).skew == pytest.approx(-2.5, abs=0.1)


def _gradient() -> Image:
    return np.tile(np.linspace(0, 255, 1200).astype(np.uint8), (900, 1))


@pytest.mark.parametrize(
    "picture",
    [
        np.full((1700, 1200), 255, np.uint8),
        np.zeros((1700, 1200), np.uint8),
        _gradient(),
        np.random.default_rng(1).integers(0, 255, (1200, 900), dtype=np.uint8),
        cv2.GaussianBlur(np.random.default_rng(2).integers(0, 255, (1200, 900), dtype=np.uint8), (0, 0), 6).astype(np.uint8),
        np.zeros((1, 1), np.uint8),
        np.full((3, 4000), 255, np.uint8),
    ],
    ids=["blank", "black", "gradient", "noise", "clouds", "one pixel", "sliver"],
)
def test_a_page_without_text_stays_as_it_is(finder: UprightFinder, picture: Image) -> None:
    pose = finder(picture)
    assert (pose.orientation, pose.skew) == (0, 0.0)


@pytest.mark.parametrize("orientation", [0, 90, 180, 270])
@pytest.mark.parametrize("skew", [0.0, 6.0, -6.0])
def test_a_point_of_the_upright_picture_leads_back_to_the_page_as_it_lay(orientation: int, skew: float) -> None:
    page = np.full((400, 600), 255, np.uint8)
    cv2.circle(page, (450, 120), 4, 0, -1)
    upright = put_upright(page, orientation, skew)
    ys, xs = np.nonzero(upright < 128)
    found = Point(float(xs.mean()) + 0.5, float(ys.mean()) + 0.5)
    way = Upright(width=upright.shape[1], height=upright.shape[0], orientation=orientation, skew=skew)
    back = way.to_displayed(found)
    assert back.x == pytest.approx(450.5, abs=0.5)
    assert back.y == pytest.approx(120.5, abs=0.5)


def test_colour_pages_are_turned_the_same_way_with_white_corners() -> None:
    page = np.zeros((100, 200, 3), np.uint8)
    upright = put_upright(page, 90, 5.0)
    assert upright.shape == (200, 100, 3)
    assert tuple(upright[0, 0]) == (255, 255, 255)


def test_straightening_loses_nothing_of_a_page_with_usual_margins(letter: Image) -> None:
    crooked = put_upright(letter, 0, 7.0)
    ink_before, ink_after = (float((255 - picture.astype(np.float64)).sum()) for picture in (letter, put_upright(crooked, 0, -7.0)))
    assert ink_after > 0.98 * ink_before
