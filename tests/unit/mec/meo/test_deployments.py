# SPDX-License-Identifier: Apache-2.0
"""Applications are deployed once, and removed when nobody uses them."""

from collections import Counter

import gevent
import pytest
from support.mec.meo_world import World, app, wish

from mec.meo.drivers.base import DriverError
from mec.meo.errors import Rejected
from mec.meo.model import Context, DeploymentState
from mec.meo.settings import MeoSettings


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


def test_a_deployment_that_fails_for_one_more_is_repeated_for_those_who_have_it() -> None:
    world = World(MeoSettings(period=3600.0, ready_timeout=0.0), reported=True)
    world.start()
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish())
    (report,) = world.reports.values()
    world.meo.deployment_states.report(report.id, DeploymentState.FAILED, "the image is gone")
    world.faults = ["deploy fails"]
    with pytest.raises(Rejected):
        world.meo.admit(wish())
    world.finish()
    assert world.calls["deploy"] == 3
    assert world.present() == {"p1": {app().key}}
    assert {key.split(":")[0] for key in world.records("meo_contexts")} == {context.id, "deployment"}
    world.stop()


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
