# SPDX-License-Identifier: Apache-2.0
"""Rounds relieve platforms over the limits; withdrawn platforms are emptied."""

from collections.abc import Collection, Iterator

import pytest
from support.mec.meo_world import World, admit_on, app, rounds, wish, world_with_rounds

from mec.meo.errors import Conflict, Rejected
from mec.meo.model import Context, Platform
from mec.meo.settings import MeoSettings


@pytest.fixture
def world() -> Iterator[World]:
    yield from world_with_rounds()


def test_nothing_to_do(world: World) -> None:
    world.platform("p1")
    world.platform("idle", load=1.0)
    admit_on(world, "p1")
    assert rounds(world) == []
    assert world.orchestrator.optimiser.plan() == []


def test_the_newest_context_of_the_worst_platform_moves(world: World) -> None:
    for name in ("bad", "worse", "target"):
        world.platform(name)
    admit_on(world, "bad")
    older = admit_on(world, "worse")
    newer = admit_on(world, "worse")
    world.inventory.tell("bad", load=0.85)
    world.inventory.tell("worse", key=0.0)
    assert rounds(world) == [(newer.id, "worse", "target")]
    # now it is in its cooldown, wherever it is
    assert rounds(world) == [(older.id, "worse", "target")]
    assert [migration[1] for migration in rounds(world)] == ["bad"]
    assert rounds(world) == []


