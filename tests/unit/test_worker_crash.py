# SPDX-License-Identifier: Apache-2.0
"""A bug in one node's work ends that worker and nothing else: it is made anew from what is stored."""

from __future__ import annotations

import pytest
from support.core.outside import Outside, report, turns

from submgr.core import commands as c
from submgr.core import events as e


@pytest.fixture
def outside() -> Outside:
    return Outside()


def test_the_node_is_recovered_and_the_others_never_notice(outside: Outside) -> None:
    outside.post("gnb_1", "kept", report(1))
    outside.post("gnb_2", "other", report(1))
    outside.faulty["gnb_1"] = 1
    others = outside.dispatcher.node("gnb_2")
    outside.post("gnb_1", "cut", report(2), report(3), report(4))
    assert outside.crashes == 1
    assert outside.dispatcher.node("gnb_2") is others
    node = outside.dispatcher.node("gnb_1")
    assert node is not None
    assert [rest for rest in node.subscriptions.rest if node.subscriptions.rest[rest].instances] == ["kept"]
    failed = [n for n in outside.told if n.failure is not None]
    assert {n.xapp_event_instance_id for n in failed} == {2, 3, 4}
    assert {n.failure.source.value for n in failed if n.failure} == {"SUBMGR"}
    outside.post("gnb_1", "after", report(5))
    assert outside.told[-1].failure is None
    assert outside.broken == []


def test_an_id_of_the_lost_worker_is_free_or_held(outside: Outside) -> None:
    outside.post("gnb_1", "kept", report(1))
    outside.faulty["gnb_1"] = 1
    outside.post("gnb_1", "cut", report(2))
    turns()
    node = outside.dispatcher.node("gnb_1")
    assert node is not None
    assert outside.registry.ids.in_use() == len(node.subscriptions.e2)


def test_what_was_being_saved_is_503_and_keeps_no_place(outside: Outside) -> None:
    outside.post("gnb_1", "kept", report(5))
    outside.hung = True
    event = e.Subscribe(99, outside.request("gnb_1", report(9)), "saving", "2026-01-01 00:00:00.000")
    outside.dispatcher.post("gnb_1", event)
    turns()
    assert outside.registry.quota.total() == 1
    outside.faulty["gnb_1"] = 1
    outside.dispatcher.post("gnb_1", e.Revoke((1,)))
    turns()
    assert outside.crashes == 1
    assert isinstance(outside.replies[-1], c.Refuse) and outside.replies[-1].status == 503
    assert outside.registry.quota.total() == 0


def test_a_delete_that_was_being_written_down_is_confirmed(outside: Outside) -> None:
    outside.post("gnb_1", "kept", report(1))
    outside.post("gnb_1", "going", report(2))
    outside.hung = True
    outside.dispatcher.post("gnb_1", e.Unsubscribe(99, "going"))
    turns()
    outside.faulty["gnb_1"] = 1
    outside.dispatcher.post("gnb_1", e.Revoke((1,)))
    turns()
    assert outside.replies[-1] == c.ConfirmDelete(99)


def test_five_in_a_minute_end_the_process(outside: Outside) -> None:
    for n in range(1, 6):
        outside.faulty["gnb_1"] = 1
        outside.post("gnb_1", f"cut {n}", report(n))
        if n < 5:
            assert outside.broken == []
    assert len(outside.broken) == 1
