# SPDX-License-Identifier: Apache-2.0
"""The worker: performs what the core wants through the ports, and waits for nothing but its inbox and its timers."""

from __future__ import annotations

import gevent
import pytest
from support.core.outside import Outside, report, turns
from support.waiting import turns_until

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.errors import Source, TimeoutType
from submgr.core.model import Content, Detail, RmrEndpoint
from submgr.e2ap import codec
from submgr.e2ap import messages as m
from submgr.e2ap.messages import Action, ActionType
from submgr.platform.turns import turn
from submgr.runtime.ports import MType, RouteFailure, WriteFailure


@pytest.fixture
def outside() -> Outside:
    return Outside()


TIMER = 1e-6
"""Seconds. By the clock of these tests it expires when the test says so; the event loop wakes the worker at once."""


def expire(outside: Outside) -> None:
    """The clock goes past the next timer."""
    assert outside.now is not None
    outside.now += 2 * TIMER
    turns()


def failures(outside: Outside) -> list[str]:
    return [note.failure.cause for note in outside.told if note.failure is not None]


def too_many_actions(xei: int) -> Detail:
    """17 actions: one more than E2AP can encode."""
    return Detail(xei, Content(2, b"\1", tuple(Action(n, ActionType.REPORT, b"\1") for n in range(17))))


def test_a_subscription_from_the_request_to_the_notification(outside: Outside) -> None:
    outside.post("gnb_1", "one", report(1))
    assert outside.sent == [("gnb_1", MType.SUBSCRIBE, 1)]
    (note,) = outside.told
    assert (note.subscription_id, note.xapp_event_instance_id, note.instance_id) == ("one", 1, 1)
    assert outside.e2[1].completed and outside.e2[1].holders[0].notified
    outside.dispatcher.post("gnb_1", e.Unsubscribe(99, "one"))
    turns()
    assert outside.replies[-1] == c.ConfirmDelete(99)
    assert outside.dropped == ["one"]
    assert not outside.e2 and not outside.rest
    assert list(outside.dispatcher.workers) == []


def test_every_command_has_a_performer_or_is_for_logs_only(outside: Outside) -> None:
    outside.post("gnb_1", "one", report(1))
    (worker,) = outside.dispatcher.workers
    kinds = set(c.Command.__args__)  # type: ignore[attr-defined]
    assert kinds == set(worker._perform)
    told = {kind for kind, perform in worker._perform.items() if perform == worker._only_tell}
    assert told == {c.Finished, c.Ignored, c.Noted}


def test_each_event_is_seen_with_what_came_of_it(outside: Outside) -> None:
    outside.post("gnb_1", "one", report(1))
    events = [type(event).__name__ for _, event, _ in outside.seen]
    assert events[0] == "Subscribe"
    for name in ("Saved", "Answered", "RouteDone", "SubscriptionResponse", "Notified"):
        assert name in events
    finished = [x for _, _, commands in outside.seen for x in commands if isinstance(x, c.Finished)]
    assert [(x.procedure, x.outcome.value) for x in finished] == [("subscribe", "success")]


@pytest.mark.parametrize("timed_out", [False, True])
def test_a_write_that_fails_is_told_in_the_words_of_the_store(outside: Outside, timed_out: bool) -> None:
    outside.write_fails = WriteFailure("disk full", timed_out)
    outside.post("gnb_1", "one", report(1))
    (note,) = outside.told
    assert note.failure is not None
    assert (note.failure.source, note.failure.cause) == (Source.DBAAS, "disk full")
    assert note.failure.timeout == (TimeoutType.DBAAS if timed_out else None)
    assert outside.sent == []


@pytest.mark.parametrize("kind", list(e.RouteFailureKind))
def test_a_route_that_fails_is_told_in_the_words_of_the_routing_manager(
    outside: Outside, kind: e.RouteFailureKind
) -> None:
    outside.route_fails = RouteFailure(kind, "503 overloaded")
    outside.post("gnb_1", "one", report(1))
    (note,) = outside.told
    assert note.failure is not None
    assert note.failure.source is Source.RTMGR and note.failure.cause.endswith("503 overloaded")
    assert outside.sent == [] and outside.e2 == {}


def test_what_the_codec_refuses_is_told_in_its_words_and_not_sent(outside: Outside) -> None:
    outside.post("gnb_1", "one", too_many_actions(1), report(2))
    assert outside.sent == [("gnb_1", MType.SUBSCRIBE, 2)]
    (note,) = [note for note in outside.told if note.failure is not None]
    assert note.failure.source is Source.ASN1
    assert "ricAction-ToBeSetup-List" in note.failure.cause
    assert [note.instance_id for note in outside.told if note.failure is None] == [2]


