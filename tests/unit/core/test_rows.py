# SPDX-License-Identifier: Apache-2.0
"""Situations of the conformance table, played against the core: what happens when, and what is left."""

from __future__ import annotations

import random

import pytest
from support.core.world import MEID, World, action, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.errors import Source, TimeoutType
from submgr.core.model import Content, Detail, RmrEndpoint
from submgr.e2ap import messages as m
from submgr.e2ap.messages import ActionType

A, B = "service-ricxapp-a-http", "service-ricxapp-b-http"
POLICY = content(kind=ActionType.POLICY)
INSERT = content(kind=ActionType.INSERT)


@pytest.fixture
def world() -> World:
    return World()


def sent(world: World, kind: type) -> list[c.SendToE2]:
    return [x for x in world.log if isinstance(x, c.SendToE2) and isinstance(x.message, kind)]


def routed(world: World) -> list[str]:
    kinds = (c.CreateRoute, c.UpdateRoute, c.DeleteRoute)
    return [type(x).__name__ for x in world.log if isinstance(x, kinds)]


def outcomes(world: World) -> list[tuple[int, int, Source | None]]:
    """(XappEventInstanceId, instance id, ErrorSource) of each notification."""
    return [(n.xapp_event_instance_id, n.instance_id, n.failure.source if n.failure else None) for n in world.told]


def finish(world: World) -> None:
    world.settle()
    world.check_quiet()


# --- routes


def test_update_refused_at_unmerge_is_done_later(world: World) -> None:
    first = world.subscribed(request(host=A))
    world.subscribed(request(host=B))
    world.delete(first)
    world.write_next()
    world.route_next("refused")
    assert first not in world.node.subscriptions.rest, "the xApp's request never fails by it"
    finish(world)
    assert routed(world).count("UpdateRoute") == 3
    assert world.routes == {1: {RmrEndpoint("service-ricxapp-b-rmr", 4560)}}


@pytest.mark.parametrize("how", ["refused", "timeout", "unreachable", "broken"])
def test_route_create_that_fails_leaves_nothing(world: World, how: str) -> None:
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next(how)
    assert outcomes(world) == [(1, 0, Source.RTMGR)]
    timeout = world.told[0].failure.timeout  # type: ignore[union-attr]
    assert timeout == (TimeoutType.RTMGR if how == "timeout" else None)
    finish(world)
    assert not world.routes and not world.node.subscriptions.e2 and not sent(world, m.SubscriptionRequest)


# --- the same request again


def test_again_after_a_failure_is_tried_again(world: World) -> None:
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next()
    world.node_next("refuse")
    world.answer_next()
    first = world.answers[1]
    world.settle()
    assert world.subscribed(request()) == first.subscription_id  # type: ignore[union-attr]
    assert outcomes(world)[-1][1] != 0
    assert len(sent(world, m.SubscriptionRequest)) == 2


def test_again_after_a_delete_is_a_new_one(world: World) -> None:
    first = world.subscribed(request())
    world.delete(first)
    assert world.subscribed(request()) != first
    finish(world)


def test_with_the_id_only_what_is_missing_is_asked_for(world: World) -> None:
    """Of two details one was refused: the repeated request asks the node for that one only."""
    both = (Detail(1, content(b"\1")), Detail(2, content(b"\2")))
    token = world.post(request(*both))
    world.write_next()
    world.answered(token)
    world.write_next()
    world.route_next()
    world.node_next("refuse")
    world.answer_next()
    world.settle()
    subscription_id = world.answers[token].subscription_id  # type: ignore[union-attr]
    world.told.clear()
    world.log.clear()
    world.subscribed(request(*both, subscription_id=subscription_id))
    assert sorted(x for x, number, _ in outcomes(world) if number) == [1, 2]
    assert len(sent(world, m.SubscriptionRequest)) == 1
    finish(world)


def test_a_new_detail_under_a_known_id_is_added(world: World) -> None:
    subscription_id = world.subscribed(request(Detail(1, content())))
    world.subscribed(request(Detail(2, content(b"\7")), subscription_id=subscription_id))
    assert len(world.node.subscriptions.rest[subscription_id].instances) == 2
    finish(world)


