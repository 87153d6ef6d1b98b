# SPDX-License-Identifier: Apache-2.0
"""Contexts are admitted, stored and ended."""

from collections import Counter
from dataclasses import replace

import pytest
from support.mec.meo_world import World, app, wish

from mec.meo.errors import Rejected, Unavailable, Unknown
from mec.meo.settings import MeoSettings


def test_a_context_is_deployed_stored_and_answered_in_this_order(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    seen = []
    world.before_driver = lambda operation, key, name: seen.append(
        (operation, name, sorted(key.split(":")[0] for key in world.records("meo_contexts")))
    )
    context = world.meo.admit(wish())
    # what is about to be deployed is in the journal, the context only after it
    assert seen == [("deploy", "p1", ["pair"])]
    assert list(world.records("meo_contexts")) == [context.id]
    assert world.present() == {"p1": {context.app_key}}
    assert len(context.id) <= 32


def test_racing_ends_and_admissions_leave_what_is_needed(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    for _ in range(10):
        contexts = [world.meo.admit(wish()) for _ in range(2)]
        for context in contexts:
            world.ask(world.meo.end, context.id)
        late = world.ask(world.meo.admit, wish())
        world.finish()
        assert world.present() == world.wanted() == {"p1": {late.value.app_key}}
        world.meo.end(late.value.id)
        world.finish()
        assert world.present() == {}


def test_contexts_are_drawn_in_proportion(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("often", load=0.1, key=0.9)
    world.platform("seldom", load=0.1, key=0.1)
    drawn = Counter(world.meo.select(wish()).site.name for _ in range(1000))
    assert 860 < drawn["often"] < 940
    assert world.present() == {}


def test_the_same_seed_gives_the_same_places() -> None:
    def places(seed: int) -> list[str]:
        world = World(MeoSettings(period=3600.0, seed=seed))
        world.start()
        world.inventory.add_app(app())
        for name in "abcdef":
            world.platform(name)
        found = [world.meo.admit(wish()).platform for _ in range(20)]
        world.stop()
        return found

    assert places(1) == places(1) != places(2)


def test_rejected_with_the_reason_per_platform(world: World) -> None:
    world.inventory.add_app(app("app", blacklist=["black"]))
    world.platform("busy", load=0.81)
    world.platform("keyless", key=0.0)
    world.platform("silent", load=None, key=None)
    world.platform("black")
    with pytest.raises(Rejected) as caught:
        world.meo.admit(wish())
    assert {name: reason.split(":")[0] for name, reason in caught.value.reasons.items()} == {
        "busy": "load 0.81 is over 0.8",
        "keyless": "key availability 0 is under 0.1",
        "silent": "stale telemetry",
        "black": "on the blacklist of the application",
    }
    assert world.records("meo_contexts") == {}


def test_telemetry_grows_stale(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    world.time += 30.0
    world.meo.select(wish())
    world.time += 0.1
    with pytest.raises(Rejected):
        world.meo.select(wish())
    world.inventory.tell("p1", load=0.1)
    with pytest.raises(Rejected):  # the key availability is as old as before
        world.meo.select(wish())
    world.inventory.tell("p1", key=0.5)
    assert world.meo.select(wish()).site.name == "p1"


def test_a_whitelist_that_names_nothing_rejects_until_there_is_such_a_platform(world: World) -> None:
    world.inventory.add_app(app("app", whitelist=["later"]))
    world.platform("p1")
    with pytest.raises(Rejected) as caught:
        world.meo.admit(wish())
    assert caught.value.reasons == {"p1": "not on the whitelist of the application"}
    world.platform("later")
    assert world.meo.admit(wish()).platform == "later"


def test_unknown_application(world: World) -> None:
    with pytest.raises(Unknown):
        world.meo.admit(wish("nothing"))
    world.inventory.add_app(app())
    with pytest.raises(Unknown):
        world.meo.admit(replace(wish(), app_info={**wish().app_info, "appDVersion": "2"}))


def test_a_context_ends_once(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    requests = [world.ask(world.meo.end, context.id) for _ in range(3)]
    world.finish()
    outcomes = Counter(type(request.value) for request in requests)
    assert outcomes == {type(None): 1, Unknown: 2}


def test_nothing_happens_while_the_store_is_away(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    world.finish()
    world.store.stop()
    with pytest.raises(Unavailable):
        world.meo.end(context.id)
    with pytest.raises(Unavailable):
        world.meo.admit(wish())
    with pytest.raises(Unavailable):
        world.inventory.withdraw_platform("p1")
    world.store.start()
    assert world.meo.context(context.id) == context
    assert world.meo.admit(wish()).platform == "p1"
    world.finish()
    assert world.calls == {"deploy": 1}


def test_an_admission_undone_because_the_store_failed_leaves_nothing(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")

    def stop_store(operation: str, key: str, name: str) -> None:
        if operation == "deploy":
            world.store.stop()

    world.before_driver = stop_store
    with pytest.raises(Unavailable):
        world.meo.admit(wish())
    world.store.start()
    world.finish()
    assert world.present() == {}
    world.restart()
    world.finish()
    assert world.records("meo_contexts") == {}
    assert world.present() == {}
