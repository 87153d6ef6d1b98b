# SPDX-License-Identifier: Apache-2.0
"""What each page shows, and that names which a peer chose are only ever text."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from support.console.fake_daemon import FakeDaemon
from support.console.page import Page
from support.console.samples import CAUSES, NODES, WORDS, XAPPS, row
from support.waiting import eventually

EVIL = '<img src=x onerror="window.taken=1">\'"javascript:alert(1)'


def test_nodes_as_cards_the_worst_first(page: Page) -> None:
    page.open("nodes")
    page.sees(*NODES, "✗ disconnected", "✓ connected")
    assert [text.splitlines()[0] for text in page.texts(".card-head strong")] == list(NODES)
    page.choose("State", "connected")
    eventually(lambda: page.texts(".card-head strong") == list(NODES[1:]), every=0.02)
    page.choose("Order", "busiest")
    eventually(lambda: page.texts(".card-head strong") == [NODES[2], NODES[1]], every=0.02)
    assert "state=connected" in page.place


def test_a_node_with_its_functions_and_subscriptions(page: Page) -> None:
    page.open(f"nodes/{NODES[1]}")
    page.sees("ORAN-E2SM-KPM", "1.3.6.1.4.1.53148.1.2.2.2", "2 subscriptions", CAUSES[1][0])
    page.click(".functions summary")
    page.sees("E2 node measurement")


def test_a_subscription_step_by_step(page: Page, daemon: FakeDaemon) -> None:
    page.open(f"subscriptions/{daemon.rows[4]['SubscriptionId']}")
    page.sees(WORDS, "DRB.UEThpDl", "E2 instance 7")
    steps = [text.split() for text in page.texts(".timeline li")]
    assert [" ".join(step[:2]) for step in steps] == [
        "POST accepted", "saved in", "route made", "E2 node", "E2 node", "xApp notified"]  # fmt: skip
    assert steps[2][-4:] == ["5.2", "ms", "+3.8", "ms"]
    page.open("subscriptions/nobody")
    page.sees("there is no REST subscription nobody")


def test_xapps(page: Page) -> None:
    page.open("xapps")
    page.sees(*XAPPS, "service-ricxapp-ts-rmr.ricxapp:4560")
    page.click(f"a[href$='{XAPPS[1]}']")
    page.sees("Notifications waiting", "2 subscriptions", CAUSES[3][0])


def test_all_of_an_xapp_is_deleted_with_the_token_after_a_question(page: Page, daemon: FakeDaemon) -> None:
    page.open(f"xapps/{XAPPS[0]}")
    page.click(".dangers button")
    remove = page.one("dialog[open] button[type=submit]")
    assert not remove.is_enabled()
    page.one("dialog[open] input[aria-label]").send_keys(XAPPS[0])
    page.one("dialog[open] input[type=password]").send_keys("s3cret")
    eventually(remove.is_enabled, every=0.02)
    page.click("dialog[open] button[type=submit]")
    page.sees("the subscriptions are being deleted")
    assert daemon.deleted == {f"delete_all_xapp_subscriptions/{XAPPS[0]}": "Bearer s3cret"}
    assert "s3cret" not in page.run("return JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")


def test_mec_with_masked_ues_and_the_orchestrator(page: Page, daemon: FakeDaemon) -> None:
    page.open("mec")
    page.sees("MEC 5", "00101********01", "✓ attached", "001-01/0xa101", "5, here")
    page.open("meo")
    page.sees("lisbon", "✗ takes none", "load 0.91 is over 0.8", "oslo → lisbon", "device: delivered")
    loads = page.run("return [...document.querySelectorAll('[role=meter]')].map(each => each.ariaValueNow)")
    assert loads == ["0.42", "0.81", "0.91", "0.55"]
    del daemon.answers["mec/overview"], daemon.answers["meo/overview"]
    page.open("mec")
    page.sees("there is no mec/overview")


@pytest.mark.parametrize(
    "place",
    ["", "nodes", "subscriptions", "events", "xapps", "mec", "meo", "nodes/EVIL", "subscriptions/EVIL", "xapps/EVIL"],
)
def test_names_that_are_html_are_text(page: Page, daemon: FakeDaemon, place: str) -> None:
    last = {"Outcome": "failed", "Cause": EVIL, "Source": EVIL, "Time": EVIL, "Milliseconds": 1}
    daemon.rows = [{**row(1), "SubscriptionId": EVIL, "Meid": EVIL, "XApp": EVIL, "State": "failed", "Last": last}]
    for event in daemon.events:
        event |= {"Words": EVIL, "Meid": EVIL, "XApp": EVIL, "SubscriptionId": EVIL, "Cause": EVIL, "Time": EVIL}
    keep = {"overview", "overview/history"}
    daemon.answers = {path: answer if path in keep else evil(answer) for path, answer in daemon.answers.items()}
    daemon.answers["overview"] |= {"Name": EVIL, "Version": EVIL, "NotReady": [EVIL], "Ready": False}
    page.open(place.replace("EVIL", quote(EVIL, safe="")))
    page.sees(EVIL)
    eventually(lambda: "asking…" not in page.text, every=0.02)
    assert page.count("img, iframe, object, embed, script:not([src])") == 0
    assert page.run("return window.taken") is None
    assert page.run("return [...document.links].filter(each => !/^https?:$/.test(each.protocol)).length") == 0


def evil(value: Any) -> Any:
    """The value with every text in it replaced, but for words whose meaning the console knows."""
    if isinstance(value, dict):
        return {key: evil(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [evil(inner) for inner in value]
    return EVIL if isinstance(value, str) else value