def test_another_rmr_endpoint_under_a_known_id_is_refused(world: World) -> None:
    subscription_id = world.subscribed(request())
    token = world.post(request(subscription_id=subscription_id, rmr_port=4999))
    assert isinstance(world.answers[token], c.Refuse) and world.answers[token].status == 400
    world.subscribed(request(subscription_id=subscription_id, http_port=9090))
    assert world.told[-1].endpoint.http_port == 9090
    finish(world)


# --- xApps over RMR


def test_rmr_subscribe_retransmitted_during_the_first_is_dropped(world: World) -> None:
    world.subscribe_over_rmr(content(), xid=b"one")
    world.subscribe_over_rmr(content(), xid=b"one")
    world.settle()
    assert len(world.rmr_answers) == 1
    assert any(isinstance(x, c.Ignored) and x.kind is c.Odd.RETRANSMISSION for x in world.log)


def test_rmr_same_content_with_another_transaction_is_answered_with_the_same_instance(world: World) -> None:
    world.subscribe_over_rmr(content(), xid=b"one")
    world.subscribe_over_rmr(content(), xid=b"two")
    world.settle()
    assert [answer.message.request_id for answer in world.rmr_answers] == [m.RequestId(7, 1)] * 2
    assert len(sent(world, m.SubscriptionRequest)) == 1


def test_rmr_delete_resent_during_and_after(world: World) -> None:
    world.subscribe_over_rmr(content())
    world.settle()
    world.rmr_answers.clear()
    world.unsubscribe_over_rmr(1, xid=b"one")
    world.unsubscribe_over_rmr(1, xid=b"one")
    world.settle()
    world.unsubscribe_over_rmr(1, xid=b"two")
    world.settle()
    assert [type(a.message) for a in world.rmr_answers] == [m.SubscriptionDeleteResponse] * 2
    assert world.node.idle


def test_rmr_silence_of_the_node_is_not_answered_a_refusal_is(world: World) -> None:
    world.subscribe_over_rmr(content())
    world.write_next()
    world.route_next()
    world.advance(5.0)
    world.settle()
    assert world.rmr_answers == []
    world.subscribe_over_rmr(content())
    world.write_next()
    world.route_next()
    world.node_next("refuse")
    world.answer_next()
    world.settle()
    (answer,) = world.rmr_answers
    assert isinstance(answer.message, m.SubscriptionFailure)
    assert answer.message.cause == m.Cause(1, 5)


def test_rmr_request_for_a_node_that_is_down_is_not_answered(world: World) -> None:
    world.lose()
    world.subscribe_over_rmr(content())
    assert world.rmr_answers == [] and world.node.queue_depth == 0


# --- collisions, in parallel


def test_subscribe_during_the_delete_of_the_same_content_is_made_anew(world: World) -> None:
    first = world.subscribed(request())
    world.delete(first)
    world.write_next()
    token = world.post(request(host=B))
    world.write_next()
    world.answered(token)
    finish(world)
    assert outcomes(world)[-1][1] == 2
    assert set(world.at_node) == {2}


def test_two_xapps_at_once_are_one_subscription(world: World) -> None:
    for host in (A, B):
        world.post(request(host=host))
    world.settle()
    assert [number for _, number, _ in outcomes(world)] == [1, 1]
    assert len(sent(world, m.SubscriptionRequest)) == 1
    assert routed(world) == ["CreateRoute", "UpdateRoute"]
    world.check_quiet()


@pytest.mark.parametrize("silent", [False, True])
def test_two_xapps_at_once_when_the_node_says_no_or_nothing(world: World, silent: bool) -> None:
    """The second does not inherit the failure of the first: it asks for itself."""
    for host in (A, B):
        world.post(request(host=host))
    world.write_next()
    world.write_next()
    world.answered(1)
    world.answered(2)
    world.write_next()
    world.route_next()
    if silent:
        world.node_next("lose")
        world.advance(2.1)
        world.node_next("lose")
        world.advance(2.1)
        assert outcomes(world) == [(1, 0, Source.SUBMGR)]
    else:
        world.node_next("refuse")
        world.answer_next()
        assert outcomes(world) == [(1, 0, Source.E2NODE)]
    world.settle()
    assert [source for _, _, source in outcomes(world)][1:] == [None]
    world.check_quiet()