def test_a_silent_node_is_asked_again_when_the_timer_says_so(outside: Outside) -> None:
    outside.now = 0.0
    outside.controls = Controls(subscribe_timeout=TIMER, subscribe_tries=3, delete_timeout=TIMER, delete_tries=1)
    outside.silent.add("gnb_1")
    outside.post("gnb_1", "one", report(1))
    for n in (1, 2):
        expire(outside)
        assert [mtype for _, mtype, _ in outside.sent] == [MType.SUBSCRIBE] * (n + 1)
    expire(outside)
    assert outside.told and outside.e2
    expire(outside)
    assert not outside.e2
    assert [mtype for _, mtype, _ in outside.sent] == [MType.SUBSCRIBE] * 3 + [MType.DELETE]
    assert failures(outside) == ["E2 RICSubscriptionResponse timeout"]


def test_a_silent_node_holds_up_no_other(outside: Outside) -> None:
    outside.silent.add("gnb_1")
    outside.post("gnb_1", "slow", report(1))
    outside.post("gnb_2", "quick", report(1))
    assert [note.subscription_id for note in outside.told] == ["quick"]


def test_a_send_that_does_not_leave_is_named(outside: Outside) -> None:
    outside.now = 0.0
    outside.controls = Controls(subscribe_timeout=TIMER, subscribe_tries=1)
    outside.not_sent = "no RMR route"
    outside.post("gnb_1", "one", report(1))
    expire(outside)
    assert failures(outside) == ["E2 RICSubscriptionResponse timeout (not sent: no RMR route)"]


def test_an_xapp_over_rmr_is_answered_with_the_right_type(outside: Outside) -> None:
    source = RmrEndpoint("xapp-rmr", 4560)
    content = report(1).content
    outside.dispatcher.post("gnb_1", e.SubscribeOverRmr(1, source, b"a", 7, content))
    turns()
    outside.dispatcher.post("gnb_1", e.SubscribeOverRmr(2, source, b"b", 7, too_many_actions(1).content))
    turns()
    outside.dispatcher.post("gnb_1", e.UnsubscribeOverRmr(3, source, b"c", 7, 1, 2))
    turns()
    assert [(token, mtype) for token, mtype, _, _ in outside.answers] == [
        (1, MType.SUBSCRIBED),
        (2, MType.SUBSCRIBE_FAILED),
        (3, MType.DELETED),
    ]
    token, _, instance, payload = outside.answers[0]
    assert codec.decode(payload) == m.SubscriptionResponse(m.RequestId(7, instance), 2, (1,))
    assert token == 1


def test_others_get_a_turn_while_one_has_very_much_to_do(outside: Outside) -> None:
    """A thousand details of one node; another node's request is dealt with in between."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            turn()

    ticking = gevent.spawn(tick)
    details = [Detail(n, Content(2, n.to_bytes(4, "big"), report(1).content.actions)) for n in range(1000)]
    flood = outside.post("gnb_3", "flood", *details, answered=False)
    small = outside.post("gnb_2", "small", report(1), answered=False)
    outside.dispatcher.post("gnb_3", e.Answered(flood))
    outside.dispatcher.post("gnb_2", e.Answered(small))
    turns_until(lambda: len(outside.told) >= 1001)
    ticking.kill()
    order = [note.subscription_id for note in outside.told]
    assert order.index("small") < len(order) - 1
    assert ticks > 50


def test_a_worker_ends_when_nothing_is_known_of_its_node(outside: Outside) -> None:
    outside.dispatcher.post("gnb_9", e.Unsubscribe(5, "never-was"))
    turns()
    assert outside.replies == [c.ConfirmDelete(5)]
    assert list(outside.dispatcher.workers) == []


def test_stopped_it_performs_nothing_more(outside: Outside) -> None:
    outside.post("gnb_1", "one", report(1))
    outside.dispatcher.stop()
    turns()
    outside.dispatcher.post("gnb_1", e.Unsubscribe(5, "one"))
    turns()
    assert c.ConfirmDelete(5) not in outside.replies


def test_a_request_that_cannot_be_encoded_is_not_counted_as_sent() -> None:
    outside = Outside()
    actions = tuple(Action(n, ActionType.REPORT) for n in range(17))
    outside.post("gnb_1", "too-many", Detail(1, Content(2, b"\1", actions)))
    turns()
    (note,) = outside.told
    assert note.failure is not None and note.failure.source is Source.ASN1
    assert not any(isinstance(x, c.SendToE2) for _, _, commands in outside.seen for x in commands)
    assert any(isinstance(x, c.Notify) for _, _, commands in outside.seen for x in commands)
    assert outside.e2 == {}
