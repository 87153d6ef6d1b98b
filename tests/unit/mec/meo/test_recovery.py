# SPDX-License-Identifier: Apache-2.0
"""What a new process makes of what an old one has left."""

from dataclasses import replace

import pytest
from support.mec.meo_world import World, app, wish

from mec.meo.errors import Unavailable
from mec.meo.model import Context, Pair
from mec.meo.records import CONTEXTS, Notification, encode, pair_key
from mec.meo.settings import MeoSettings
from submgr.platform.store.base import Change


def test_everything_is_there_again(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1", load=0.3, key=0.7)
    context = world.meo.admit(wish("app", "http://device/"))
    world.finish()
    world.restart()
    assert world.meo.context(context.id) == context
    assert world.meo.state.site("p1").load == 0.3
    assert world.meo.admit(wish()).platform == "p1"
    assert world.calls == {"deploy": 1}
    assert world.meo.state.contexts[context.id].order < max(one.order for one in world.meo.state.contexts.values())


def test_telemetry_goes_on_growing_old(world: World) -> None:
    world.platform("p1")
    world.finish()
    world.time += 29.0
    world.restart()
    assert world.time - world.meo.state.site("p1").load_at == pytest.approx(29.0)


def test_telemetry_of_the_future_is_not_believed(world: World) -> None:
    world.platform("p1")
    world.finish()
    world.time -= 3600.0
    world.restart()
    assert world.meo.state.site("p1").load is None


def test_the_cooldown_goes_on() -> None:
    world = World(MeoSettings(period=3600.0, cooldown=60.0))
    world.start()
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    world.platform("p2")
    world.inventory.tell("p1", load=0.9)
    world.orchestrator.optimiser.round()
    world.finish()

    def swap() -> list[str]:
        world.inventory.tell("p1", load=0.1, key=0.5)
        world.inventory.tell("p2", load=0.9, key=0.5)
        return [migration.context_id for migration in world.orchestrator.optimiser.round()]

    world.time += 30.0
    world.restart()
    assert swap() == []
    world.time += 31.0
    assert swap() == [context.id]
    # a clock that has jumped back makes it no longer than from now on
    world.finish()
    world.time -= 1000.0
    world.restart()
    world.time += 60.0
    world.inventory.tell("p1", load=0.9, key=0.5)
    world.inventory.tell("p2", load=0.1, key=0.5)
    assert len(world.orchestrator.optimiser.round()) == 1
    world.stop()


def test_a_deployment_nobody_came_to_use_is_undone(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    world.finish()
    world.crash_in, world.crash_after_effect = 1, True  # the journal is written, the driver has done its part
    world.ask(world.meo.admit, wish())
    world.finish()
    assert world.dead
    assert world.present() == {"p1": {app().key}}
    world.restart()
    world.finish()
    assert world.present() == {}
    assert world.records("meo_contexts") == {}


def test_a_pair_in_doubt_that_is_needed_is_deployed_once_more(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    world.meo.admit(wish())
    pair = Pair(app().key, "p1")
    world.store.write(Change(CONTEXTS, {pair_key(pair): encode(pair)}))
    world.crash()
    world.deployed.clear()
    world.start()
    world.finish()
    assert world.present() == {"p1": {app().key}}
    assert not [key for key in world.records("meo_contexts") if key.startswith("pair:")]


def test_a_pair_in_doubt_whose_last_context_ends_meanwhile(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    pair = Pair(app().key, "p1")
    world.store.write(Change(CONTEXTS, {pair_key(pair): encode(pair)}))
    world.crash()
    ends = []

    def end(operation: str, key: str, name: str) -> None:
        if operation == "deploy":
            ends.append(world.ask(world.meo.end, context.id))
            ends[-1].join()

    world.before_driver = end
    world.start()
    world.finish()
    assert [request.value for request in ends] == [None]
    assert world.present() == {}
    assert world.records("meo_contexts") == {}


def test_a_notification_of_the_end_survives_a_crash(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish("app", "http://device/"))
    world.finish()
    world.callback_faults = 10**9
    world.inventory.withdraw_platform("p1")
    for _ in range(200):
        if context.id not in world.meo.state.contexts:
            break
        world.store.write(Change("other", {"a": b"b"}))  # as long as a write takes
    world.crash()
    world.callback_faults = 0
    world.start()
    world.finish()
    assert [message["notificationType"] for message in world.told[context.id]] == [
        "ApplicationContextDeleteNotification"
    ]
    assert world.records("meo_contexts") == {}


def test_only_the_latest_address_is_told_after_a_crash(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish("app", "http://device/"))
    world.platform("p2")
    world.inventory.tell("p1", load=0.9)
    world.orchestrator.optimiser.round()
    world.finish()
    moved = world.meo.state.contexts[context.id]
    world.told.clear()
    current = Notification(
        "b", context.id, "http://device/", {"notificationType": "x", "is": "new"}, moved.moves[-1].number
    )
    stale = replace(current, id="a", body={"notificationType": "x", "is": "old"}, move=moved.moves[-1].number - 1)
    ended = replace(current, id="c", context_id="gone")
    world.store.write(Change(CONTEXTS, {each.store_key: encode(each) for each in (stale, current, ended)}))
    world.restart()
    world.finish()
    assert [message["is"] for messages in world.told.values() for message in messages] == ["new"]
    assert list(world.records("meo_contexts")) == [context.id]


def test_records_that_cannot_be_read_are_left_and_counted(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    stray = Context("stray", "no app", "nowhere", wish(), 1, 0.0)
    world.store.write(Change(CONTEXTS, {"odd": b'{"id":1}', "pair:x": b"[]", "stray": encode(stray)}))
    world.store.write(Change("meo_platforms", {"bad": b"{}"}))
    world.restart()
    world.finish()
    assert world.meo.state.contexts.keys() == {context.id}
    assert world.meo.metrics.unreadable._value.get() == 4
    assert {"odd", "pair:x", "stray"} <= world.records("meo_contexts").keys()


def test_a_journal_of_something_unknown_is_dropped(world: World) -> None:
    pair = Pair("no app", "nowhere")
    world.store.write(Change(CONTEXTS, {pair_key(pair): encode(pair)}))
    world.restart()
    world.finish()
    assert world.records("meo_contexts") == {}


def test_a_withdrawal_is_finished(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish("app", "http://device/"))
    world.platform("p2")
    world.finish()
    world.crash_in, world.crash_after_effect = 0, True  # only the withdrawal itself is written
    world.ask(world.inventory.withdraw_platform, "p1")
    world.finish()
    assert world.dead
    world.restart()
    world.finish()
    assert world.where(context) == "p2"
    assert world.records("meo_platforms").keys() == {"p2"}


def test_requests_wait_for_a_store_that_is_away_at_the_start(world: World) -> None:
    world.inventory.add_app(app())
    world.orchestrator.stop()
    world.store.stop()
    world.orchestrator.meo.inventory.ready = False
    world.orchestrator.start()
    assert world.orchestrator.why_not_ready() == "what is stored has not been read yet"
    with pytest.raises(Unavailable):
        world.meo.admit(wish())
    with pytest.raises(Unavailable):
        world.inventory.app(app().key)
    world.store.start()
    world.orchestrator._recover()
    assert world.orchestrator.why_not_ready() is None
    assert world.inventory.app(app().key)
