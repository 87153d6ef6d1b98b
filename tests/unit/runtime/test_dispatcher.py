# SPDX-License-Identifier: Apache-2.0
"""From a Meid to its worker; what nobody waits for ends here."""

from __future__ import annotations

import pytest
from support.core.outside import Outside, report, turns

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.handlers.recovery import by_node
from submgr.core.model import Removal
from submgr.e2ap import messages as m
from submgr.runtime.dispatcher import STUCK


@pytest.fixture
def outside() -> Outside:
    return Outside()


def admitted(instance: int) -> m.SubscriptionResponse:
    return m.SubscriptionResponse(m.RequestId(123, instance), 2, (1,))


def waiting(outside: Outside, meid: str = "gnb_1", name: str = "one") -> None:
    """A node that has been asked and says nothing."""
    outside.silent.add(meid)
    outside.post(meid, name, report(1))
    assert outside.sent[-1][0] == meid


def ignored(outside: Outside) -> list[tuple[str, str]]:
    return [(meid, x.kind.value) for meid, _, commands in outside.seen for x in commands if isinstance(x, c.Ignored)]


MEID = "gnb_1"


def required(*instances: int) -> m.SubscriptionDeleteRequired:
    items = tuple(m.SubscriptionToRemove(m.RequestId(123, i), 2, m.Cause(1, 0)) for i in instances)
    return m.SubscriptionDeleteRequired(items)


def counted(outside: Outside, kind: type) -> int:
    return sum(isinstance(event, kind) for _, event, _ in outside.seen)


def test_an_answer_goes_to_its_node(outside: Outside) -> None:
    waiting(outside)
    outside.dispatcher.answered("gnb_1", admitted(1), 1)
    turns()
    assert [note.instance_id for note in outside.told] == [1]


def test_an_answer_without_a_meid_goes_by_its_instance_id(outside: Outside) -> None:
    waiting(outside)
    outside.dispatcher.answered("", admitted(1), 1)
    turns()
    assert [note.instance_id for note in outside.told] == [1]


def test_an_answer_with_the_meid_of_another_is_dropped_and_counted(outside: Outside) -> None:
    waiting(outside)
    waiting(outside, "gnb_2", "two")
    outside.dispatcher.answered("gnb_2", admitted(1), 1)
    turns()
    assert outside.told == []
    assert ignored(outside) == [("gnb_2", "foreign_meid")]
    outside.dispatcher.answered("gnb_1", admitted(1), 1)
    turns()
    assert [note.subscription_id for note in outside.told] == ["one"]


@pytest.mark.parametrize(("meid", "instance"), [("", 9), ("gnb_7", 9), ("", 0)])
def test_an_answer_to_nothing_makes_no_worker(outside: Outside, meid: str, instance: int) -> None:
    outside.dispatcher.answered(meid, admitted(instance), instance)
    turns()
    assert ignored(outside) == [(meid, "unknown_instance")]
    assert list(outside.dispatcher.workers) == []


def test_an_answer_that_cannot_be_decoded_finds_its_node(outside: Outside) -> None:
    waiting(outside)
    outside.dispatcher.undecodable("gnb_1", 1, "garbage")
    outside.dispatcher.undecodable("", 1, "garbage")
    outside.dispatcher.undecodable("", 77, "garbage")
    outside.dispatcher.undecodable("gnb_7", 1, "garbage")
    turns()
    assert sorted(ignored(outside)) == [
        ("", "undecodable"),
        ("gnb_1", "undecodable"),
        ("gnb_1", "undecodable"),
        ("gnb_7", "undecodable"),
    ]


def test_a_flood_of_answers_that_nobody_waits_for_fills_no_inbox(outside: Outside) -> None:
    for n in range(1000):
        outside.dispatcher.answered("gnb_7", admitted(n % 60000 + 1), n % 60000 + 1)
    assert list(outside.dispatcher.workers) == []


def test_a_state_of_a_node_without_subscriptions_makes_no_worker(outside: Outside) -> None:
    outside.dispatcher.connection_changed("gnb_1", False, "under reset")
    outside.dispatcher.connection_changed("gnb_1", True)
    assert list(outside.dispatcher.workers) == []


def test_a_lost_connection_reaches_its_node_only(outside: Outside) -> None:
    waiting(outside)
    waiting(outside, "gnb_2", "two")
    outside.dispatcher.connection_changed("gnb_1", False, "under reset")
    turns()
    (note,) = outside.told
    assert note.subscription_id == "one" and note.failure is not None
    assert note.failure.cause == "E2 interface down: under reset"


def test_new_settings_reach_every_node(outside: Outside) -> None:
    outside.post("gnb_1", "one", report(1))
    outside.post("gnb_2", "two", report(1))
    outside.controls = Controls(subscribe_timeout=9.0)
    outside.dispatcher.apply_controls()
    assert {worker.node.controls.subscribe_timeout for worker in outside.dispatcher.workers} == {9.0}
    outside.post("gnb_3", "three", report(1))
    node = outside.dispatcher.node("gnb_3")
    assert node is not None and node.controls.subscribe_timeout == 9.0


def test_the_records_of_each_node_come_back(outside: Outside) -> None:
    outside.post("gnb_1", "one", report(1))
    outside.post("gnb_2", "two", report(1), report(2))
    after = Outside()
    after.dispatcher.restore(by_node(outside.e2.values(), outside.rest.values(), (), lambda meid: True))
    turns()
    held = {worker.meid: sorted(worker.node.subscriptions.e2) for worker in after.dispatcher.workers}
    assert held == {"gnb_1": [1], "gnb_2": [2, 3]}
    assert after.registry.meids == {"one": "gnb_1", "two": "gnb_2"}
    assert after.sent == [] and after.told == []
    after.post("gnb_1", "new", report(9))
    assert after.told[-1].instance_id == 4


def test_a_worker_that_works_on_one_thing_for_too_long_is_named(outside: Outside) -> None:
    outside.post("gnb_1", "one", report(1))
    (worker,) = outside.dispatcher.workers
    assert outside.dispatcher.stuck() == []
    outside.now = 1000.0
    worker.busy_since = 1000.0 - STUCK
    assert outside.dispatcher.stuck() == []
    worker.busy_since = 1000.0 - STUCK - 1.0
    (words,) = outside.dispatcher.stuck()
    assert "gnb_1" in words and "6 s" in words


def test_a_node_of_which_nothing_is_left_is_forgotten_and_known_again_when_needed(outside: Outside) -> None:
    for n in range(20):
        outside.post("gnb_1", f"n{n}", report(1))
        outside.dispatcher.post("gnb_1", e.Unsubscribe(1000 + n, f"n{n}"))
        turns()
        assert list(outside.dispatcher.workers) == []
    assert len(outside.told) == 20
    assert outside.registry.ids.in_use() == 0 and outside.registry.quota.total() == 0


# --- what the E2 node sends is counted whoever it is for


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
