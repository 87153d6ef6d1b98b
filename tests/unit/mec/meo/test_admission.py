# SPDX-License-Identifier: Apache-2.0
"""New contexts and their end: the procedures of the user's document, and drivers that fail in all ways."""

from collections import Counter
from dataclasses import replace

import gevent
import pytest
from support.mec.meo_world import World, app, wish

from mec.meo.drivers.base import DriverError
from mec.meo.errors import Conflict, Rejected, Unavailable, Unknown
from mec.meo.model import Context, Platform
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


def test_only_the_first_context_of_an_application_deploys_it_and_the_last_removes_it(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    contexts = [world.meo.admit(wish()) for _ in range(3)]
    assert world.calls == {"deploy": 1}
    for context in contexts[:2]:
        world.meo.end(context.id)
    world.finish()
    assert world.calls == {"deploy": 1}
    world.meo.end(contexts[2].id)
    world.finish()
    assert world.calls == {"deploy": 1, "remove": 1}
    assert world.present() == {}
    assert world.records("meo_contexts") == {}


def test_racing_admissions_deploy_once(world: World) -> None:
    world.inventory.add_app(app())
    for name in ("p1", "p2"):
        world.platform(name)
    deployed: Counter[tuple[str, str]] = Counter()
    world.before_driver = lambda operation, key, name: deployed.update([(operation, name)])
    requests = [world.ask(world.meo.admit, wish()) for _ in range(50)]
    world.finish()
    assert all(isinstance(request.value, Context) for request in requests)
    assert len({request.value.id for request in requests}) == 50
    assert deployed == {("deploy", "p1"): 1, ("deploy", "p2"): 1}


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


@pytest.mark.parametrize("fault", ["deploy fails", "deploy half"])
def test_a_failed_deployment_draws_again_and_is_undone(world: World, fault: str) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    world.platform("p2")
    world.faults = [fault]
    context = world.meo.admit(wish())
    world.finish()
    assert world.calls["deploy"] == 2
    assert world.present() == {context.platform: {context.app_key}}
    assert list(world.records("meo_contexts")) == [context.id]


def test_rejected_when_every_deployment_fails(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    world.platform("p2")
    world.faults = ["deploy fails", "deploy half"]
    with pytest.raises(Rejected) as caught:
        world.meo.admit(wish())
    assert set(caught.value.reasons) == {"p1", "p2"}
    assert all(reason.startswith("deployment failed: told to fail") for reason in caught.value.reasons.values())
    world.finish()
    assert world.present() == {}
    assert world.records("meo_contexts") == {}


def test_a_driver_that_hangs_is_given_up_and_its_platform_left_out(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("hangs", load=0.0, key=1.0)
    never = gevent.event.Event()

    def hang(operation: str, key: str, name: str) -> None:
        if (operation, name) == ("deploy", "hangs"):
            never.wait()

    world.before_driver = hang
    with pytest.raises(Rejected) as caught:
        world.meo.admit(wish())
    assert "no answer within" in caught.value.reasons["hangs"]
    world.platform("works")
    assert world.meo.admit(wish()).platform == "works"
    world.finish()
    assert world.present() == world.wanted()


def test_several_drivers_that_hang_leave_time_for_one_that_works() -> None:
    world = World(driver_timeout=2.0)
    world.start()
    world.inventory.add_app(app())
    for name in ("hangs1", "hangs2", "hangs3"):
        world.platform(name, load=0.0, key=1.0)
    world.platform("works", load=0.8, key=0.1)

    def hang(operation: str, key: str, name: str) -> None:
        if operation == "deploy" and name != "works":
            world.time += world.granted
            raise DriverError("no answer in all of the time that it was given")

    world.before_driver = hang
    began = world.time
    assert world.meo.admit(wish()).platform == "works"
    assert world.time - began < 2.5
    assert world.calls["deploy"] > 2
    world.stop()


def test_those_who_wait_for_a_deployment_share_its_failure(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    world.faults = ["deploy fails"]
    requests = [world.ask(world.meo.admit, wish()) for _ in range(5)]
    world.finish()
    assert all(isinstance(request.value, Rejected) for request in requests)
    assert world.calls["deploy"] == 1


def test_an_end_succeeds_though_the_removal_fails_and_is_retried(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    world.faults = ["remove fails", "remove half", "remove fails"]
    world.meo.end(context.id)
    assert context.id not in world.records("meo_contexts")
    world.finish()
    assert world.calls["remove"] == 4
    assert world.present() == {}
    assert world.records("meo_contexts") == {}


def test_a_removal_that_was_given_up_is_done_by_the_next_process(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    world.faults = ["remove fails"] * 100
    world.meo.end(context.id)
    world.finish()
    assert world.calls["remove"] == 100
    assert world.present() == {"p1": {app().key}}
    assert [key.split(":")[0] for key in world.records("meo_contexts")] == ["pair"]
    world.restart()
    world.finish()
    assert world.present() == {}
    assert world.records("meo_contexts") == {}


def test_what_is_left_by_a_removal_given_up_is_used_again(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    world.faults = ["remove fails"] * 100
    world.meo.end(world.meo.admit(wish()).id)
    world.finish()
    again = world.meo.admit(wish())
    world.finish()
    assert list(world.records("meo_contexts")) == [again.id]
    world.meo.end(again.id)
    world.finish()
    assert world.present() == {}


def test_a_withdrawn_platform_that_cannot_be_cleared_is_forgotten_all_the_same(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    world.faults = ["remove fails"] * 200
    world.meo.end(world.meo.admit(wish()).id)
    world.finish()
    world.inventory.withdraw_platform("p1")
    world.finish()
    assert world.calls["remove"] == 200
    assert world.meo.state.platforms == {}
    for namespace in ("meo_platforms", "meo_contexts"):
        assert world.records(namespace) == {}


def test_a_context_ends_once(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    requests = [world.ask(world.meo.end, context.id) for _ in range(3)]
    world.finish()
    outcomes = Counter(type(request.value) for request in requests)
    assert outcomes == {type(None): 1, Unknown: 2}


def test_a_platform_withdrawn_during_a_deployment_is_not_used(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1", key=1.0)
    withdrawals = []

    def withdraw(operation: str, key: str, name: str) -> None:
        if operation == "deploy" and name == "p1" and not withdrawals:
            withdrawals.append(world.ask(world.inventory.withdraw_platform, "p1"))

    world.before_driver = withdraw
    request = world.ask(world.meo.admit, wish())
    world.finish()
    assert isinstance(request.value, Rejected)
    assert "p1" not in world.meo.state.platforms
    assert world.present() == {}


def test_an_application_withdrawn_goes_on_until_its_last_context_ends(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    world.inventory.remove_app(app().key)
    with pytest.raises(Unknown):
        world.meo.admit(wish())
    with pytest.raises(Unknown):
        world.inventory.app(app().key)
    assert world.present() == {"p1": {app().key}}
    world.restart()
    assert world.meo.context(context.id) == context
    world.meo.end(context.id)
    world.finish()
    assert world.present() == {}
    assert world.records("meo_apps") == {}


def test_an_application_withdrawn_during_an_admission(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")
    world.platform("p2")
    world.faults = ["deploy fails"]
    withdrawals = []

    def withdraw(operation: str, key: str, name: str) -> None:
        if not withdrawals:
            withdrawals.append(world.ask(world.inventory.remove_app, app().key))

    world.before_driver = withdraw
    request = world.ask(world.meo.admit, wish())
    world.finish()
    assert isinstance(request.value, Context | Unknown)
    assert world.present() == world.wanted()


def test_duplicates(world: World) -> None:
    world.inventory.add_app(app())
    with pytest.raises(Conflict):
        world.inventory.add_app(app())
    world.platform("p1")
    with pytest.raises(Conflict):
        world.inventory.add_platform(Platform("p1", "noop", "http://other/"))
    requests = [world.ask(world.inventory.add_platform, Platform("p2", "noop", f"http://{n}/")) for n in range(3)]
    world.finish()
    assert Counter(type(request.value) for request in requests) == {type(None): 1, Conflict: 2}


def test_keys_of_applications_joined_in_two_ways(world: World) -> None:
    world.inventory.add_app(app("one"))
    info = app("one").info
    assert world.inventory.app("".join(info.parts)).key == info.key == "+".join(info.parts)
    twin = replace(info, app_d_id="id-oneo", name="ne")
    world.inventory.add_app(replace(app("one"), info=twin))
    with pytest.raises(Conflict):
        world.inventory.app("".join(info.parts))
    assert world.inventory.app(twin.key).info == twin


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
