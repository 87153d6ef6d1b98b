# SPDX-License-Identifier: Apache-2.0
"""Plots of lines."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from tools.plots import Panel, svg

SVG = "{http://www.w3.org/2000/svg}"


def test_every_point_is_drawn_and_named() -> None:
    series = {"this <now>": [(16.0, 5.0), (1.0, 10.0)], "base": [(1.0, 20.0), (16.0, 20.0)]}
    drawing = ElementTree.fromstring(svg([Panel("rate", "nodes", series), Panel("CPU", "nodes", series)]))
    circles = drawing.findall(f"{SVG}circle")
    assert len(circles) == 8
    titles = [circle.findtext(f"{SVG}title") for circle in circles[:2]]
    assert titles == ["this <now>, 1: 10", "this <now>, 16: 5"]
    xs = [float(circle.attrib["cx"]) for circle in circles[:4]]
    ys = [float(circle.attrib["cy"]) for circle in circles[:4]]
    assert xs[0] == xs[2] < xs[1] == xs[3]
    base = 58 + 200
    assert base - ys[0] == 2 * (base - ys[1]) == (base - ys[2]) / 2
    assert ys[2] == 58, "the highest line of the grid is the highest point here"


@pytest.mark.parametrize("most", [0.0, 0.013, 1.0, 2.2, 7.0, 999.0])
def test_the_axis_is_as_high_as_the_highest_point(most: float) -> None:
    drawing = ElementTree.fromstring(svg([Panel("x", "y", {"one": [(0.0, 0.0), (20_000.0, most)]}, even=True)]))
    (lowest, highest) = (float(circle.attrib["cy"]) for circle in drawing.findall(f"{SVG}circle"))
    assert lowest == 58 + 200
    assert 58 <= highest < 58 + 100 or not most
    numbers = [text.text for text in drawing.findall(f"{SVG}text") if text.attrib.get("text-anchor") == "end"]
    assert 2 <= len(numbers) <= 8
