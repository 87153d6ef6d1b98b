# SPDX-License-Identifier: Apache-2.0
"""The live stream: new events at once, a pause, a connection that breaks, and what is missing then."""

from __future__ import annotations

from support.console.fake_daemon import FakeDaemon
from support.console.page import Page
from support.waiting import eventually


def following(daemon: FakeDaemon) -> bool:
    return len(daemon.streams) == 1


def test_live_pause_and_search(page: Page, daemon: FakeDaemon) -> None:
    page.open("events")
    page.sees("✓ live", "E2 node enb_208_092_000003 is disconnected")
    eventually(lambda: following(daemon), every=0.02)
    daemon.happen(Kind="route", Words="a route was made", Severity="info")
    page.sees("a route was made")
    assert page.texts(".event .words")[0] == "a route was made"

    page.click("#pause")
    page.sees("Go on (0 new)")
    daemon.happen(Kind="store", Words="the database is away", Severity="error")
    page.sees("Go on (1 new)")
    assert "the database is away" not in page.text
    page.click("#pause")
    page.sees("the database is away")
    assert page.texts(".event .words")[:2] == ["the database is away", "a route was made"]

    page.one("[data-search]").send_keys("DATABASE")
    eventually(lambda: page.texts(".event .words") == ["the database is away"], every=0.02)


def test_the_daemon_filters_by_severity_and_kind(page: Page, daemon: FakeDaemon) -> None:
    page.open("events")
    page.sees("started")
    page.choose("Severity", "errors")
    page.sees_no_more("started")
    page.choose("Kind", "node")
    eventually(lambda: "kind=node" in daemon.asked[-1] and "severity=error" in daemon.asked[-1], every=0.02)


def test_a_broken_stream_goes_on_where_it_was_and_shows_what_is_missing(page: Page, daemon: FakeDaemon) -> None:
    page.open("events")
    page.sees("✓ live")
    eventually(lambda: following(daemon), every=0.02)
    daemon.cut()
    page.sees("connection lost, trying again")
    daemon.gap = {"Missed": 12}
    daemon.happen(Kind="repair", Words="a difference was repaired")
    page.sees("a difference was repaired", "12 events are missing here.", "✓ live")
    assert len([each for each in page.texts(".event .words") if each == "a difference was repaired"]) == 1
    assert [path for path in daemon.asked if "follow=true" in path][-1].endswith("since=run-6")


def test_a_daemon_with_too_many_streams_says_so(page: Page, daemon: FakeDaemon) -> None:
    daemon.refusal = "32 clients follow the events already"
    page.open("events")
    page.sees("32 clients follow the events already")
    daemon.refusal = None
    page.sees("✓ live")
