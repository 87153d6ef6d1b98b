# SPDX-License-Identifier: Apache-2.0
"""Draws lines as one SVG file.

Without a library, as the bars of `mec/meo/simulation/chart.py` are: two axes and a few lines are less than what it
takes to make a plotting library leave out its scripts, its fonts and the random names in its output.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT = 330, 200, 52, 58, 28
_COLOURS = ("#9cc3e0", "#1b6ca8", "#f2c79b", "#d9742b")


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot. `series`: points (x, y) by their name, in the order of the legend; y begins at 0.

    `even`: as far on the axis as the numbers are apart; else each doubling of x is as far as the next.
    """

    title: str
    across: str
    series: dict[str, list[tuple[float, float]]]
    even: bool = False


def svg(panels: Sequence[Panel]) -> str:
    """The panels side by side, with one legend: they have the same series."""
    width = len(panels) * (_LEFT + _WIDTH) + _RIGHT
    height = _TOP + _HEIGHT + 48
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, name in enumerate(panels[0].series):
        x = _LEFT + number * 170
        lines.append(f'<path d="M{x} 16h22" stroke="{_COLOURS[number]}" stroke-width="2.5"/>')
        lines.append(f'<text x="{x + 28}" y="20">{escape(name)}</text>')
    for number, panel in enumerate(panels):
        lines += _panel(panel, _LEFT + number * (_LEFT + _WIDTH))
    return "\n".join([*lines, "</svg>", ""])


def _panel(panel: Panel, left: int) -> Iterator[str]:
    points = [point for line in panel.series.values() for point in line]
    xs = sorted({x for x, _ in points})
    step = _step(max(y for _, y in points))
    most = step * math.ceil(max(y for _, y in points) / step) or step
    base = _TOP + _HEIGHT

    def across(x: float) -> float:
        least, greatest, here = (value if panel.even else math.log2(value) for value in (xs[0], xs[-1], x))
        return left + (here - least) / (greatest - least or 1) * _WIDTH

    def up(y: float) -> float:
        return base - y / most * _HEIGHT

    yield f'<text x="{left}" y="{_TOP - 14}" font-size="13" font-weight="bold">{escape(panel.title)}</text>'
    for tick in range(round(most / step) + 1):
        y = up(tick * step)
        yield f'<path d="M{left} {y:.1f}h{_WIDTH}" stroke="#ddd"/>'
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick * step:g}</text>'
    for x in xs:
        yield f'<text x="{across(x):.1f}" y="{base + 16}" text-anchor="middle">{x:,.0f}</text>'
    yield f'<text x="{left + _WIDTH / 2}" y="{base + 36}" text-anchor="middle">{escape(panel.across)}</text>'
    for number, (name, line) in enumerate(panel.series.items()):
        where = [(across(x), up(y)) for x, y in sorted(line)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in where)
        yield f'<path d="M{path}" fill="none" stroke="{_COLOURS[number]}" stroke-width="2.5"/>'
        for (x, y), (at, value) in zip(where, sorted(line), strict=True):
            told = f"{escape(name)}, {at:,.0f}: {value:,.6g}"
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{_COLOURS[number]}"><title>{told}</title></circle>'


def _step(most: float) -> float:
    """Between two lines of the grid: 1, 2 or 5 times a power of ten, four to eight of them."""
    power = 10.0 ** math.floor(math.log10(most or 1))
    return next(step * power for step in (0.2, 0.5, 1.0, 2.0) if most / (step * power) <= 6)
