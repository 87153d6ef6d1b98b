# SPDX-License-Identifier: Apache-2.0
"""Deploys an application on a platform once, however many contexts use it, and removes it when no context does.

Whoever needs an application on a platform holds the pair from `acquire` to `release`. The store has a journal record
of a pair from before its deployment begins until a context that uses the pair is stored, and from the end of the last
context until the removal is done. So the next start knows of everything that may be half done. Drivers' operations may
be repeated.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from gevent.lock import BoundedSemaphore

from mec.common.records import left_to_the_store
from mec.meo.deployment_states import DeploymentStates
from mec.meo.drivers.base import DriverError
from mec.meo.driving import Driving
from mec.meo.model import DeploymentState, Pair
from mec.meo.records import CONTEXTS, StoredDeployment, encode, pair_key
from mec.meo.state import MeoState
from submgr.platform.outbox import Outbox, Outcome, Result, RetryPolicy
from submgr.platform.store.base import Change, Store, StoreError

log = logging.getLogger(__name__)

REMOVAL_POLICY = RetryPolicy(tries=12, delay=1.0, backoff=2.0, max_delay=60.0)


class DeployFailed(Exception):
    """An application could not be deployed on a platform. The message says why."""


@dataclass(slots=True)
class _Deployment:
    """`users` hold the pair. `present`: it is surely deployed. `touched`: it may be deployed, or half.
    `journaled`: the store may hold a record of it. `removing`: a removal is due."""

    users: int = 0
    present: bool = False
    touched: bool = False
    journaled: bool = False
    removing: bool = False
    failures: int = 0
    error: str = ""
    turn: BoundedSemaphore = field(default_factory=BoundedSemaphore)


class Deployments:
    """Holds, deploys and removes pairs. `on_gone` is called when nothing is left of a pair; it must not block."""

    def __init__(
        self,
        state: MeoState,
        store: Store,
        driving: Driving,
        states: DeploymentStates,
        on_gone: Callable[[Pair], None],
        policy: RetryPolicy = REMOVAL_POLICY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._store = store
        self._driving = driving
        self.states = states
        states.on_failed = self._came_to_nothing
        self._on_gone = on_gone
        self._clock = clock
        self._pairs: dict[Pair, _Deployment] = {}
        self._outbox = Outbox(policy=policy)

    @property
    def removals_waiting(self) -> int:
        """How many removals are not done."""
        return self._outbox.waiting

    def stop(self) -> None:
        """Begins nothing more. The journal has what is not done."""
        self._outbox.stop()
        self.states.stop()

    def busy(self, platform: str | None = None, app_key: str | None = None) -> bool:
        """Whether a pair with that platform or application is held, or something is left to be removed."""
        return any(pair.platform == platform or pair.app_key == app_key for pair in self._pairs)

    def adopt(self, pair: Pair, *, journaled: bool) -> None:
        """At the start: a stored context uses the pair. A pair with a journal record is deployed again, to be sure."""
        deployment = self._pairs.setdefault(pair, _Deployment(touched=True))
        deployment.users += 1
        deployment.journaled = journaled
        if not journaled:
            deployment.present = True
        elif not deployment.removing:
            deployment.removing = True
            self._outbox.put(pair.platform, pair, partial(self._settle, pair), partial(self._settled, pair))

    def await_notice(self, pair: Pair, *, journaled: bool) -> None:
        """At the start: holds the pair for a device that is still to be told that its context is elsewhere."""
        self._pairs.setdefault(pair, _Deployment(touched=True, journaled=journaled)).users += 1

    def held(self, pair: Pair) -> bool:
        """Whether somebody holds the pair."""
        return pair in self._pairs and self._pairs[pair].users > 0

    def abandon(self, pair: Pair) -> None:
        """At the start: the journal has the pair, and no context uses it."""
        self._pairs[pair] = _Deployment(touched=True, journaled=True)
        self._schedule(pair, self._pairs[pair])

    def remember(self, stored: StoredDeployment) -> bool:
        """At the start: what was told of a deployment. Returns whether anybody holds it, or it is to be removed."""
        deployment = self._pairs.get(stored.pair)
        if deployment is None:
            return False
        self.states.remember(stored)
        if stored.state is DeploymentState.FAILED:
            deployment.present = False
        return True

    def pairs(self) -> list[Pair]:
        """What is deployed, being deployed or being removed."""
        return list(self._pairs)

    def acquire(self, pair: Pair, deadline: float) -> None:
        """Holds the pair, deployed. Waits until `deadline` (of the clock) at the most.

        Raises DeployFailed, or StoreError when the journal cannot be written. Then the pair is not held; where others
        hold it, it is deployed for them in the background.
        """
        deployment = self._pairs.setdefault(pair, _Deployment())
        deployment.users += 1
        try:
            if not deployment.present:
                self._deploy(pair, deployment, deadline)
            try:
                self.states.wait(pair, deadline)
            except DriverError as exc:
                raise DeployFailed(str(exc)) from exc
        except BaseException:
            self.release(pair)
            if deployment.users and deployment.journaled:
                self._schedule(pair, deployment)
            raise

    def release(self, pair: Pair) -> None:
        """Holds the pair no longer. After the last holder it is removed, in the background."""
        deployment = self._pairs[pair]
        deployment.users -= 1
        if not deployment.users:
            self._schedule(pair, deployment)

    def retry(self, platform: str) -> None:
        """Begins again with the removals on a platform that were given up."""
        for pair, deployment in self._pairs.items():
            if pair.platform == platform and not deployment.users:
                self._schedule(pair, deployment)

    def arriving(self, pair: Pair) -> frozenset[str]:
        """The journal key to remove together with writing a context that uses the pair."""
        deployment = self._pairs[pair]
        if not deployment.journaled or not deployment.present:
            return frozenset()
        deployment.journaled = False
        return frozenset((pair_key(pair),))

    def departing(self, pair: Pair) -> dict[str, bytes]:
        """The journal record to write together with removing the last context that uses the pair."""
        self._pairs[pair].journaled = True
        return {pair_key(pair): encode(pair)}

    def not_arrived(self, pair: Pair) -> None:
        """Takes `arriving` back: the store has refused the change."""
        self._pairs[pair].journaled = True

    def _deploy(self, pair: Pair, deployment: _Deployment, deadline: float) -> None:
        failures = deployment.failures
        if not deployment.turn.acquire(timeout=max(deadline - self._clock(), 0.0)):
            raise DeployFailed("the platform is busy with the same application")
        try:
            if deployment.present:
                return
            if deployment.failures != failures:
                # who has waited for an attempt shares its outcome, else each of many would wait for one more
                raise DeployFailed(deployment.error)
            deployment.journaled = True
            records = {pair_key(pair): encode(pair), **self.states.begin(pair)}
            self._store.write(Change(CONTEXTS, records))
            self._bring(pair, deployment, deadline - self._clock())
        finally:
            deployment.turn.release()

    def _bring(self, pair: Pair, deployment: _Deployment, seconds: float | None = None) -> None:
        """Have the driver deploy it. Raises DeployFailed."""
        deployment.touched = True
        try:
            self.states.deploy(pair, seconds)
        except DriverError as exc:
            raise self._failed("deploy", pair, deployment, str(exc)) from exc
        deployment.present = True

    def _came_to_nothing(self, pair: Pair, why: str) -> None:
        """A deployment that the driver took for done has failed: the next context has it deployed again."""
        deployment = self._pairs.get(pair)
        if deployment is not None and deployment.present:
            deployment.present = False
            self._failed("deploy", pair, deployment, why)

    def _failed(self, operation: str, pair: Pair, deployment: _Deployment, why: str) -> DeployFailed:
        deployment.error = why
        if operation == "deploy":
            deployment.failures += 1
        log.warning(
            "driver failed",
            extra={"operation": operation, "app": pair.app_key, "platform": pair.platform, "why": why},
        )
        return DeployFailed(why)

    def _schedule(self, pair: Pair, deployment: _Deployment) -> None:
        if deployment.removing:
            return
        deployment.removing = True
        if deployment.touched:
            deployment.journaled = True
            self._store.submit(Change(CONTEXTS, {pair_key(pair): encode(pair)}), left_to_the_store, persistent=True)
        self._outbox.put(pair.platform, pair, partial(self._settle, pair), partial(self._settled, pair))

    def _settle(self, pair: Pair) -> bool:
        """Bring the platform to what is wanted: one try of the outbox."""
        deployment = self._pairs[pair]
        with deployment.turn:
            try:
                if deployment.users:
                    self._confirm(pair, deployment)
                else:
                    self._remove(pair, deployment)
            except DeployFailed as exc:
                raise OSError(str(exc)) from exc
        return True

    def _confirm(self, pair: Pair, deployment: _Deployment) -> None:
        """It is needed (again): a deployment that may be half done is repeated."""
        if not deployment.present:
            if records := self.states.begin(pair):
                self._store.submit(Change(CONTEXTS, records), left_to_the_store, persistent=True)
            self._bring(pair, deployment)
        # when its users are only about to be stored, they take the record out themselves
        if deployment.journaled and self._state.stays(pair):
            self._store.submit(Change(CONTEXTS, remove=self.arriving(pair)), left_to_the_store, persistent=True)

    def _remove(self, pair: Pair, deployment: _Deployment) -> None:
        deployment.present = False
        self.states.unwatch(pair)
        if deployment.touched:
            try:
                self._driving.remove(pair)
            except DriverError as exc:
                raise self._failed("remove", pair, deployment, str(exc)) from exc
            deployment.touched = False
        records = self.states.forget(pair)
        if deployment.journaled:
            deployment.journaled = False
            try:
                self._store.write(Change(CONTEXTS, remove=records | {pair_key(pair)}), persistent=True)
            except StoreError as exc:
                log.warning("journal not written yet", extra={"why": str(exc)})

    def _settled(self, pair: Pair, result: Result) -> None:
        deployment = self._pairs[pair]
        deployment.removing = False
        if result.outcome is Outcome.GIVEN_UP:
            log.error(
                "an application is left on a platform",
                extra={"app": pair.app_key, "platform": pair.platform, "why": result.error, "tries": result.tries},
            )
            if not deployment.users and self._state.platforms[pair.platform].withdrawn:
                # nobody will come back to a platform that is gone
                deployment.touched = False
                self._schedule(pair, deployment)
            return
        if deployment.users:
            return
        if deployment.touched:
            self._schedule(pair, deployment)  # its users have come and gone meanwhile
        else:
            del self._pairs[pair]
            self._on_gone(pair)
