# SPDX-License-Identifier: Apache-2.0
"""Applications and platforms are registered, withdrawn and forgotten."""

from collections import Counter
from dataclasses import replace

import pytest
from support.mec.meo_world import World, app, wish

from mec.meo.errors import Conflict, Rejected, Unknown
from mec.meo.model import Context, Platform


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
