# SPDX-License-Identifier: Apache-2.0
"""Any order of requests, failing drivers, and the end of the process before or after any of its effects."""

from typing import Any

import hypothesis
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.examples import examples
from support.mec.meo_world import World, app, wish

from mec.meo.drivers.base import instance_id
from mec.meo.model import Context, DeploymentState, Platform
from mec.meo.records import deployment_key
from mec.meo.resources import Capacity
from mec.meo.settings import MeoSettings

NAMES = st.sampled_from(["p1", "p2", "p3", "p4", "small"])
APPS = st.sampled_from(["app", "other"])


SMALL = Platform("small", "noop", "http://small/", capacity=Capacity(contexts=2))


class Crashes(RuleBasedStateMachine):
    """The client's view: which contexts it was given, which it has ended; whatever was under way when the process
    died is in doubt."""

    reported = False

    def __init__(self) -> None:
        super().__init__()
        # its clock stands still: who waited for a deployment would wait in real time
        settings = MeoSettings(period=3600.0, cooldown=0.0, seed=1, ready_timeout=0.0)
        self.world = World(settings, reported=self.reported)
        self.world.start()
        self.known: dict[str, Context] = {}
        self.ended: set[str] = set()

    def teardown(self) -> None:
        self.world.stop()

    @initialize()
    def begin(self) -> None:
        for name in ("p1", "p2", "p3"):
            self._do(self.world.platform, name)
        self._do(self.world.inventory.add_platform, SMALL)
        for name in ("app", "other"):
            self._do(self.world.inventory.add_app, app(name))

    def _do(self, function: Any, *args: Any, **options: Any) -> Any:
        """What a request came to; None when the process died before it was answered."""
        request = self.world.ask(function, *args, **options)
        self.world.finish()
        self._take_up()
        return request.value if request.ready() else None

    def _take_up(self) -> None:
        while self.world.dead:
            self.world.restart()
            self.world.finish()

    @rule(name=APPS, count=st.integers(1, 4))
    def admit(self, name: str, count: int) -> None:
        requests = [self.world.ask(self.world.meo.admit, wish(name, "http://device/")) for _ in range(count)]
        self.world.finish()
        self._take_up()
        for request in requests:
            if request.ready() and isinstance(request.value, Context):
                self.known[request.value.id] = request.value

    @rule(which=st.lists(st.integers(0, 9), min_size=1, max_size=3))
    def end(self, which: list[int]) -> None:
        requests = {}
        for number in which:
            if not self.known:
                break
            # the oldest ones by their place, for ids are different each time
            context_id = list(self.known)[number % len(self.known)]
            del self.known[context_id]
            requests[context_id] = self.world.ask(self.world.meo.end, context_id)
        self.world.finish()
        self._take_up()
        for context_id, request in requests.items():
            if request.ready() and request.value is None:
                self.ended.add(context_id)

    @rule(name=NAMES, load=st.sampled_from([0.1, 0.5, 0.9]), key=st.sampled_from([0.0, 0.5]))
    def tell(self, name: str, load: float, key: float) -> None:
        if name in self.world.meo.state.platforms:
            self._do(self.world.inventory.tell, name, load=load, key=key)

    @rule()
    def optimise(self) -> None:
        self._do(self.world.orchestrator.optimiser.round)

    @rule()
    def two_rounds_and_an_admission_at_once(self) -> None:
        for _ in range(2):
            self.world.ask(self.world.orchestrator.optimiser.round)
        self.admit("app", 1)

    @rule(name=NAMES)
    def add_platform(self, name: str) -> None:
        self._do(self.world.inventory.add_platform, Platform(name, "noop", f"http://{name}/"))

    @rule(name=NAMES, beside=st.booleans())
    def withdraw_platform(self, name: str, beside: bool) -> None:
        if beside:
            self.world.ask(self.world.orchestrator.optimiser.round)
        self._do(self.world.inventory.withdraw_platform, name)

    @rule(name=APPS)
    def replace_app(self, name: str) -> None:
        self._do(self.world.inventory.remove_app, app(name).key)
        self._do(self.world.inventory.add_app, app(name))

    @rule(faults=st.lists(st.sampled_from(["deploy fails", "deploy half", "remove fails", "remove half"]), max_size=4))
    def driver_faults(self, faults: list[str]) -> None:
        self.world.faults = list(faults)

    @rule(count=st.integers(1, 3))
    def callback_faults(self, count: int) -> None:
        self.world.callback_faults = count

    @precondition(lambda self: self.world.crash_in is None)
    @rule(steps=st.integers(0, 6), after_effect=st.booleans())
    def plan_a_crash(self, steps: int, after_effect: bool) -> None:
        self.world.crash_in, self.world.crash_after_effect = steps, after_effect

    @rule()
    def restart(self) -> None:
        self.world.restart()
        self.world.finish()
        self._take_up()

    @invariant()
    def deployed_where_needed_and_only_there(self) -> None:
        assert self.world.present() == self.world.wanted()

    @invariant()
    def no_context_is_lost(self) -> None:
        state = self.world.meo.state
        for context_id in list(self.known):
            if context_id not in state.contexts:
                last = self.world.told[context_id][-1]
                assert last["notificationType"] == "ApplicationContextDeleteNotification"
                del self.known[context_id]

    @invariant()
    def stored_and_known_agree_and_nothing_is_half_done(self) -> None:
        state = self.world.meo.state
        stored = self.world.records("meo_contexts")
        told = {key for key in stored if key.startswith("deployment:")}
        pairs = {context.pair for context in state.contexts.values()} if self.reported else set()
        assert told == {deployment_key(instance_id(pair)) for pair in pairs}
        stored = {key: record for key, record in stored.items() if key not in told}
        assert {key: record["platform"] for key, record in stored.items()} == {
            context.id: context.platform for context in state.contexts.values()
        }
        assert set(self.world.records("meo_platforms")) == set(state.platforms)
        assert set(self.world.records("meo_apps")) == set(state.apps)

    @invariant()
    def what_is_taken_is_what_contexts_take(self) -> None:
        state = self.world.meo.state
        for name, platform in state.platforms.items():
            assert state.occupancy.used(name).contexts == state.count_at(name)
            assert platform.capacity is None or state.count_at(name) <= (platform.capacity.contexts or 0)

    @invariant()
    def every_device_knows_where_its_application_is(self) -> None:
        for context_id, admitted in self.known.items():
            context = self.world.meo.state.contexts.get(context_id)
            if context is None:
                continue
            told = self.world.told.get(context_id)
            address = told[-1]["referenceURI"] if told else f"http://{admitted.platform}/"
            assert address == f"http://{context.platform}/"

    @invariant()
    def withdrawn_platforms_are_forgotten(self) -> None:
        assert not any(platform.withdrawn for platform in self.world.meo.state.platforms.values())

    @invariant()
    def what_has_ended_stays_away(self) -> None:
        assert self.ended.isdisjoint(self.world.meo.state.contexts)


class CrashesOfPlatformsThatReport(Crashes):
    """Platforms tell how far deployments are, late and wrongly."""

    reported = True

    @rule(number=st.integers(0, 99), state=st.sampled_from(DeploymentState))
    def report(self, number: int, state: DeploymentState) -> None:
        reports = list(self.world.reports.values())
        if reports:
            report = reports[number % len(reports)]
            self._do(self.world.meo.deployment_states.report, report.id, state, "")

    @invariant()
    def the_token_that_was_given_holds(self) -> None:
        for context in self.world.meo.state.contexts.values():
            report = self.world.reports[context.platform, context.app_key]
            assert self.world.meo.deployment_states.token(report.id) == report.token


Crashes.TestCase.settings = hypothesis.settings(
    max_examples=examples(40), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCrashes = Crashes.TestCase
CrashesOfPlatformsThatReport.TestCase.settings = Crashes.TestCase.settings
TestCrashesOfPlatformsThatReport = CrashesOfPlatformsThatReport.TestCase