def test_two_that_fight_over_one_content(world: World) -> None:
    """One deletes while the other subscribes, a thousand times in random order."""
    rng = random.Random(4)
    ids: dict[str, str] = {}
    for _ in range(1000):
        host = rng.choice((A, B))
        if host in ids and rng.random() < 0.5:
            world.delete(ids.pop(host))
        else:
            token = world.post(request(host=host))
            while token not in world.answers:
                world.write_next()
            answer = world.answers[token]
            assert isinstance(answer, c.Accept), answer
            ids[host] = answer.subscription_id
        for _ in range(rng.randint(0, 6)):
            one_step(world, rng)
    finish(world)
    assert set(world.node.subscriptions.rest) == set(ids.values())
    for left in list(world.node.subscriptions.rest):
        world.delete(left)
    finish(world)
    assert not world.at_node and not world.routes and not world.store.rest and not world.store.e2


def one_step(world: World, rng: random.Random) -> None:
    steps = [
        (world.writes, world.write_next),
        (world.to_answer, lambda: world.answered(world.to_answer[0])),
        (world.route_calls, world.route_next),
        (world.to_node, world.node_next),
        (world.from_node, world.answer_next),
        (world.notifications, world.notify_next),
    ]
    ready = [step for waiting, step in steps if waiting]
    if ready:
        rng.choice(ready)()


# --- answers of the node


@pytest.mark.parametrize("lost", [1, 2])
def test_deletes_are_sent_again(world: World, lost: int) -> None:
    """The second send is answered; or none is: ours is gone, the id waits, one more at the next connection."""
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    for _ in range(lost):
        world.node_next("lose")
        world.advance(2.1)
    world.settle()
    deletes = sent(world, m.SubscriptionDeleteRequest)
    assert [d.resend for d in deletes] == [False, True]
    if lost == 2:
        assert 1 in world.at_node and world.node.removals.get(1) is not None
        world.connect()
        finish(world)
        assert len(sent(world, m.SubscriptionDeleteRequest)) == 3
    assert not world.at_node and not world.node.subscriptions.e2


def test_a_delete_that_is_refused_ends_there(world: World) -> None:
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    world.at_node.clear()
    world.node_next("refuse")
    world.answer_next()
    finish(world)
    assert len(sent(world, m.SubscriptionDeleteRequest)) == 1


def test_refusal_of_a_resend_is_undone_at_the_node(world: World) -> None:
    """The first send may have been taken and only its answer lost."""
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next()
    world.node_next("mute")
    world.advance(2.1)
    world.node_next("refuse")
    world.answer_next()
    finish(world)
    assert outcomes(world) == [(1, 0, Source.E2NODE)]
    assert len(sent(world, m.SubscriptionDeleteRequest)) == 1
    assert not world.at_node


ANSWERS: list[e.Event] = [
    m.SubscriptionResponse(m.RequestId(123, 9), 2, (1,)),
    m.SubscriptionFailure(m.RequestId(123, 9), 2, m.Cause(1, 0)),
    m.SubscriptionDeleteResponse(m.RequestId(123, 9), 2),
    m.SubscriptionDeleteFailure(m.RequestId(123, 9), 2, m.Cause(1, 0)),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: type(a).__name__)
def test_answers_nobody_waits_for_change_nothing(world: World, answer: e.Event) -> None:
    world.subscribed(request())
    before = world.node.subscriptions.e2[1].record()
    assert [type(x) for x in world.event(answer)] == [c.Ignored]
    known = type(answer)(m.RequestId(123, 1), *[getattr(answer, f) for f in answer.__slots__[1:]])  # type: ignore[call-arg]
    assert [type(x) for x in world.event(known)] == [c.Ignored]
    assert world.node.subscriptions.e2[1].record() == before
    world.check_quiet()


def test_an_undecodable_answer_is_the_reason_when_no_other_comes(world: World) -> None:
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next()
    world.node_next("lose")
    world.event(e.Undecodable(1, "the codec's own words"))
    world.advance(4.1)
    (told,) = world.told
    assert told.failure is not None
    assert (told.failure.cause, told.failure.source) == ("the codec's own words", Source.ASN1)


