"""The plots of docs/reliability.md: every point is where its figures say, and the file is sound XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from bench.plot import Panel, svg

_NAMES = {"svg": "http://www.w3.org/2000/svg"}


def lines_of(text: str) -> list[list[tuple[float, float]]]:
    found = ET.fromstring(text).findall("svg:polyline", _NAMES)
    return [[(float(x), float(y)) for x, y in (point.split(",") for point in line.attrib["points"].split())] for line in found]


def test_points_are_in_proportion_from_zero_up() -> None:
    [[first, middle, last]] = lines_of(svg("pages", [Panel("memory", {"": [(0, 0), (500, 40), (1000, 80)]})]))
    assert middle[0] - first[0] == last[0] - middle[0] > 0
    assert first[1] - middle[1] == middle[1] - last[1] > 0


def test_each_panel_has_its_own_height_and_all_the_same_width() -> None:
    text = svg("pages", [Panel("a & b", {"x": [(0, 1), (10, 2)], "y": [(0, 3), (10, 3)]}), Panel("c", {"": [(0, 0.001), (5, 0.002)]})])
    [x, y, c] = lines_of(text)
    assert x[0][0] == y[0][0] == c[0][0]
    assert y[0][1] == y[1][1] < x[1][1] < x[0][1] < min(height for _, height in c)
    assert c[1][0] == (x[0][0] + x[1][0]) / 2
    assert "a &amp; b" in text


def test_what_is_always_nothing_is_drawn_too() -> None:
    [[first, last]] = lines_of(svg("pages", [Panel("nothing", {"": [(0, 0), (10, 0)]})]))
    assert first[1] == last[1]
