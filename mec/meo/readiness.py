# SPDX-License-Identifier: Apache-2.0
"""How far the deployment of an application on a platform is: drivers are asked, or platforms tell (status callback)."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import gevent
from gevent.event import Event

from mec.meo.drivers.base import DriverError, NeverReady
from mec.meo.model import DeploymentState, Pair
from submgr.platform.supervised import SupervisedLoop

WATCHED_FOR = 900.0
"""Seconds after which nobody asks any more whether a deployment is ready. Kubernetes gives one up after 600 s."""
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 5.0)
"""Seconds between two looks; the last one again and again."""


@dataclass(slots=True)
class Readiness:
    """The state of one deployment, since when (s since 1970), and in words what its platform says.

    `token`: who has it may tell the state; "" for deployments that nobody tells about. `stored`: the store has a record
    of it, since it is not ready at once. `wait_until`: who needs the
    deployment waits no longer for it (of the clock).
    """

    state: DeploymentState = DeploymentState.READY
    message: str = ""
    since: float = 0.0
    token: str = ""
    stored: bool = False
    wait_until: float = 0.0
    settled: Event = field(default_factory=Event)

    def begin(self, now: float, *, reported: bool, observable: bool) -> None:
        """It is being deployed, perhaps once more. `reported`: its platform may tell how far it is. `observable`: its
        driver can see that."""
        self.state, self.message, self.since = DeploymentState.DEPLOYING, "", now
        self.settled.clear()
        self.stored = reported or observable
        if reported and not self.token:
            self.token = secrets.token_urlsafe(24)

    def tell(self, state: DeploymentState, message: str, now: float) -> bool:
        """Takes the state. Returns whether it is another one than before."""
        changed = (state, message) != (self.state, self.message)
        if changed:
            self.state, self.message, self.since = state, message, now
        if state is DeploymentState.DEPLOYING:
            self.settled.clear()
        else:
            self.settled.set()
        return changed


class Watches:
    """Asks drivers for the readiness of deployments, each in a greenlet of its own. `tell` is given what they say."""

    def __init__(self, tell: Callable[[Pair, DeploymentState, str], None], clock: Callable[[], float]) -> None:
        self._tell = tell
        self._clock = clock
        self._loops: dict[Pair, SupervisedLoop] = {}

    def start(self, pair: Pair, look: Callable[[], str | None]) -> None:
        """Looks until the deployment is ready or has failed. `look`: as `Observable.ready` of a driver."""
        self.end(pair)
        step = partial(self._step, pair, look, iter(_PAUSES), self._clock() + WATCHED_FOR)
        self._loops[pair] = SupervisedLoop("readiness", step)
        self._loops[pair].start()

    def end(self, pair: Pair) -> None:
        """Nobody needs to know any more."""
        if (loop := self._loops.pop(pair, None)) is not None:
            loop.stop(block=False)

    def stop(self) -> None:
        """Ends all of them."""
        for pair in list(self._loops):
            self.end(pair)

    def _step(self, pair: Pair, look: Callable[[], str | None], pauses: Iterator[float], until: float) -> bool:
        """One look and the pause after it. Returns whether there is another one."""
        state, message = DeploymentState.DEPLOYING, ""
        try:
            message = look() or ""
            state = DeploymentState.DEPLOYING if message else DeploymentState.READY
        except NeverReady as exc:
            state, message = DeploymentState.FAILED, str(exc)
        except DriverError as exc:
            message = str(exc)  # that it cannot be told now says nothing about the deployment
        self._tell(pair, state, message)
        if state is not DeploymentState.DEPLOYING or self._clock() >= until:
            self._loops.pop(pair, None)
            return False
        gevent.sleep(next(pauses, _PAUSES[-1]))
        return True