def test_what_cannot_be_encoded(world: World) -> None:
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next()
    step = world.to_node.pop().step
    world.event(e.EncodeFailed(step, "too many actions"))
    assert outcomes(world) == [(1, 0, Source.ASN1)]
    finish(world)


def test_a_delete_that_cannot_be_encoded_leaves_nothing_of_ours(world: World) -> None:
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    step = world.to_node.pop().step
    world.event(e.EncodeFailed(step, "no"))
    world.settle()
    assert not world.node.subscriptions.e2 and not world.routes and not world.store.rest


# --- policy


def test_policy_updates(world: World) -> None:
    """Answered: new content. Refused: old content. Unanswered: new content, marked. Never deleted."""
    subscription_id = world.subscribed(request(Detail(1, POLICY)))

    def update(trigger: bytes) -> Content:
        wanted = content(trigger, ActionType.POLICY)
        token = world.post(request(Detail(1, wanted), subscription_id=subscription_id))
        world.write_next()
        world.answered(token)
        world.write_next()
        return wanted

    second = update(b"\2")
    assert world.store.e2[1].policy_update
    finish(world)
    assert world.node.subscriptions.e2[1].content == second
    assert not world.store.e2[1].policy_update
    update(b"\3")
    world.node_next("refuse")
    world.answer_next()
    finish(world)
    assert world.store.e2[1].content == second
    fourth = update(b"\4")
    world.node_next("mute")
    world.advance(2.1)
    world.node_next("mute")
    world.advance(2.1)
    world.settle()
    assert (world.store.e2[1].content, world.store.e2[1].policy_update) == (fourth, True)
    assert [number for _, number, _ in outcomes(world)] == [1, 1, 0, 0]
    assert routed(world) == ["CreateRoute"]
    world.delete(subscription_id)
    finish(world)
    assert not world.at_node


def test_a_restart_in_the_middle_of_a_policy_update_keeps_it(world: World) -> None:
    subscription_id = world.subscribed(request(Detail(1, POLICY)))
    wanted = content(b"\2", ActionType.POLICY)
    token = world.post(request(Detail(1, wanted), subscription_id=subscription_id))
    world.write_next()
    world.answered(token)
    world.write_next()
    world.kill()
    world.settle()
    assert list(world.node.subscriptions.e2) == [1]
    assert world.at_node.keys() == {1}


@pytest.mark.parametrize("number", [2, 19])
def test_policies_in_one_request_are_subscriptions_of_their_own(world: World, number: int) -> None:
    world.subscribed(request(*[Detail(n, POLICY) for n in range(number)]))
    assert len(world.at_node) == number
    finish(world)


def test_nineteen_reports_and_inserts_in_one_request(world: World) -> None:
    kinds = (ActionType.REPORT, ActionType.INSERT)
    world.subscribed(request(*[Detail(n, content(bytes([n]), kinds[n % 2])) for n in range(19)]))
    assert len(world.at_node) == 19
    finish(world)


