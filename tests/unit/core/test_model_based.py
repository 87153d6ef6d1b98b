# SPDX-License-Identifier: Apache-2.0
"""Any order of requests, answers, silences, failures, losses and kills leaves nothing lost and nothing behind."""

from __future__ import annotations

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.events import Undecodable
from submgr.core.model import Content, Detail, Directives
from submgr.e2ap.messages import ActionType

HOSTS = ("service-ricxapp-a-http", "service-ricxapp-b-http")
CONTENTS = (
    content(),
    content(b"\x09"),
    content(kind=ActionType.INSERT),
    content(kind=ActionType.POLICY),
    content(b"\x0a", ActionType.POLICY),
)
DETAILS = st.lists(
    st.builds(Detail, st.integers(1, 3), st.sampled_from(CONTENTS)),
    min_size=1,
    max_size=3,
    unique_by=lambda d: d.xapp_event_instance_id,
).map(tuple)
DIRECTIVES = st.sampled_from((None, None, Directives(routing=False), Directives(1.0, 1, True)))


class Anything(RuleBasedStateMachine):
    """No loss and no kill: every accepted detail is told exactly once, and everything agrees when quiet."""

    loss = OnE2Loss.DROP

    store_fails = True

    @initialize(ongoing=st.sampled_from((1, 1, 2)), places=st.sampled_from((10_000, 4)))
    def begin(self, ongoing: int, places: int) -> None:
        self.world = World(Controls(max_ongoing=ongoing, on_e2_loss=self.loss), places)
        self.world.store_fails = self.store_fails
        self.lost = False

    def ids(self) -> list[str]:
        return sorted(self.world.node.subscriptions.rest)

    @rule(details=DETAILS, host=st.sampled_from(HOSTS), directives=DIRECTIVES, pick=st.integers(0, 9))
    def subscribe(self, details: tuple[Detail, ...], host: str, directives: Directives | None, pick: int) -> None:
        ids = self.ids()
        known = ids[pick] if pick < len(ids) else None
        if self.world.up:
            self.world.post(request(*details, host=host, directives=directives, subscription_id=known))

    @rule(pick=st.integers(0, 9))
    def unsubscribe(self, pick: int) -> None:
        ids = self.ids()
        self.world.delete(ids[pick % len(ids)] if ids else "never-was")

    @precondition(lambda self: self.world.to_answer)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        self.world.answered(data.draw(st.sampled_from(self.world.to_answer)))

    @precondition(lambda self: self.world.writes)
    @rule(how=st.sampled_from(("ok", "ok", "ok", "ok", "fail", "unknown")))
    def write(self, how: str) -> None:
        self.world.write_next(how)

    @precondition(lambda self: self.world.writes)
    @rule()
    def write_all(self) -> None:
        while self.world.writes:
            self.world.write_next()

    @precondition(lambda self: self.world.route_calls)
    @rule(
        how=st.sampled_from(("ok", "ok", "ok", "refused", "timeout", "unreachable")),
        applied=st.booleans(),
        pick=st.integers(0, 9),
    )
    def route(self, how: str, applied: bool, pick: int) -> None:
        self.world.route_next(how, applied, pick % len(self.world.route_calls))

    @precondition(lambda self: self.world.to_node)
    @rule(how=st.sampled_from(("ok", "ok", "ok", "refuse", "lose", "mute")), partial=st.booleans())
    def node(self, how: str, partial: bool) -> None:
        self.world.node_next(how, partial)

    @precondition(lambda self: self.world.from_node)
    @rule(how=st.sampled_from(("ok", "ok", "ok", "lose", "twice")))
    def node_answer(self, how: str) -> None:
        self.world.answer_next(how)

    @precondition(lambda self: self.world.notifications)
    @rule(pick=st.integers(0, 9))
    def notify(self, pick: int) -> None:
        self.world.notify_next(pick % len(self.world.notifications))

    @rule()
    def settle(self) -> None:
        """A while in which all goes well: what follows meets established subscriptions."""
        self.world.settle()

    @rule(details=DETAILS, host=st.sampled_from(HOSTS))
    def subscribe_well(self, details: tuple[Detail, ...], host: str) -> None:
        if self.world.up:
            self.world.post(request(*details, host=host))
            self.world.settle()

    @rule(pick=st.integers(0, 9), wanted=st.sampled_from(CONTENTS[3:]))
    def update(self, pick: int, wanted: Content) -> None:
        """A POLICY is updated under its own id."""
        holders = [
            (rest, xei)
            for rest in self.world.node.subscriptions.rest.values()
            for xei, instance_id in rest.instances.items()
            if self.world.node.subscriptions.e2[instance_id].content.action_type is ActionType.POLICY
        ]
        if holders and self.world.up:
            rest, xei = holders[pick % len(holders)]
            self.world.post(request(Detail(xei, wanted), host=rest.endpoint.host, subscription_id=rest.subscription_id))

    @rule(wanted=st.sampled_from(CONTENTS[:3]), requestor=st.integers(1, 2))
    def subscribe_over_rmr(self, wanted: Content, requestor: int) -> None:
        self.world.subscribe_over_rmr(wanted, requestor)

    @rule(instance_id=st.integers(1, 6), requestor=st.integers(1, 2))
    def unsubscribe_over_rmr(self, instance_id: int, requestor: int) -> None:
        self.world.unsubscribe_over_rmr(instance_id, requestor)

    @rule(instances=st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True), operator=st.booleans())
    def delete_required(self, instances: list[int], operator: bool) -> None:
        self.world.delete_required(instances, operator)

    @rule(instance_id=st.integers(1, 6))
    def undecodable(self, instance_id: int) -> None:
        self.world.event(Undecodable(instance_id, "cannot be decoded"))

    @rule(seconds=st.sampled_from((0.5, 2.0, 5.0, 12.0)))
    def time(self, seconds: float) -> None:
        if seconds > 3.0:
            self.world.ports_time_out()
        self.world.advance(seconds)

    @invariant()
    def one_procedure_at_a_time(self) -> None:
        if hasattr(self, "world"):
            assert self.world.node._context.queue.slots_held <= self.world.controls.max_ongoing

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.settle()
        world.connect()
        world.settle()
        world.check_quiet()
        self.check_told()
        for token, answer in world.answers.items():
            assert isinstance(answer, c.Accept | c.Refuse | c.ConfirmDelete), token
        for subscription_id in self.ids():
            world.delete(subscription_id)
        world.delete_required(list(world.node.subscriptions.e2), operator=True)
        world.settle()
        world.connect()
        world.settle()
        world.check_quiet()
        assert not world.at_node and not world.routes and not world.store.e2 and not world.store.rest
        assert world.node.idle

    def check_told(self) -> None:
        world = self.world
        told = {}
        for note in world.told:
            key = note.subscription_id, note.xapp_event_instance_id
            told[key] = told.get(key, 0) + 1
            assert (note.failure is None) == (note.instance_id != 0)
        for key, times in world.expected.items():
            if key[0] in world.deleted or self.lost:
                assert told.get(key, 0) <= times + self.lost * 100
            else:
                assert told.get(key, 0) == times, key
        assert set(told) <= set(world.expected) or self.lost


class WithLosses(Anything):
    @rule()
    def lose(self) -> None:
        self.lost = True
        self.world.lose()

    @rule()
    def connect(self) -> None:
        self.lost = True
        self.world.connect()


class WithLossesNotified(WithLosses):
    loss = OnE2Loss.NOTIFY


class WithLossesRestored(WithLosses):
    loss = OnE2Loss.RESTORE


class WithKills(WithLossesRestored):
    """What a write that failed should have kept is lost by a kill before it is repeated: one fault at a time."""

    store_fails = False

    @rule(seed=st.integers(0, 1000))
    def kill(self, seed: int) -> None:
        self.lost = True
        self.world.kill(random.Random(seed))


class WithKillsDropped(WithKills):
    loss = OnE2Loss.DROP


MACHINES = [Anything, WithLosses, WithLossesNotified, WithLossesRestored, WithKills, WithKillsDropped]


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_is_lost_and_nothing_left_behind(machine: type[RuleBasedStateMachine]) -> None:
    """A hundred plays by default; `make fuzz` has very many."""
    run_state_machine_as_test(machine, settings=settings(settings.default, stateful_step_count=40))
