# SPDX-License-Identifier: Apache-2.0
"""Begins deployments and follows them until they are ready, by what drivers see or platforms tell (status callback).

Of a deployment that may take its time the store has a record with its state, and with the token that is needed to tell
it. It is there from before the deployment begins until after its removal: after a restart the token holds, and the
orchestrator goes on looking.
"""

import logging
from collections.abc import Callable
from functools import partial

from mec.common.records import left_to_the_store
from mec.meo.drivers.base import DriverError, Report, instance_id
from mec.meo.driving import Driving
from mec.meo.errors import Unavailable, Unknown
from mec.meo.events import Events, Kind, Severity
from mec.meo.model import DeploymentState, Pair
from mec.meo.readiness import Readiness, Watches
from mec.meo.records import CONTEXTS, StoredDeployment, deployment_key, encode
from submgr.platform.store.base import Change, Store, StoreError

log = logging.getLogger(__name__)


class DeploymentStates:
    """The states of what is deployed or being deployed.

    `status_url`: where the state of a deployment is told, by its id. `ready_timeout`: seconds that a context waits for
    a deployment. `on_failed` is told of each deployment that fails after its platform has accepted it.
    """

    def __init__(
        self,
        store: Store,
        driving: Driving,
        status_url: Callable[[str], str],
        ready_timeout: Callable[[], float],
        events: Events,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._store = store
        self._driving = driving
        self._status_url = status_url
        self._ready_timeout = ready_timeout
        self._events = events
        self._clock = clock
        self._wall = wall
        self._states: dict[Pair, Readiness] = {}
        self._ids: dict[str, Pair] = {}
        """The pairs whose platforms may tell how far they are, by the id of the deployment."""
        self._watches = Watches(self._tell, clock)
        self.on_failed: Callable[[Pair, str], None] = lambda pair, why: None

    def stop(self) -> None:
        """Looks no more."""
        self._watches.stop()

    def of(self, pair: Pair) -> Readiness:
        """How far a deployment is. One of which nothing was told is ready."""
        return self._states.get(pair) or Readiness()

    def failed(self) -> list[Pair]:
        """The pairs whose deployment has failed."""
        return [pair for pair, readiness in self._states.items() if readiness.state is DeploymentState.FAILED]

    def begin(self, pair: Pair) -> dict[str, bytes]:
        """A deployment is about to begin. Returns its record for the store."""
        readiness = self._states.setdefault(pair, Readiness())
        reported, observable = self._driving.reported(pair), self._driving.observable(pair)
        readiness.begin(self._wall(), reported=reported, observable=observable)
        return self._record(pair, readiness)

    def deploy(self, pair: Pair, seconds: float | None = None) -> None:
        """Has the driver deploy it; what it accepts need not be ready yet. Raises DriverError."""
        readiness, report = self._states[pair], None
        if readiness.token:
            report = Report(instance_id(pair), self._status_url(instance_id(pair)), readiness.token)
        try:
            done = self._driving.deploy(pair, report, seconds)
        except DriverError as exc:
            self._tell(pair, DeploymentState.FAILED, str(exc))
            raise
        if readiness.state is DeploymentState.FAILED:  # its platform has told so meanwhile
            raise DriverError(readiness.message or _NO_WORDS)
        readiness.wait_until = self._clock() + self._ready_timeout()
        if self._driving.observable(pair):
            self._watches.start(pair, partial(self._driving.ready, pair))
        elif done:
            self._tell(pair, DeploymentState.READY, "")

    def wait(self, pair: Pair, deadline: float) -> None:
        """Waits until it is ready: until `deadline` (of the clock), and no longer than the setting allows.

        Raises DriverError when it has failed.
        """
        readiness = self._states.get(pair)
        if readiness is None:
            return
        if readiness.state is DeploymentState.DEPLOYING:
            readiness.settled.wait(max(min(deadline, readiness.wait_until) - self._clock(), 0.0))
        if readiness.state is DeploymentState.FAILED:
            raise DriverError(readiness.message or _NO_WORDS)

    def unwatch(self, pair: Pair) -> None:
        """It is about to be removed: nobody needs to know any more whether it is ready."""
        self._watches.end(pair)

    def forget(self, pair: Pair) -> frozenset[str]:
        """It is removed. Returns the key of its record in the store."""
        if self._states.pop(pair, None) is not None:
            self._events.tell(Kind.DEPLOYMENT, Severity.INFO, "removed", **_facts(pair))
        self._ids.pop(instance_id(pair), None)
        return frozenset((deployment_key(instance_id(pair)),))

    def remember(self, stored: StoredDeployment) -> None:
        """At the start: what was told of a deployment."""
        self._states[stored.pair] = Readiness(stored.state, stored.message, stored.since, stored.token, stored=True)
        if stored.token:
            self._ids[stored.id] = stored.pair
        if stored.state is DeploymentState.DEPLOYING and self._driving.observable(stored.pair):
            self._watches.start(stored.pair, partial(self._driving.ready, stored.pair))

    def token(self, deployment_id: str) -> str:
        """The token by which a platform tells the state of a deployment. Raises Unknown."""
        return self._states[self._reported(deployment_id)].token

    def report(self, deployment_id: str, state: DeploymentState, message: str) -> None:
        """A platform tells the state of a deployment, perhaps late or once more. Raises Unknown, Unavailable.

        It is stored before the platform hears so, for nobody can ask the platform again.
        """
        pair = self._reported(deployment_id)
        self._take(pair, state, message)
        try:
            self._store.write(Change(CONTEXTS, self._record(pair, self._states[pair])))
        except StoreError as exc:
            raise Unavailable(f"not stored: {exc}") from exc

    def _reported(self, deployment_id: str) -> Pair:
        if deployment_id not in self._ids:
            raise Unknown(f"there is no deployment {deployment_id} whose state could be told")
        return self._ids[deployment_id]

    def _record(self, pair: Pair, readiness: Readiness) -> dict[str, bytes]:
        if not readiness.stored:
            return {}
        if readiness.token:
            self._ids[instance_id(pair)] = pair
        stored = StoredDeployment(
            instance_id(pair), pair, readiness.token, readiness.state, readiness.message, readiness.since
        )
        return {stored.store_key: encode(stored)}

    def _tell(self, pair: Pair, state: DeploymentState, message: str) -> None:
        """The driver sees how far a deployment is."""
        if self._take(pair, state, message) and (records := self._record(pair, self._states[pair])):
            self._store.submit(Change(CONTEXTS, records), left_to_the_store, persistent=True)

    def _take(self, pair: Pair, state: DeploymentState, message: str) -> bool:
        """Takes the state of a deployment. Returns whether it is another one than before."""
        readiness = self._states.get(pair)
        if readiness is None or not readiness.tell(state, message, self._wall()):
            return False
        severity = Severity.WARNING if state is DeploymentState.FAILED else Severity.INFO
        self._events.tell(Kind.DEPLOYMENT, severity, state.value, **_facts(pair), message=message)
        if state is DeploymentState.FAILED:
            self.on_failed(pair, message or _NO_WORDS)
        return True


_NO_WORDS = "its platform says so"


def _facts(pair: Pair) -> dict[str, str]:
    return {"deploymentId": instance_id(pair), "appKey": pair.app_key, "platform": pair.platform}
