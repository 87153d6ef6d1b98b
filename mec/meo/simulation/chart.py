# SPDX-License-Identifier: Apache-2.0
"""Draws the results of simulations as bars, in one SVG file.

Without a library: the drawing is a few rectangles, and plotting libraries are large or change how modules load.
"""

from html import escape

from mec.meo.simulation.model import STRATEGIES
from mec.meo.simulation.report import MEASURES, Results

_COLOURS = dict(zip(STRATEGIES, ("#1b6ca8", "#e08e45", "#5aa469", "#8d6a9f", "#9a9a9a"), strict=True))
_BAR, _GAP, _LEFT, _PANEL, _HEIGHT = 27, 24, 16, 190, 110


def chart(results: Results) -> str:
    """A panel per measure, a group per scenario, a bar per strategy. Bars begin at 0, those of fairness at the least
    tenth."""
    group = len(STRATEGIES) * _BAR + _GAP
    width, height = 2 * _LEFT + len(results) * group, 50 + len(MEASURES) * _PANEL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, strategy in enumerate(STRATEGIES):
        x = _LEFT + number * 110
        parts.append(f'<rect x="{x}" y="14" width="12" height="12" fill="{_COLOURS[strategy]}"/>')
        parts.append(f'<text x="{x + 17}" y="24">{strategy}</text>')
    for number in range(len(MEASURES)):
        parts += _panel(results, number, 50 + number * _PANEL, group)
    return "\n".join([*parts, "</svg>", ""])


def _panel(results: Results, number: int, top: int, group: int) -> list[str]:
    name, title, figure, write = MEASURES[number]
    values = [figure(result) for by_strategy in results.values() for result in by_strategy.values()]
    low = int(min(values) * 10) / 10 if name == "fairness" else 0.0
    span = max(values) - low or 1.0
    base = top + 25 + _HEIGHT
    parts = [f'<text x="{_LEFT}" y="{top + 10}" font-size="13" font-weight="bold">{title}</text>']
    for place, (scenario, by_strategy) in enumerate(results.items()):
        left = _LEFT + place * group
        for index, strategy in enumerate(STRATEGIES):
            value = figure(by_strategy[strategy])
            tall, x = (value - low) / span * _HEIGHT, left + index * _BAR
            text = write(value)
            parts.append(
                f'<rect x="{x}" y="{base - tall:.1f}" width="{_BAR - 3}" height="{tall:.1f}" '
                f'fill="{_COLOURS[strategy]}"><title>{escape(scenario)}, {strategy}: {text}</title></rect>'
            )
            middle, above = x + (_BAR - 3) / 2, base - tall - 3
            parts.append(f'<text x="{middle}" y="{above:.1f}" text-anchor="middle" font-size="7">{text}</text>')
        parts.append(f'<text x="{left}" y="{base + 14}">{escape(scenario)}</text>')
    right = _LEFT + len(results) * group - _GAP
    return [*parts, f'<path d="M{_LEFT} {base}H{right}" stroke="#444"/>']