BASE = Content(2, b"\1\2", (action(1), action(2)))
OTHERS = {
    "other trigger length": Content(2, b"\1\2\3", (action(1), action(2))),
    "other number of actions": Content(2, b"\1\2", (action(1),)),
    "other action id": Content(2, b"\1\2", (action(1), action(3))),
    "other action type": Content(2, b"\1\2", (action(1, ActionType.INSERT), action(2, ActionType.INSERT))),
    "policy": Content(2, b"\1\2", (action(1, ActionType.POLICY), action(2, ActionType.POLICY))),
    "other definition length": Content(2, b"\1\2", (action(1, definition=b"\5"), action(2))),
    "other definition": Content(2, b"\1\2", (action(1, definition=b"\5\7"), action(2))),
    "no definition": Content(2, b"\1\2", (m.Action(1, ActionType.REPORT), action(2))),
    "other subsequent action": Content(
        2,
        b"\1\2",
        (
            m.Action(1, ActionType.REPORT, b"\5\6", m.SubsequentAction(m.SubsequentActionType.WAIT, m.TimeToWait.W1S)),
            action(2),
        ),
    ),
    "other RAN function": Content(3, b"\1\2", (action(1), action(2))),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_what_differs_is_not_merged(world: World, other: Content) -> None:
    world.subscribed(request(Detail(1, BASE), host=A))
    world.subscribed(request(Detail(1, other), host=B))
    assert len(world.at_node) == 2
    finish(world)


def test_the_order_of_actions_does_not_matter(world: World) -> None:
    world.subscribed(request(Detail(1, BASE), host=A))
    world.subscribed(request(Detail(1, Content(2, b"\1\2", (action(2), action(1)))), host=B))
    assert len(world.at_node) == 1
    finish(world)


def test_the_same_endpoint_again_needs_no_route_and_no_e2(world: World) -> None:
    world.subscribed(request(Detail(1, content())))
    world.log.clear()
    world.subscribed(request(Detail(2, content())))
    assert routed(world) == [] and sent(world, m.SubscriptionRequest) == []
    assert outcomes(world)[-1] == (2, 1, None)
    finish(world)


def test_an_insert_is_not_merged_by_endpoint(world: World) -> None:
    world.subscribed(request(Detail(1, INSERT)))
    world.subscribed(request(Detail(2, INSERT)))
    assert len(world.at_node) == 2
    finish(world)


# --- the E2 connection


@pytest.mark.parametrize("policy", list(OnE2Loss))
def test_a_break_during_a_delete_ends_it(policy: OnE2Loss) -> None:
    world = World(Controls(on_e2_loss=policy))
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    world.lose()
    finish(world)
    assert not world.node.subscriptions.rest and not world.routes


def test_flapping_a_thousand_times_under_load() -> None:
    world = World(Controls(on_e2_loss=OnE2Loss.RESTORE))
    rng = random.Random(7)
    for n in range(1000):
        if world.up:
            world.post(request(Detail(n, content(bytes([n % 7]))), host=rng.choice((A, B))))
        for _ in range(rng.randint(0, 8)):
            one_step(world, rng)
        if rng.random() < 0.5:
            world.lose()
        else:
            world.connect()
    world.connect()
    finish(world)
    for left in list(world.node.subscriptions.rest):
        world.delete(left)
    finish(world)
    assert world.node.idle


def test_delete_required_for_one_several_unknown_and_one_being_deleted(world: World) -> None:
    details = [Detail(n, content(bytes([n]))) for n in range(1, 5)]
    subscription_id = world.subscribed(request(*details))
    other = world.subscribed(request(Detail(9, content(b"\x09")), host=B))
    world.delete(other)
    world.delete_required([1, 2, 5, 77])
    finish(world)
    assert set(world.node.subscriptions.rest[subscription_id].instances.values()) == {3, 4}
    assert set(world.at_node) == {3, 4}


# --- instance ids


def test_no_id_left_is_told() -> None:
    world = World()
    world.registry.ids._fresh = 65534
    world.subscribed(request(Detail(1, content(b"\1")), Detail(2, content(b"\2"))))
    assert sorted(outcomes(world), key=str) == [(1, 65534, None), (2, 0, Source.SUBMGR)]
    finish(world)


def test_an_id_is_not_free_while_its_route_or_record_remains(world: World) -> None:
    subscription_id = world.subscribed(request())
    world.delete(subscription_id)
    world.write_next()
    world.node_next()
    world.answer_next()
    world.route_next("unreachable")
    assert world.registry.ids.owner(1) == MEID
    while world.writes:
        world.write_next()
    assert world.registry.ids.owner(1) == MEID
    world.advance(10.1)
    world.route_next()
    assert world.registry.ids.owner(1) is None
    finish(world)


def test_three_requests_while_a_merge_waits_for_its_route(world: World) -> None:
    world.subscribed(request(host=A))
    world.post(request(host=B))
    for n in (3, 4, 5):
        world.post(request(Detail(n, content(bytes([n]))), host=A))
    while world.writes or world.to_answer:
        if world.to_answer:
            world.answered(world.to_answer[0])
        else:
            world.write_next()
    slow = next(i for i, call in enumerate(world.route_calls) if isinstance(call, c.UpdateRoute))
    waiting = world.route_calls.pop(slow)
    for _ in range(3):
        while world.writes:
            world.write_next()
        world.route_next()
        world.node_next()
        world.answer_next()
    while world.writes:
        world.write_next()
    assert {xei for xei, number, _ in outcomes(world) if number} == {1, 3, 4, 5}
    world.route_calls.append(waiting)
    finish(world)
