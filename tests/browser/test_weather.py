# SPDX-License-Identifier: Apache-2.0
"""A daemon that is dead, stands by or is not ready; screens that are narrow; colours that are dark."""

from __future__ import annotations

import pytest
from support.console.fake_daemon import FakeDaemon
from support.console.page import Page
from support.console.samples import CAUSES, NODES, rows
from support.waiting import eventually

from tools.chromium import prefer_dark, resize

PLACES = ["", "nodes", f"nodes/{NODES[1]}", "subscriptions", "events", "xapps", "mec", "meo"]
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"


def test_nobody_answers_since(page: Page, daemon: FakeDaemon) -> None:
    page.open()
    page.sees("4 subscriptions failed")
    daemon.stop()
    page.look()
    page.sees("Nobody answers since", "What is shown is what was true then.", "4 subscriptions failed", CAUSES[0][0])
    assert page.count(".stale main") == 1
    assert page.one("[role=alert]").text.startswith("Nobody answers since")
    daemon.start()
    page.look()
    page.sees_no_more("Nobody answers since")
    assert page.count(".stale") == 0


def test_a_page_that_is_opened_while_nobody_answers(page: Page, daemon: FakeDaemon) -> None:
    page.open()
    page.sees("4 subscriptions failed")
    daemon.stop()
    page.run("location.hash = '#/nodes'")
    page.sees("Nobody answers.")
    daemon.start()
    page.look()
    page.sees(NODES[0])


def test_503_in_the_daemons_words(page: Page, daemon: FakeDaemon) -> None:
    daemon.refusal = "not ready: the subscriptions are being restored"
    page.open("subscriptions")
    page.sees("not ready: the subscriptions are being restored")
    daemon.refusal = None
    page.look()
    page.sees("5 subscriptions")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"Ready": False, "Role": "standby", "NotReady": ["submgr-1 is active"]}, "This process is the standby"),
        ({"Ready": False, "NotReady": ["database: connection refused"]}, "Not ready: database: connection refused"),
    ],
)
def test_not_ready_and_standby(page: Page, daemon: FakeDaemon, state: dict[str, object], words: str) -> None:
    daemon.answers["overview"] |= state
    page.open("nodes")
    page.sees(words, "✗ not ready")
    assert page.browser.title.startswith("not ready · ")


@pytest.mark.parametrize("place", PLACES)
def test_a_narrow_screen(page: Page, daemon: FakeDaemon, place: str) -> None:
    daemon.rows = rows(300)
    resize(page.browser, 360, 740)
    page.open(place)
    eventually(lambda: "asking…" not in page.text, every=0.02)
    assert page.run("return document.documentElement.scrollWidth") <= 360
    if place == "subscriptions":
        page.sees(CAUSES[0][0])
        assert page.run("return document.querySelector('.rows').scrollWidth") <= 360
        assert page.run("return document.querySelector('.row').offsetHeight") == 84


def test_dark_by_the_system_and_by_choice(page: Page) -> None:
    page.open()
    light = page.run(BACKGROUND)
    prefer_dark(page.browser, True)
    eventually(lambda: page.run(BACKGROUND) != light, every=0.02)
    dark = page.run(BACKGROUND)
    prefer_dark(page.browser, False)
    page.click("#theme")
    eventually(lambda: page.run(BACKGROUND) == dark, every=0.02)
    page.open("nodes")
    assert page.run(BACKGROUND) == dark, "the choice is kept"
    page.click("#theme")
    eventually(lambda: page.run(BACKGROUND) == light, every=0.02)


CONTRAST = """
  const channel = value => value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const light = text => {
    const [r, g, b] = text.match(/[0-9.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const behind = node => {
    const own = getComputedStyle(node).backgroundColor;
    return own.endsWith(', 0)') && node.parentElement ? behind(node.parentElement) : own;
  };
  const ratio = node => {
    const [low, high] = [light(getComputedStyle(node).color), light(behind(node))].sort((one, other) => one - other);
    return (high + 0.05) / (low + 0.05);
  };
  const texts = [...document.querySelectorAll('.badge, .cause, .source, .faint, .tile-note, .when, dt, a')];
  const told = texts.filter(each => each.innerText.trim()).map(each => [ratio(each), each.className, each.innerText]);
  return told.sort((one, other) => one[0] - other[0])[0]"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("place", ["", "nodes", "events", "meo"])
def test_contrast(page: Page, place: str, dark: bool) -> None:
    """Text on what is behind it: 4.5 to 1 at least (WCAG 2.2, 1.4.3)."""
    prefer_dark(page.browser, dark)
    page.open(place)
    eventually(lambda: "asking…" not in page.text, every=0.02)
    worst = page.run(CONTRAST)
    assert worst[0] >= 4.5, worst
