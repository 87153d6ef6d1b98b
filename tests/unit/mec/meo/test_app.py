# SPDX-License-Identifier: Apache-2.0
"""The orchestrator as a whole: its settings change while it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gevent.event import Event
from support.mec.meo_world import World, app, wish

from mec.meo.errors import Rejected
from mec.meo.model import Platform
from mec.meo.placement import Rules
from mec.meo.settings import MeoSettings


@pytest.fixture
def running(world: World) -> World:
    world.inventory.add_app(app())
    world.platform("p1", load=0.7)
    return world


def test_changed_limits_hold_for_the_next_context(running: World) -> None:
    running.meo.admit(wish())
    running.orchestrator.reconfigure(replace(running.settings, rules=Rules(max_load=0.5)))
    with pytest.raises(Rejected) as rejected:
        running.meo.admit(wish())
    assert rejected.value.reasons == {"p1": "load 0.7 is over 0.5"}
    running.orchestrator.reconfigure(running.settings)
    assert running.meo.admit(wish()).platform == "p1"


def test_changed_limits_hold_for_the_next_round(running: World) -> None:
    context = running.meo.admit(wish())
    running.platform("p2", load=0.1)
    assert running.orchestrator.optimiser.round() == []
    running.orchestrator.reconfigure(replace(running.settings, rules=Rules(max_load=0.5)))
    (migration,) = running.orchestrator.optimiser.round()
    assert (migration.context_id, migration.target) == (context.id, "p2")


def test_a_shorter_period_does_not_wait_for_the_end_of_the_longer_one(running: World) -> None:
    context = running.meo.admit(wish())
    running.platform("p2", load=0.1)
    moving = Event()
    running.before_driver = lambda operation, app_key, platform: moving.set()
    running.orchestrator.reconfigure(replace(running.settings, period=0.001, rules=Rules(max_load=0.5)))
    assert moving.wait(10)
    running.finish()
    assert running.where(context) == "p2"


def test_a_changed_driver_is_used_from_then_on(running: World) -> None:
    edge = Platform("edge1", "edge", "http://edge1/")
    assert running.meo.driver_of(edge) is None
    running.orchestrator.reconfigure(replace(running.settings, drivers={"edge": "noop"}))
    assert running.meo.driver_of(edge) is not None


def test_the_seed_is_taken_at_the_start_only(running: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mec.meo.app")
    state = running.meo.rng.getstate()
    running.orchestrator.reconfigure(replace(running.settings, seed=7, cooldown=5.0))
    assert running.meo.rng.getstate() == state
    records = {record.getMessage(): record for record in caplog.records}
    assert vars(records["configuration changes that need a restart"])["settings"] == ["meo.seed"]
    assert vars(records["orchestrator reconfigured"])["changed"] == ["meo.cooldown"]


def test_tokens_are_not_logged(running: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mec.meo.app")
    running.orchestrator.reconfigure(MeoSettings(admin_token="s3cret", device_tokens=("s3cret",)))
    assert "meo.adminToken" in str([vars(record) for record in caplog.records])
    assert "s3cret" not in str([vars(record) for record in caplog.records])
