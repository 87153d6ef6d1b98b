# SPDX-License-Identifier: Apache-2.0
"""A worker that ends by a bug takes nothing with it; what the E2 node sends is counted whoever it is for."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
from support.core.outside import Outside, report, turns

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.model import Removal, RestRecord
from submgr.e2ap import messages as m

MEID = "gnb_1"


@pytest.fixture
def outside() -> Outside:
    return Outside()


def crash(outside: Outside, *behind: e.Event) -> None:
    """The worker of MEID meets a bug; `behind` is what waits in its inbox then."""
    for event in (e.Revoke(cast(tuple[int, ...], None)), *behind):
        outside.dispatcher.post(MEID, event)
    turns()
    assert outside.crashes == 1


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


def required(*instances: int) -> m.SubscriptionDeleteRequired:
    items = tuple(m.SubscriptionToRemove(m.RequestId(123, i), 2, m.Cause(1, 0)) for i in instances)
    return m.SubscriptionDeleteRequired(items)


def counted(outside: Outside, kind: type) -> int:
    return sum(isinstance(event, kind) for _, event, _ in outside.seen)


def test_delete_required_without_a_meid_reaches_the_node_of_each_subscription(outside: Outside) -> None:
    outside.post(MEID, "one", report(1))
    outside.post("gnb_2", "two", report(1))
    outside.dispatcher.delete_required("", required(99, 1, 2))
    turns()
    assert outside.e2 == {}
    assert counted(outside, m.SubscriptionDeleteRequired) == 1


def test_delete_required_is_for_its_own_node_whatever_is_named_first(outside: Outside) -> None:
    outside.post(MEID, "one", report(1))
    outside.post("gnb_2", "two", report(1))
    outside.dispatcher.delete_required("gnb_2", required(1, 2))
    turns()
    assert set(outside.e2) == {1}


@pytest.mark.parametrize(
    "answer",
    [
        m.SubscriptionResponse(m.RequestId(123, 9), 2, (1,)),
        m.SubscriptionFailure(m.RequestId(123, 9), 2, m.Cause(1, 0)),
        m.SubscriptionDeleteResponse(m.RequestId(123, 9), 2),
        m.SubscriptionDeleteFailure(m.RequestId(123, 9), 2, m.Cause(1, 0)),
        required(9),
    ],
)
@pytest.mark.parametrize("meid", ["", "gnb_7", MEID])
def test_an_answer_to_nothing_is_counted_as_received_once(outside: Outside, meid: str, answer: e.Event) -> None:
    outside.post(MEID, "one", report(1))
    if isinstance(answer, m.SubscriptionDeleteRequired):
        outside.dispatcher.delete_required(meid, answer)
    else:
        outside.dispatcher.answered(meid, answer, 9)
    turns()
    assert counted(outside, type(answer)) == (2 if isinstance(answer, m.SubscriptionResponse) else 1)
    assert sum(isinstance(x, c.Ignored) for _, _, commands in outside.seen for x in commands) == 1


@pytest.mark.parametrize("meid", ["", MEID])
def test_a_delete_sent_once_more_hears_its_answer_though_its_id_is_free_or_in_use_elsewhere(
    outside: Outside, meid: str
) -> None:
    outside.silent.add(MEID)
    left = Removal(1, MEID, 2, (), node_delete=True)
    outside.dispatcher.restore({MEID: e.Restored((), (), (left,), connected=True)})
    turns()
    if meid:
        while outside.registry.ids.allocate("gnb_2") != 1:
            pass
    outside.dispatcher.answered(meid, m.SubscriptionDeleteResponse(m.RequestId(123, 1), 2), 1)
    turns()
    noted = [x.what for _, _, commands in outside.seen for x in commands if isinstance(x, c.Noted)]
    assert c.Note.CONFIRMED_LATE in noted


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


def completing(outside: Outside, meid: str = MEID) -> None:
    """The node has answered and the record is written, but the worker has not heard of that yet."""
    outside.silent.add(meid)
    outside.post(meid, "one", report(1))
    outside.silent.clear()
    record = outside.e2[1]
    outside.e2[1] = replace(record, admitted=(1,), routes=record.endpoints)
    assert outside.told == []


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
