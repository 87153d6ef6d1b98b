# SPDX-License-Identifier: Apache-2.0
"""Contexts wait until what was deployed for them is ready, within bounds; platforms tell the state of deployments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.mec.meo_world import FakeDriver, Life, World, app, rounds, wish
from support.waiting import turns_until

from mec.common.problem_details import problem_app
from mec.meo.drivers.base import DriverError, NeverReady, Report, instance_id
from mec.meo.errors import Rejected
from mec.meo.model import App, Context, Pair, Platform
from mec.meo.settings import MeoSettings

KEY = app().key


class Seen(FakeDriver):
    """A driver that can see whether what it has deployed is ready. `says`: the answers by platform, else ready."""

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        self.says: dict[str, str | DriverError] = {}

    def ready(self, app: App, platform: Platform, timeout: float) -> str | None:
        answer = self.says.get(platform.name)
        if isinstance(answer, DriverError):
            raise answer
        return answer


class Told(FakeDriver):
    """A driver whose platforms tell how far a deployment is."""

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        self.reports: dict[str, Report] = {}

    def deploy_reported(self, app: App, platform: Platform, timeout: float, report: Report) -> bool:
        self.reports[platform.name] = report
        self.deploy(app, platform, timeout)
        return False


@pytest.fixture(params=[0.02])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    world = World(MeoSettings(period=3600.0, cooldown=0.0, seed=1, ready_timeout=request.param))
    world.start()
    world.inventory.add_app(app())
    world.platform("p1")
    yield world
    world.stop()


def seen(world: World) -> Seen:
    driver = Seen(Life(world, world.epoch))
    world.meo._drivers = {"noop": driver}
    return driver


def told(world: World) -> tuple[Told, FlaskClient]:
    driver = Told(Life(world, world.epoch))
    world.meo._drivers = {"noop": driver}
    application = problem_app("meo")
    for blueprint in world.orchestrator.blueprints:
        application.register_blueprint(blueprint)
    return driver, application.test_client()


def state(world: World, platform: str = "p1") -> str:
    return world.meo.deployment_states.of(Pair(KEY, platform)).state.value


def tell(client: FlaskClient, report: Report, status: Any, message: Any = "", token: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {report.token if token is None else token}"}
    return client.post(report.url, json={"status": status, "message": message}, headers=headers).status_code


LONG = pytest.mark.parametrize("world", [60.0], indirect=True)
"""Contexts wait for as long as it takes."""


@LONG
def test_a_context_is_answered_when_its_deployment_is_ready(world: World) -> None:
    driver = seen(world)
    driver.says["p1"] = "1 of 2 replicas are available"
    request = world.ask(world.meo.admit, wish())
    turns_until(lambda: world.meo.deployment_states.of(Pair(KEY, "p1")).message.startswith("1 of 2"))
    assert not request.ready()
    assert {key.split(":")[0] for key in world.records("meo_contexts")} == {"pair", "deployment"}
    del driver.says["p1"]
    request.join(10)
    assert isinstance(request.value, Context)
    assert state(world) == "ready"


def test_a_context_waits_no_longer_than_the_setting_says_and_later_ones_not_at_all(world: World) -> None:
    driver, client = told(world)
    view = client.post("/meo/v1/contexts", json={"appInfo": dict(wish().app_info)}).get_json()
    assert view["deployment"] == {"deploymentId": driver.reports["p1"].id, "state": "deploying", "message": ""}
    world.time += 1.0
    assert isinstance(world.meo.admit(wish()), Context)
    assert world.calls["deploy"] == 1


@LONG
def test_racing_contexts_wait_for_one_deployment(world: World) -> None:
    driver, client = told(world)
    requests = [world.ask(world.meo.admit, wish()) for _ in range(5)]
    turns_until(lambda: "p1" in driver.reports)
    assert tell(client, driver.reports["p1"], "deploying", "pulls the image") == 204
    assert not any(request.ready() for request in requests)
    assert tell(client, driver.reports["p1"], "ready") == 204
    world.finish()
    assert all(isinstance(request.value, Context) for request in requests)
    assert world.calls["deploy"] == 1


@LONG
def test_another_platform_is_drawn_when_a_deployment_fails(world: World) -> None:
    driver = seen(world)
    driver.says["p1"] = NeverReady("ImagePullBackOff")
    with pytest.raises(Rejected) as caught:
        world.meo.admit(wish())
    assert caught.value.reasons == {"p1": "deployment failed: ImagePullBackOff"}
    world.platform("p2")
    assert world.meo.admit(wish()).platform == "p2"
    world.finish()
    assert world.present() == {"p2": {KEY}}


def test_a_driver_that_cannot_tell_says_nothing_about_the_deployment(world: World) -> None:
    driver = seen(world)
    driver.says["p1"] = DriverError("no answer")
    assert isinstance(world.meo.admit(wish()), Context)
    assert (state(world), world.meo.deployment_states.of(Pair(KEY, "p1")).message) == ("deploying", "no answer")
    del driver.says["p1"]
    turns_until(lambda: state(world) == "ready", 500_000)


def test_only_its_token_tells_the_state_of_a_deployment(world: World) -> None:
    driver, client = told(world)
    world.orchestrator.reconfigure(replace(world.settings, admin_token="of the operator"))
    world.meo.admit(wish())
    report = driver.reports["p1"]
    assert report.id == instance_id(Pair(KEY, "p1"))
    assert report.url == f"/meo/v1/deployments/{report.id}/status"
    for wrong in ("of the operator", "guessed"):
        assert tell(client, report, "ready", token=wrong) == 401
    assert client.post(report.url, json={"status": "ready"}).status_code == 401
    assert tell(client, replace(report, url=report.url.replace(report.id, "0" * 32)), "ready") == 404
    for status, message in (("running", ""), (None, ""), (["ready"], ""), ("ready", 5)):
        assert tell(client, report, status, message) == 400
    assert state(world) == "deploying"
    assert tell(client, report, "ready", "x\n\u202ey" + "z" * 1000) == 204
    assert state(world) == "ready"
    assert len(world.meo.deployment_states.of(Pair(KEY, "p1")).message) < 520
    assert report.token not in repr(report)


def test_late_and_repeated_reports_are_harmless(world: World) -> None:
    driver, client = told(world)
    context = world.meo.admit(wish())
    first = driver.reports["p1"]
    assert [tell(client, first, "ready") for _ in range(2)] == [204, 204]
    world.meo.end(context.id)
    world.finish()
    assert tell(client, first, "failed") == 404
    assert world.records("meo_contexts") == {}
    world.meo.admit(wish())
    assert driver.reports["p1"].id == first.id
    assert tell(client, first, "failed") == 401
    assert state(world) == "deploying"


def test_a_report_before_the_answer_counts(world: World) -> None:
    driver, client = told(world)
    told_early: list[int] = []
    world.before_driver = lambda operation, key, name: told_early.append(tell(client, driver.reports[name], "ready"))
    assert isinstance(world.meo.admit(wish()), Context)
    assert (told_early, state(world)) == ([204], "ready")
    world.platform("p2")
    world.inventory.tell("p1", load=1.0)
    world.before_driver = lambda operation, key, name: told_early.append(tell(client, driver.reports[name], "failed"))
    with pytest.raises(Rejected) as caught:
        world.meo.admit(wish())
    assert caught.value.reasons["p2"] == "deployment failed: its platform says so"


@pytest.mark.parametrize("before", ["deploying", "ready", "failed"])
def test_after_a_restart_the_token_holds_and_the_state_is_known(world: World, before: str) -> None:
    driver, client = told(world)
    world.meo.admit(wish())
    report = driver.reports["p1"]
    tell(client, report, before, "as told")
    world.finish()
    world.restart()
    _, client = told(world)
    readiness = world.meo.deployment_states.of(Pair(KEY, "p1"))
    assert (readiness.state.value, readiness.message) == (before, "as told")
    assert tell(client, report, "ready", "at last") == 204
    assert state(world) == "ready"


def test_after_a_restart_the_driver_is_asked_again(world: World) -> None:
    seen(world).says["p1"] = "0 of 1 replicas are available"
    world.meo.admit(wish())
    world.finish()
    world.crash()
    world._driver = Seen
    world.start()
    assert state(world) == "deploying"
    turns_until(lambda: state(world) == "ready")
    world.finish()
    world.restart()
    assert state(world) == "ready"


def test_contexts_leave_a_deployment_that_has_failed(world: World) -> None:
    driver, client = told(world)
    context = world.meo.admit(wish())
    tell(client, driver.reports["p1"], "ready")
    assert rounds(world) == []
    tell(client, driver.reports["p1"], "failed", "out of memory")
    assert rounds(world) == []
    world.platform("p2")
    assert rounds(world) == [(context.id, "p1", "p2")]
    assert world.meo.state.contexts[context.id].moves[-1].reason == "deployment failed: out of memory"
    world.finish()
    assert world.present() == {"p2": {KEY}}


def test_a_deployment_that_has_failed_is_repeated_for_the_next_context(world: World) -> None:
    driver, client = told(world)
    world.meo.admit(wish())
    tell(client, driver.reports["p1"], "failed")
    assert state(world) == "failed"
    world.meo.admit(wish())
    assert (world.calls["deploy"], state(world)) == (2, "deploying")


def test_deployments_are_listed(world: World) -> None:
    driver, client = told(world)
    world.platform("p2")
    for _ in range(20):
        world.meo.admit(wish())
    tell(client, driver.reports["p2"], "failed", "no image")
    found = {view["platform"]: view for view in client.get("/meo/v1/deployments").get_json()}
    assert found.keys() == {"p1", "p2"}
    assert (found["p2"]["state"], found["p2"]["message"], found["p2"]["since"]) == ("failed", "no image", world.time)
    assert sum(view["contexts"] for view in found.values()) == 20
    (one,) = client.get("/meo/v1/deployments?platform=p1").get_json()
    assert one == found["p1"]
    assert client.get("/meo/v1/deployments?appKey=x").get_json() == []


def test_the_url_of_the_callback_is_whole_when_it_is_known() -> None:
    settings = MeoSettings(public_url="https://meo.example/")
    assert settings.status_url("a") == "https://meo.example/meo/v1/deployments/a/status"
