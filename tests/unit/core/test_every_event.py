# SPDX-License-Identifier: Apache-2.0
"""Each waiting state of each procedure meets each event: it goes where its table says, or nothing changes.

And whatever happened, when all goes well from then on, the node, the routes, the store and the lists agree.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from support.core.world import World, content, request

from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.events import Expired, GaveUp, Lost, Resend
from submgr.core.model import Detail
from submgr.core.procedures.admission import Admission
from submgr.core.procedures.base import Procedure
from submgr.core.procedures.base import State as S
from submgr.core.procedures.cleanup import Cleanup
from submgr.core.procedures.delete import Delete
from submgr.core.procedures.merge import Merge
from submgr.core.procedures.policy_update import PolicyUpdate
from submgr.core.procedures.resubscribe import Resubscribe
from submgr.core.procedures.routes import Routes
from submgr.core.procedures.subscribe import Subscribe
from submgr.core.procedures.withdrawal import Withdrawal
from submgr.e2ap import messages as m
from submgr.e2ap.messages import ActionType

A, B = request(), request(host="service-ricxapp-b-http")
POLICY = request(Detail(1, content(kind=ActionType.POLICY)))
UPDATE = request(Detail(1, content(b"\x0f", ActionType.POLICY)), subscription_id="rest-0001")


def establish(world: World) -> None:
    world.post(A)
    world.write_next()
    world.answered(1)


def join(world: World) -> None:
    world.subscribed(A)
    world.post(B)
    world.write_next()
    world.answered(2)


def policy(world: World) -> None:
    world.subscribed(POLICY)
    world.post(UPDATE)
    world.write_next()
    world.answered(2)


def teardown(world: World) -> None:
    world.subscribed(A)
    world.delete_required([1])


def unanswered_teardown(world: World) -> None:
    """Up to the note of what is left of it."""
    teardown(world)
    write(world)
    silence(world)
    world.route_next()


def unmerge(world: World) -> None:
    world.subscribed(A)
    world.subscribed(B)
    world.delete("rest-0001")
    world.write_next()


def unmerge_over_rmr(world: World) -> None:
    """What an RMR xApp leaves is written down first."""
    world.subscribe_over_rmr(content())
    world.settle()
    world.subscribed(B)
    world.unsubscribe_over_rmr(1)


def restore(world: World) -> None:
    world.subscribed(A)
    world.lose()
    write(world)
    world.connect()


def cleanup(world: World) -> None:
    """A delete that was never answered and a route that was not removed; then the node comes back."""
    teardown(world)
    write(world)
    silence(world)
    world.route_next("refused")
    while world.writes:
        world.write_next()
    world.connect()


def admission(world: World) -> None:
    world.post(A)


def withdrawal(world: World) -> None:
    world.subscribed(A)
    world.delete("rest-0001")


def write(world: World) -> None:
    while world.writes:
        world.write_next()


def silence(world: World) -> None:
    for _ in range(2):
        world.node_next("lose")
        world.advance(world.node.deadline - world.now)  # type: ignore[operator]


def route(world: World) -> None:
    world.route_next()


def answer(world: World) -> None:
    world.node_next()
    world.answer_next()


Move = Callable[[World], None]
WAYS: dict[tuple[type[Procedure], S], tuple[Move, ...]] = {
    (Admission, S.SAVING): (admission,),
    (Admission, S.ANSWERING): (admission, write),
    (Withdrawal, S.SAVING): (withdrawal,),
    (Subscribe, S.SAVING): (establish,),
    (Subscribe, S.ROUTING): (establish, write),
    (Subscribe, S.REQUESTED): (establish, write, route),
    (Subscribe, S.COMPLETING): (establish, write, route, answer),
    (Merge, S.SAVING): (join,),
    (Merge, S.ROUTING): (join, write),
    (Routes, S.SAVING): (unmerge_over_rmr,),
    (Routes, S.ROUTING): (unmerge,),
    (PolicyUpdate, S.SAVING): (policy,),
    (PolicyUpdate, S.REQUESTED): (policy, write),
    (PolicyUpdate, S.COMPLETING): (policy, write, answer),
    (Delete, S.SAVING): (teardown,),
    (Delete, S.DELETING): (teardown, write),
    (Delete, S.UNROUTING): (teardown, write, answer),
    (Delete, S.NOTING): (unanswered_teardown,),
    (Delete, S.ERASING): (teardown, write, answer, route),
    (Resubscribe, S.REQUESTED): (restore,),
    (Cleanup, S.DELETING): (cleanup,),
    (Cleanup, S.UNROUTING): (cleanup, answer),
}


def arrive(kind: type[Procedure], state: S) -> tuple[World, Procedure]:
    world = World(Controls(on_e2_loss=OnE2Loss.RESTORE))
    for move in WAYS[kind, state]:
        move(world)
    (found,) = [p for p in world.node._context.awaited.values() if type(p) is kind]
    assert found.state is state, found.state
    return world, found


def by_write(how: str) -> Move:
    return lambda world: world.write_next(how)


def by_route(how: str, applied: bool = True) -> Move:
    return lambda world: world.route_next(how, applied)


def by_node(how: str) -> Move:
    def move(world: World) -> None:
        world.node_next(how)
        world.answer_next()

    return move


def expire(world: World) -> None:
    """The next timer, and nothing before it."""
    world.advance(world.node.deadline - world.now)  # type: ignore[operator]


def never_leave(world: World) -> None:
    """No send can be encoded."""
    world.to_node.clear()
    step = next(p.step for p in world.node._context.talking.values())
    world.event(e.EncodeFailed(step, "too long"))


WRITES = (S.SAVING, S.COMPLETING, S.NOTING, S.ERASING)
ROUTES = (S.ROUTING, S.UNROUTING)
ASKS = (S.REQUESTED, S.DELETING)


def happenings(state: S) -> dict[str, Move]:
    """What can come from outside in such a state, by name."""
    if state is S.ANSWERING:
        return {"sent": lambda w: w.answered(w.to_answer[0]), "expire": expire, "delete": withdraw, "lose": World.lose}
    found: dict[str, Move] = {"expire": expire, "delete": withdraw, "lose": World.lose, "connect": World.connect}
    found["revoke"] = lambda world: world.delete_required(list(world.node.subscriptions.e2), operator=True)
    if state in WRITES:
        found |= {how: by_write(how) for how in ("ok", "fail", "unknown")}
    if state in ROUTES:
        found |= {how: by_route(how) for how in ("ok", "refused", "unreachable", "broken", "timeout")}
        found["timeout, not done"] = by_route("timeout", applied=False)
    if state in ASKS:
        found |= {how: by_node(how) for how in ("ok", "refuse")}
        found["unencodable"] = never_leave
    return found


def withdraw(world: World) -> None:
    for subscription_id in list(world.node.subscriptions.rest):
        world.delete(subscription_id)


# the last try of a delete: one that cannot be encoded stays so
HOPELESS = (Cleanup, "unencodable")
CASES = [(kind, state, name) for kind, state in WAYS for name in happenings(state) if (kind, name) != HOPELESS]


def finish(world: World) -> None:
    world.settle()
    world.connect()
    world.settle()
    world.check_quiet()
    withdraw(world)
    world.delete_required(list(world.node.subscriptions.e2), operator=True)
    world.settle()
    world.check_quiet()
    assert not world.at_node and not world.routes and not world.store.e2 and not world.store.rest


def test_every_waiting_state_is_here() -> None:
    kinds = {kind for kind, _ in WAYS}
    waiting = {(k, s) for k in kinds for s, row in k.TABLE.items() if row.timer is not None}
    assert waiting == set(WAYS)
    assert kinds == {Admission, Withdrawal, Subscribe, Merge, Routes, PolicyUpdate, Delete, Resubscribe, Cleanup}


@pytest.mark.parametrize(("kind", "state", "name"), CASES, ids=[f"{k.__name__}-{s.name}-{n}" for k, s, n in CASES])
def test_whatever_happens_everything_agrees_afterwards(kind: type[Procedure], state: S, name: str) -> None:
    world, _ = arrive(kind, state)
    happenings(state)[name](world)
    finish(world)


def two_faults(state: S, name: str) -> bool:
    """A store that fails, or hangs with a note that nothing else tells, and then a kill: more than is promised."""
    return name in ("fail", "unknown") or (state is S.NOTING and name == "expire")


KILLED = [case for case in CASES if not two_faults(*case[1:])]


@pytest.mark.parametrize(("kind", "state", "name"), KILLED, ids=[f"{k.__name__}-{s.name}-{n}" for k, s, n in KILLED])
def test_whatever_happens_and_then_a_kill(kind: type[Procedure], state: S, name: str) -> None:
    world, _ = arrive(kind, state)
    happenings(state)[name](world)
    world.kill()
    finish(world)


STRANGERS: dict[type, Callable[[Procedure], object]] = {
    e.Saved: lambda p: e.Saved(p.step),
    e.SaveFailed: lambda p: e.SaveFailed(p.step, "no"),
    e.RouteDone: lambda p: e.RouteDone(p.step),
    e.RouteFailed: lambda p: e.RouteFailed(p.step, e.RouteFailureKind.REFUSED, "no"),
    e.EncodeFailed: lambda p: e.EncodeFailed(p.step, "no"),
    m.SubscriptionResponse: lambda p: m.SubscriptionResponse(m.RequestId(123, 1), 2, (1,)),
    m.SubscriptionFailure: lambda p: m.SubscriptionFailure(m.RequestId(123, 1), 2, m.Cause(1, 5)),
    m.SubscriptionDeleteResponse: lambda p: m.SubscriptionDeleteResponse(m.RequestId(123, 1), 2),
    m.SubscriptionDeleteFailure: lambda p: m.SubscriptionDeleteFailure(m.RequestId(123, 1), 2, m.Cause(1, 5)),
    Expired: lambda p: Expired(),
    Resend: lambda p: Resend(),
    GaveUp: lambda p: GaveUp(),
    Lost: lambda p: Lost(""),
    e.Answered: lambda p: e.Answered(99),
}


@pytest.mark.parametrize(("kind", "state"), list(WAYS), ids=[f"{k.__name__}-{s.name}" for k, s in WAYS])
def test_an_event_that_is_not_in_the_table_changes_nothing(kind: type[Procedure], state: S) -> None:
    world, procedure = arrive(kind, state)
    table = kind.TABLE[state].to
    before = (procedure.state, procedure.step, world.node.deadline, list(world.log))
    for event, make in STRANGERS.items():
        if event in table:
            continue
        assert procedure.feed(make(procedure), world.now) is False, event
        assert (procedure.state, procedure.step, world.node.deadline, list(world.log)) == before, event
    finish(world)


@pytest.mark.parametrize(("kind", "state"), list(WAYS), ids=[f"{k.__name__}-{s.name}" for k, s in WAYS])
def test_answers_to_what_was_asked_before_change_nothing(kind: type[Procedure], state: S) -> None:
    """The step of an earlier state, answered late."""
    world, procedure = arrive(kind, state)
    before = (procedure.state, world.node.deadline)
    for step in range(procedure.step):
        if step in world.node._context.awaited or step in {getattr(w, "step", None) for w in world.writes}:
            continue
        for event in (e.SaveFailed(step, "late"), e.RouteFailed(step, e.RouteFailureKind.TIMEOUT, "late")):
            assert world.event(event) == []
    assert (procedure.state, world.node.deadline) == before
    finish(world)


def test_it_is_told_which_world_it_is() -> None:
    """The four requests of this page are different subscriptions where they have to be."""
    assert A.digest() != B.digest() != POLICY.digest()
    assert replace(UPDATE, subscription_id=None).digest() != POLICY.digest()