def test_cooldown_ends(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    assert rounds(world) == [(context.id, "p1", "p2")]
    world.time += 59.0
    world.inventory.tell("p1", load=0.1, key=0.5)
    world.inventory.tell("p2", load=0.9, key=0.5)
    assert rounds(world) == []
    world.time += 1.0
    assert rounds(world) == [(context.id, "p2", "p1")]


@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_migrations_per_round(limit: int) -> None:
    world = World(MeoSettings(period=3600.0, migrations_per_round=limit))
    world.start()
    world.inventory.add_app(app())
    world.platform("p1")
    world.platform("p2")
    for _ in range(3):
        admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    planned = world.orchestrator.optimiser.plan()
    moved = world.orchestrator.optimiser.round()
    assert moved == planned
    assert len(moved) == min(limit, 3)
    assert len({migration.context_id for migration in moved}) == len(moved)
    world.stop()


def test_a_plan_changes_nothing_and_comes_true(world: World) -> None:
    for name in ("p1", "p2", "p3", "p4"):
        world.platform(name)
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    planned = world.orchestrator.optimiser.plan()
    assert planned == world.orchestrator.optimiser.plan()
    assert world.where(context) == "p1"
    assert world.orchestrator.optimiser.round() == planned
    assert planned[0].reason == "load 0.9 is over 0.8"


def test_made_before_it_is_broken(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    steps = []

    def note(operation: str, key: str, name: str) -> None:
        stored = world.records("meo_contexts").get(context.id, {})
        steps.append((operation, name, stored.get("platform")))

    world.before_driver = note
    rounds(world)
    world.finish()
    assert steps == [("deploy", "p2", "p1"), ("remove", "p1", "p2")]
    assert world.present() == {"p2": {app().key}}


def test_a_round_stops_at_the_first_context_without_a_target(world: World) -> None:
    world.inventory.add_app(app("bound", whitelist=["worst"]))
    for name in ("bad", "worst", "target"):
        world.platform(name)
    admit_on(world, "bad")
    admit_on(world, "worst", "bound")
    world.inventory.tell("bad", load=0.9)
    world.inventory.tell("worst", load=1.0)
    assert rounds(world) == []


def test_stale_telemetry_makes_neither_violators_nor_targets(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    world.time += 31.0
    assert rounds(world) == []
    world.inventory.tell("p1", load=0.9, key=0.5)
    assert rounds(world) == []
    assert world.orchestrator.optimiser.plan() == []
    world.inventory.tell("p2", load=0.1, key=0.5)
    assert rounds(world) == [(context.id, "p1", "p2")]


@pytest.mark.parametrize("fault", ["deploy fails", "deploy half"])
def test_a_target_that_fails_is_left_for_another_one(world: World, fault: str) -> None:
    for name in ("p1", "p2", "p3"):
        world.platform(name)
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    world.faults = [fault]
    assert len(rounds(world)) == 1
    world.finish()
    assert world.present() == {world.where(context): {app().key}}


def test_two_optimisers_at_once_move_every_context_once(world: World) -> None:
    for name in ("p1", "p2", "p3"):
        world.platform(name)
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    requests = [world.ask(world.orchestrator.optimiser.round) for _ in range(4)]
    world.finish()
    assert sorted(len(request.value) for request in requests) == [0, 0, 0, 1]
    assert len(world.meo.state.contexts[context.id].moves) == 1
    assert world.calls["deploy"] == 2  # one of them at the target


def test_a_context_that_ends_during_its_migration_leaves_nothing(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)

    def end(operation: str, key: str, name: str) -> None:
        if (operation, name) == ("deploy", "p2"):
            world.ask(world.meo.end, context.id)

    world.before_driver = end
    request = world.ask(world.orchestrator.optimiser.round)
    world.finish()
    assert request.value == []
    assert world.present() == {}
    assert world.records("meo_contexts") == {}


def test_a_withdrawn_platform_is_emptied_at_once_whatever_the_limits_of_rounds(world: World) -> None:
    world.platform("p1", load=0.95)
    world.platform("p2")
    contexts = [admit_on(world, "p1") for _ in range(5)]
    world.inventory.withdraw_platform("p1")
    world.finish()
    assert {world.where(context) for context in contexts} == {"p2"}
    assert all(world.told[context.id][0]["referenceURI"] == "http://p2/" for context in contexts)
    assert "p1" not in world.meo.state.platforms
    assert world.records("meo_platforms").keys() == {"p2"}
    assert world.present() == {"p2": {app().key}}


def test_contexts_of_a_withdrawn_platform_without_a_target_end(world: World) -> None:
    world.platform("p1")
    context = admit_on(world, "p1")
    silent = admit_on(world, "p1", callback=None)
    world.inventory.withdraw_platform("p1")
    world.finish()
    assert world.told == {
        context.id: [{"notificationType": "ApplicationContextDeleteNotification", "contextId": context.id}]
    }
    assert silent.id not in world.meo.state.contexts
    assert world.records("meo_contexts") == {}
    assert world.present() == {}


def test_a_platform_withdrawn_while_contexts_migrate_to_it(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)

    def withdraw(operation: str, key: str, name: str) -> None:
        if (operation, name) == ("deploy", "p2"):
            world.ask(world.inventory.withdraw_platform, "p2")

    world.before_driver = withdraw
    request = world.ask(world.orchestrator.optimiser.round)
    world.finish()
    assert request.value == []
    assert world.where(context) == "p1"
    assert world.present() == {"p1": {app().key}}
    assert "p2" not in world.meo.state.platforms


def test_a_platform_withdrawn_while_its_contexts_migrate_away(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    contexts = [admit_on(world, "p1") for _ in range(3)]
    world.inventory.tell("p1", load=0.9)

    def withdraw(operation: str, key: str, name: str) -> None:
        if (operation, name) == ("deploy", "p2"):
            world.ask(world.inventory.withdraw_platform, "p1")

    world.before_driver = withdraw
    world.ask(world.orchestrator.optimiser.round)
    world.finish()
    assert {world.where(context) for context in contexts} == {"p2"}
    assert [len(world.meo.state.contexts[context.id].moves) for context in contexts] == [1, 1, 1]
    assert world.present() == {"p2": {app().key}}


def test_a_platform_withdrawn_while_its_first_context_is_being_stored(world: World) -> None:
    world.platform("p1")
    withdrawals = []

    def withdraw(namespace: str, keys: Collection[str]) -> None:
        if namespace == "meo_contexts" and not withdrawals and not any(":" in key for key in keys):
            withdrawals.append(world.ask(world.inventory.withdraw_platform, "p1"))

    world.before_write = withdraw
    request = world.ask(world.meo.admit, wish("app", "http://device/"))
    world.finish()
    assert withdrawals[0].value is None
    assert isinstance(request.value, Context)
    assert [told["notificationType"] for told in world.told[request.value.id]] == [
        "ApplicationContextDeleteNotification"
    ]
    assert world.meo.state.platforms == world.present() == {}


def test_an_admission_stored_while_its_platform_is_withdrawn_moves_on(world: World) -> None:
    world.platform("p1", key=1.0)
    first = admit_on(world, "p1")
    world.platform("p2", key=0.2)
    world.inventory.tell("p2", load=1.0)
    # nothing is deployed for it, so its first wait is for the store
    request = world.ask(world.meo.admit, wish("app", "http://device/"))
    withdrawal = world.ask(world.inventory.withdraw_platform, "p1")
    world.inventory.tell("p2", load=0.1)
    world.finish()
    assert withdrawal.value is None
    assert isinstance(request.value, Context)
    assert {world.where(first), world.where(request.value)} == {"p2"}
    assert world.told[request.value.id][-1]["referenceURI"] == "http://p2/"


def test_a_platform_that_is_being_withdrawn_cannot_be_registered_and_takes_nothing(world: World) -> None:
    world.platform("p1")
    context = admit_on(world, "p1")
    world.platform("p2", load=1.0)
    world.faults = ["remove fails"] * 5
    seen = []

    def look(operation: str, key: str, name: str) -> None:
        if operation == "remove" and not seen:
            with pytest.raises(Conflict):
                world.inventory.add_platform(Platform("p1", "noop", "http://p1/"))
            with pytest.raises(Rejected):
                world.meo.select(wish())
            seen.append(name)

    world.before_driver = look
    world.inventory.withdraw_platform("p1")
    world.finish()
    assert seen == ["p1"]
    assert context.id not in world.meo.state.contexts
    world.platform("p1")
    assert world.meo.admit(wish()).platform == "p1"


def test_clocks_that_jump_move_nothing_by_themselves(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    wall = 1e9
    world.meo.wall = lambda: wall
    rounds(world)
    wall -= 86_400.0
    assert rounds(world) == []
    assert len(world.meo.state.contexts[context.id].moves) == 1
    wall += 10 * 86_400.0
    assert world.meo.admit(wish()).platform == "p2"


def test_many_moves_are_kept_in_part(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    for _ in range(20):
        here = world.where(context)
        other = "p2" if here == "p1" else "p1"
        world.time += 61.0
        world.inventory.tell(here, load=0.9, key=0.5)
        world.inventory.tell(other, load=0.1, key=0.5)
        assert rounds(world) == [(context.id, here, other)]
    world.finish()
    moves = world.meo.state.contexts[context.id].moves
    assert len(moves) == 16
    assert [move.number for move in moves] == sorted(move.number for move in moves)


def removal_comes_last(world: World, contexts: Collection[Context]) -> list[str]:
    """Notes each removal, and fails when the devices of `contexts` have not been told before it."""
    removals = []

    def look(operation: str, app_key: str, platform: str) -> None:
        if operation == "remove":
            removals.append(platform)
            assert all(world.told.get(context.id) for context in contexts), "removed before the device was told"

    world.before_driver = look
    return removals


def test_the_device_is_told_before_the_origin_is_removed(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    world.callback_faults = 5
    removals = removal_comes_last(world, [context])
    assert rounds(world) == [(context.id, "p1", "p2")]
    world.finish()
    assert removals == ["p1"]


@pytest.mark.parametrize("target", [True, False])
def test_devices_are_told_before_a_withdrawn_platform_is_cleared(world: World, target: bool) -> None:
    world.platform("p1")
    if target:
        world.platform("p2")
    contexts = [admit_on(world, "p1") for _ in range(3)]
    world.callback_faults = 5
    removals = removal_comes_last(world, contexts)
    world.inventory.withdraw_platform("p1")
    world.finish()
    assert removals == ["p1"]
    assert world.present() == ({"p2": {app().key}} if target else {})


def test_after_a_restart_the_device_is_told_before_the_origin_is_removed(world: World) -> None:
    world.platform("p1")
    world.platform("p2")
    context = admit_on(world, "p1")
    world.inventory.tell("p1", load=0.9)
    world.callback_faults = 10**9
    assert rounds(world) == [(context.id, "p1", "p2")]
    world.restart()
    removals = removal_comes_last(world, [context])
    world.callback_faults = 3
    world.finish()
    assert removals == ["p1"]
    assert world.present() == {"p2": {app().key}}
    assert not any(key.startswith("notification") for key in world.records("meo_contexts"))


def test_a_rejection_has_a_reason_for_every_platform(world: World) -> None:
    world.inventory.add_platform(Platform("other", "webhook", "http://other/", "http://other/"))
    world.platform("busy", load=1.0)
    with pytest.raises(Rejected) as caught:
        world.meo.admit(wish())
    assert caught.value.reasons == {
        "busy": "load 1 is over 0.8",
        "other": "the application does not support platforms of type webhook",
    }
