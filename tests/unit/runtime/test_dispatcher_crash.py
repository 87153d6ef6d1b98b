# SPDX-License-Identifier: Apache-2.0
"""A bug in one node's work ends that worker and nothing else: it is made anew from what is stored."""

from __future__ import annotations

from typing import cast

import pytest
from msgspec.structs import replace
from support.core.outside import Outside, report, turns

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.model import RestRecord
from submgr.core.node import Node


@pytest.fixture
def outside() -> Outside:
    return Outside()


MEID = "gnb_1"


def crash(outside: Outside, *behind: e.Event) -> None:
    """The worker of MEID meets a bug; `behind` is what waits in its inbox then."""
    for event in (e.Revoke(cast(tuple[int, ...], None)), *behind):
        outside.dispatcher.post(MEID, event)
    turns()
    assert outside.crashes == 1


def completing(outside: Outside, meid: str = MEID) -> None:
    """The node has answered and the record is written, but the worker has not heard of that yet."""
    outside.silent.add(meid)
    outside.post(meid, "one", report(1))
    outside.silent.clear()
    record = outside.e2[1]
    outside.e2[1] = replace(record, admitted=(1,), routes=record.endpoints)
    assert outside.told == []


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


# --- what waits behind a bug, and who is told


def test_a_delete_that_waits_behind_a_bug_is_done(outside: Outside) -> None:
    outside.post(MEID, "one", report(1))
    crash(outside, e.Unsubscribe(900, "one"))
    assert c.ConfirmDelete(900) in outside.replies
    assert "one" not in outside.rest
    assert 1 not in outside.e2


def test_a_request_that_waits_behind_a_bug_is_accepted(outside: Outside) -> None:
    outside.post(MEID, "one", report(1))
    wanted = outside.request(MEID, report(7))
    crash(outside, e.Subscribe(900, wanted, "later", "2026-01-01 00:00:00.000"))
    assert c.Accept(900, "later") in outside.replies


def test_while_a_node_is_read_anew_its_subscriptions_are_still_known(outside: Outside) -> None:
    outside.post(MEID, "one", report(1))
    known = []
    reload = outside.dispatcher._reload

    def reading(meid: str) -> e.Restored:
        known.append(dict(outside.registry.meids))
        return reload(meid)

    outside.dispatcher._reload = reading
    crash(outside)
    assert known[0]["one"] == MEID
    assert set(outside.registry.meids) == set(outside.rest)


def test_no_place_is_lost_with_a_request_that_was_not_accepted_yet(outside: Outside) -> None:
    outside.post(MEID, "one", report(1))
    outside.hung = True
    outside.dispatcher.post(MEID, e.Subscribe(900, outside.request(MEID, report(7)), "hung", "2026-01-01 00:00:00.000"))
    turns()
    outside.hung = False
    crash(outside)
    assert c.Refuse(900, 503, "internal error: the request was not worked on, please send it again") in outside.replies
    assert outside.registry.quota.total() == 0


def test_whose_201_is_just_being_written_is_told(outside: Outside) -> None:
    outside.post(MEID, "written", report(1), report(2), answered=False)
    crash(outside)
    told = {(note.subscription_id, note.xapp_event_instance_id) for note in outside.told if note.failure}
    assert told == {("written", 1), ("written", 2)}
    assert outside.registry.quota.total() == 0


def test_no_id_is_given_out_twice_when_a_node_meets_a_bug_over_its_records(outside: Outside) -> None:
    outside.post(MEID, "one", report(1), report(2))
    after = Outside()
    after.e2, after.rest = dict(outside.e2), dict(outside.rest)
    broken = e.Restored(tuple(outside.e2.values()), cast(tuple[RestRecord, ...], (None,)), (), connected=True)
    after.dispatcher.restore({MEID: broken})
    after.post("gnb_2", "two", report(1))
    assert after.told[-1].instance_id == 3
    turns()
    node = after.dispatcher.node(MEID)
    assert after.crashes == 1
    assert node is not None and sorted(node.subscriptions.e2) == [1, 2]


def test_who_has_got_his_subscription_is_told_of_that_and_of_no_failure(outside: Outside) -> None:
    completing(outside)
    crash(outside)
    assert [(note.subscription_id, note.instance_id, note.failure) for note in outside.told] == [("one", 1, None)]
    assert outside.registry.quota.total() == 0


def test_who_has_not_got_it_is_told_of_the_failure_once(outside: Outside) -> None:
    outside.silent.add(MEID)
    outside.post(MEID, "one", report(1), report(2))
    outside.silent.clear()
    crash(outside)
    assert sorted((note.xapp_event_instance_id, note.instance_id) for note in outside.told) == [(1, 0), (2, 0)]
    assert outside.e2 == {}
    assert outside.registry.quota.total() == 0


def test_a_bug_in_the_answers_does_not_keep_the_node_from_being_made_anew(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside.post(MEID, "kept", report(1))

    def answer_waiting(self: Node) -> list[c.Command]:
        raise RuntimeError("a bug in the state that the crash left")

    monkeypatch.setattr(Node, "answer_waiting", answer_waiting)
    crash(outside)
    outside.post(MEID, "after", report(2))
    assert [n.subscription_id for n in outside.told] == ["kept", "after"]
