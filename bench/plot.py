"""A plot as SVG, small enough to be written by hand: panels under each other that share the horizontal axis, each from zero up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _PANEL, _GAP = 760, 110, 42
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 28, 44
_COLOURS = ("#1f6fb4", "#c8501e", "#3a8f3a", "#7a4fa3", "#8a8a2e")
_TICKS = 4


@dataclass(frozen=True)
class Panel:
    """`lines`: points (x, y) by the line's name; an only line needs none."""

    title: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def svg(x_title: str, panels: Sequence[Panel]) -> str:
    """The whole file. Each panel needs a point at least."""
    furthest = max(x for panel in panels for line in panel.lines.values() for x, _ in line)
    step = _step(furthest)
    height = _TOP + len(panels) * (_PANEL + _GAP) + _BOTTOM - _GAP
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, _TOP + number * (_PANEL + _GAP), step, furthest)
    parts.append(f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{height - 8}" text-anchor="middle">{escape(x_title)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, top: float, step: float, furthest: float) -> list[str]:
    highest = max((y for line in panel.lines.values() for _, y in line), default=0.0) or 1.0
    y_step = _step(highest)
    most = y_step * math.ceil(highest / y_step)
    bottom, right = top + _PANEL, _WIDTH - _RIGHT

    def across(x: float) -> float:
        return _LEFT + (right - _LEFT) * x / furthest

    def up(y: float) -> float:
        return bottom - _PANEL * y / most

    parts = [f'<text x="{_LEFT}" y="{top - 8:.0f}" font-weight="bold">{escape(panel.title)}</text>']
    for tick in _ticks(most, y_step):
        parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{up(tick):.1f}" y2="{up(tick):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{up(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts += [f'<text x="{across(tick):.1f}" y="{bottom + 14:.0f}" text-anchor="middle">{tick:g}</text>' for tick in _ticks(furthest, step)]
    for number, (name, line) in enumerate(panel.lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
        if name:
            parts.append(f'<text x="{right + 8}" y="{top + 12 + 15 * number:.0f}" fill="{colour}">{escape(name)}</text>')
    return parts


def _ticks(most: float, step: float) -> list[float]:
    return [number * step for number in range(math.floor(most / step + 1e-9) + 1)]


def _step(most: float) -> float:
    """1, 2 or 5 times a power of ten, so that there are about as many ticks as are wanted."""
    rough = most / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
