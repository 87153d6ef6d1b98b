# SPDX-License-Identifier: Apache-2.0
"""Tens of thousands of subscriptions: rows that are seen, pages that are asked for, keys that lead through them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from support.console.fake_daemon import FakeDaemon
from support.console.page import Keys, Page
from support.console.samples import NODES, rows
from support.waiting import eventually

MANY = 50_000


@pytest.fixture
def many(daemon: FakeDaemon) -> FakeDaemon:
    daemon.rows = rows(MANY - 4)
    return daemon


def offsets(daemon: FakeDaemon) -> set[int]:
    asked = [parse_qs(urlsplit(path).query) for path in daemon.asked if path.startswith("/overview/subscriptions?")]
    return {int(query["offset"][0]) for query in asked if "offset" in query}


def test_only_what_is_seen_is_drawn_and_asked_for(page: Page, many: FakeDaemon) -> None:
    page.open("subscriptions")
    page.sees("50,000 subscriptions", "✗ failed")
    assert page.texts(".row .c-state")[:5] == ["✗ failed"] * 4 + ["✓ established"]
    assert page.count(".row") < 80
    assert page.one(".rows").get_attribute("aria-rowcount") == str(MANY + 1)
    assert offsets(many) == {0}

    page.run("document.querySelector('.rows').scrollTop = 1e9")
    last = many.rows[-1]["SubscriptionId"]
    eventually(lambda: any(last in text for text in page.texts(".row .c-id")), what="the last row", every=0.02)
    assert page.count(".row") < 80
    assert len(offsets(many)) <= 4, "the pages between are not asked for"


def test_search_filter_and_sort_are_done_by_the_daemon(page: Page, many: FakeDaemon) -> None:
    page.open("subscriptions")
    page.sees("50,000 subscriptions")
    page.press("/")
    page.press("00049999", Keys.ESCAPE)
    page.sees("1 subscription")
    eventually(lambda: page.texts(".row .c-id") == [many.rows[-1]["SubscriptionId"]], every=0.02)
    assert "q=00049999" in page.place
    page.open("subscriptions")
    page.choose("State", "failed")
    page.sees("4 subscriptions")
    page.open(f"subscriptions?node={NODES[0]}")
    page.sees(f"node: {NODES[0]}")
    page.click(".rows-head .c-xapp button")
    eventually(lambda: page.one(".rows-head .c-xapp").get_attribute("aria-sort") == "ascending", every=0.02)
    page.click(".rows-head .c-xapp button")
    eventually(lambda: page.one(".rows-head .c-xapp").get_attribute("aria-sort") == "descending", every=0.02)
    eventually(lambda: set(page.texts(".row .c-node")) == {NODES[0]}, every=0.02)
    assert "sort=-xapp" in many.asked[-1]


def test_keys(page: Page, many: FakeDaemon) -> None:
    page.open("subscriptions")
    page.sees("50,000 subscriptions")
    page.press(*"jjj", "k")
    eventually(lambda: page.one(".rows").get_attribute("aria-activedescendant") == "row-2", every=0.02)
    page.press(*"j" * 40)
    eventually(lambda: page.texts(".row.active .c-id") == [many.rows[42]["SubscriptionId"]], every=0.02)
    inside = """const row = document.querySelector('.row.active').getBoundingClientRect();
      const box = document.querySelector('.rows').getBoundingClientRect();
      return row.top >= box.top && row.bottom <= box.bottom + 1"""
    assert page.run(inside), "the active row is in view"
    page.press(Keys.ENTER)
    eventually(lambda: page.place == f"#/subscriptions/{many.rows[42]['SubscriptionId']}", every=0.02)
    page.sees("POST accepted")
    page.press(Keys.ESCAPE)
    eventually(lambda: page.place == "#/subscriptions", every=0.02)
    for key, place in (("n", "nodes"), ("e", "events"), ("x", "xapps"), ("s", "subscriptions"), ("o", "")):
        page.press("g", key)
        eventually(lambda place=place: page.place == f"#/{place}", what=place, every=0.02)
    page.press("?")
    page.sees("next, previous row")
    page.press(Keys.ESCAPE)
    page.sees_no_more("next, previous row")
    page.press(*"gn")
    page.sees(NODES[0])
    page.press(*"jj", Keys.ENTER)
    eventually(lambda: page.place == f"#/nodes/{NODES[1]}", every=0.02)
