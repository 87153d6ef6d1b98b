# SPDX-License-Identifier: Apache-2.0
"""The operator at 3 a.m.: what has failed, and why, at first sight."""

from __future__ import annotations

from support.console.fake_daemon import FakeDaemon
from support.console.page import Page
from support.console.samples import CAUSES, NODES, rows
from support.waiting import eventually

LOWEST = """const found = [...document.querySelectorAll(arguments[0])];
return Math.max(...found.map(each => each.getBoundingClientRect().bottom))"""


def test_four_failures_with_their_causes_without_scrolling(page: Page) -> None:
    page.open()
    page.sees("4 subscriptions failed", *(cause for cause, _ in CAUSES), *NODES)
    assert page.run(LOWEST, ".failures .cause") < 700
    assert page.texts(".failures .source") == ["E2Node", "E2Node", "RTMGR", "E2Node"]
    eventually(lambda: page.browser.title == "4 failed · E2 Subscription Manager", every=0.02)
    assert "4" in page.one("nav a[href='#/subscriptions']").text
    page.click(".failure")
    page.sees("POST accepted")


def test_all_is_well(page: Page, daemon: FakeDaemon) -> None:
    daemon.rows = rows()[4:]
    daemon.answers["overview"]["Counts"]["Failed"] = 0
    page.open()
    page.sees("No subscription has failed")
    assert page.browser.title == "E2 Subscription Manager"


def test_neighbours_counts_and_plots(page: Page) -> None:
    page.open()
    page.sees(
        "routes: no route for 12010",
        "Routing Manager",
        "answers 503 since 23:58:42",
        "2 of 3",
        "1 not connected",
        "Warnings and errors",
    )
    eventually(lambda: page.count(".plot canvas") == 3, every=0.02)
    drawn = """return [...document.querySelectorAll('.plot canvas')].map(each => {
      const dots = each.getContext('2d').getImageData(0, 0, each.width, each.height).data;
      return new Set(new Uint32Array(dots.buffer)).size; })"""
    eventually(lambda: min(page.run(drawn)) > 5, what="three plots with lines", every=0.05)
    labels = page.run("return [...document.querySelectorAll('.plot [role=img]')].map(each => each.ariaLabel)")
    assert [label.split(",")[0] for label in labels] == ["Rate", "Latency", "Failures"]


def test_a_daemon_that_was_just_started(page: Page, daemon: FakeDaemon) -> None:
    daemon.rows, daemon.events = [], []
    series: dict[str, list[float]] = {name: [] for name in daemon.answers["overview/history"]["Series"]}
    daemon.answers["overview/history"]["Series"] = series
    daemon.answers |= {"overview/nodes": [], "overview/xapps": []}
    page.open()
    page.sees("No subscription has failed", "None that is remembered.")
    for place, words in (("nodes", "No E2 node is known."), ("subscriptions", "No subscriptions."),
                         ("xapps", "No xApp has subscribed."), ("events", "Nothing has happened yet.")):  # fmt: skip
        page.open(place)
        page.sees(words)
