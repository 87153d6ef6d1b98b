# SPDX-License-Identifier: Apache-2.0
"""Application mobility: brings the application state of a UE from the MEC where the UE was to this one."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import gevent
from gevent.event import Event

from mec.ams.model import ANY_APP, KnownUses, NoState, StateError, Use
from mec.ams.schemas import MAX_STATE, state_in
from mec.common.flights import Alone, OneFlight
from mec.common.peer_client import NoAnswer, PeerClient
from mec.common.settings import MecSettings
from submgr.platform.http.errors import HttpError
from submgr.platform.outbox import Outbox, Outcome, Result, RetryPolicy
from submgr.platform.store.base import StoreError

log = logging.getLogger(__name__)

STATES_UNDER_WAY = 64 << 20
"""Bytes of all states that are being fetched. One that does not find room is not fetched."""
ANSWER_WITHIN = 2.8
"""Seconds within which whoever asks for a state is answered."""
_LATE = 0.1
"""Seconds beyond, when the store holds it up."""
PREFETCH_POLICY = RetryPolicy(tries=3, delay=1.0, backoff=2.0)
_PREFETCHES = 10_000
_AT_ONCE = 16

AppsOf = Callable[[str], list[object]]
"""The applications that the user with an IMSI has subscribed to."""


class UnknownUe(Exception):
    """No notification about this UE and application has come."""


class NotifyError(Exception):
    """The proxy could not tell the other MECs. The message says why."""


@dataclass(slots=True, eq=False)
class _Flight:
    """A request for a state that is under way. All callers who want the state wait for the same one."""

    use: Use
    landed: Event = field(default_factory=Event)
    state: bytes | memoryview | None = None
    failure: NoState | StateError | None = None


class MobilityObserver:
    """Is told what happens to the application state of UEs. This one does nothing. Its methods must not block."""

    def moved_away(self, uses: Sequence[Use]) -> None:
        """A UE uses applications at another MEC from now on."""

    def served(self, imsi: str, app_id: str) -> None:
        """The state of a UE was given to another MEC."""

    def failed(self, imsi: str, app_id: str) -> None:
        """The state of a UE could not be given to another MEC."""


class Ams:
    """The application mobility service of one MEC. `counts`: events by name.

    `peers` asks the proxy, `apps` the applications. `one_flight`: makes one request of those of all replicas.
    """

    def __init__(
        self,
        settings: MecSettings,
        uses: KnownUses,
        peers: PeerClient,
        apps: PeerClient,
        apps_of: AppsOf,
        clock: Callable[[], float] = time.monotonic,
        one_flight: OneFlight | None = None,
    ) -> None:
        self.uses = uses
        self.counts: Counter[str] = uses.counts
        self.observer = MobilityObserver()
        self._settings = settings
        self._peers = peers
        self._apps = apps
        self._apps_of = apps_of
        self._clock = clock
        self._one_flight = one_flight or Alone()
        self._flights: dict[str, _Flight] = {}
        self._under_way = 0
        self._prefetches = Outbox(policy=PREFETCH_POLICY, places=_PREFETCHES, at_once=_AT_ONCE)

    @property
    def prefetching(self) -> int:
        """How many prefetches are not finished."""
        return self._prefetches.waiting

    def stop(self) -> None:
        """Ends all prefetches."""
        self._prefetches.stop()

    def notify(self, imsi: str, mec_id: int, app_id: str | None) -> None:
        """Tells the other MECs that a UE uses an application here (None: all its applications). Raises NotifyError."""
        app = f"&appId={app_id}" if app_id is not None else ""
        url = f"{self._settings.proxy_url}/app/notify/?imsi={imsi}&mecId={mec_id}{app}"
        try:
            answer = self._peers.request("GET", url)
        except NoAnswer as exc:
            self.counts["notify failed"] += 1
            raise NotifyError(f"the proxy cannot be reached: {exc}") from exc
        if not answer.ok:
            self.counts["notify failed"] += 1
            raise NotifyError(f"the proxy answers with {answer.status}")
        self.counts["notified others"] += 1

    def notified(self, imsi: str, mec_id: int, app_id: str | None) -> None:
        """Takes the news that a UE uses an application at another MEC. Raises StoreError when it is not stored yet."""
        if mec_id == self._settings.mec_id:
            self.counts["own notifications"] += 1
            return
        self.counts["notifications"] += 1
        uses = self.uses.notified(imsi, app_id, mec_id)
        for use in uses:
            self._flights.pop(use.key, None)
        self.observer.moved_away(uses)

    def fetch(self, imsi: str, app_id: str) -> bytes | memoryview:
        """The state of a UE that came here: from the store, else from the MEC where the UE was.

        Raises UnknownUe, NoState or StateError within ANSWER_WITHIN s.
        """
        late = StateError("the store does not answer in time")
        try:
            with gevent.Timeout(ANSWER_WITHIN + _LATE, late):
                return self._fetch(imsi, app_id, self._clock() + ANSWER_WITHIN)
        except StoreError as exc:
            raise StateError(f"the store does not answer: {exc}") from exc

    def _fetch(self, imsi: str, app_id: str, deadline: float) -> bytes | memoryview:
        """`deadline` is a time of the clock. Raises StoreError, too."""
        while True:
            use = self.uses.find(imsi, app_id)
            if use is None:
                raise UnknownUe
            state = self.uses.state_of(use)
            if state is not None:
                self.counts["served from here"] += 1
                return state
            if use.mec_id == self._settings.mec_id:
                raise NoState("the UE was at no other MEC")
            flight = self._flight(use)
            if not flight.landed.wait(max(0.0, deadline - self._clock())):
                raise StateError("the other MEC does not answer in time")
            if self.uses.is_current(use):
                return _outcome(flight)
            if self._clock() >= deadline:
                raise StateError("the UE moved on meanwhile")

    def prefetch(self, imsi: str, app_id: str | None) -> None:
        """Fetches states of a UE in the background, of one application or of all that are known (None)."""
        for app in [app_id] if app_id is not None else self._known_apps(imsi):
            use = self.uses.find(imsi, app)
            if use is None or use.stored or use.mec_id == self._settings.mec_id:
                continue
            if not self._prefetches.put("all", use.key, partial(self._prefetch, imsi, app), self._prefetched):
                self.counts["prefetches dropped"] += 1

    def give(self, imsi: str, app_id: str) -> memoryview:
        """The state of a UE from the application at this MEC, for another MEC. Raises NoState or StateError."""
        url = self._settings.app_urls.get(app_id)
        if url is None:
            self.counts["unknown application"] += 1
            raise NoState("this application is not here")
        try:
            state = self._from_app(url, imsi)
        except NoState:
            self.counts["application has no state"] += 1
            raise
        except StateError:
            self.counts["application failed"] += 1
            self.observer.failed(imsi, app_id)
            raise
        self.counts["given to others"] += 1
        return state

    def _from_app(self, url: str, imsi: str) -> memoryview:
        lacks = "the application has no state of this UE"
        with self._state_from(self._apps, f"{url}/mec/app/state?imsi={imsi}", "the application", lacks) as state:
            return state

    @contextmanager
    def _state_from(self, peers: PeerClient, url: str, who: str, lacks: str) -> Iterator[memoryview]:
        """The state in an answer, which has its room among all states under way within the `with` block."""
        try:
            with peers.stream("GET", url) as answer:
                if answer.status in (204, 404):
                    raise NoState(lacks)
                if not 200 <= answer.status < 300:
                    raise StateError(f"{who} answers with {answer.status}")
                with self._room(MAX_STATE if answer.length is None else answer.length):
                    yield state_in(answer.read(MAX_STATE))
        except (NoAnswer, HttpError) as exc:
            raise StateError(f"{who} does not answer: {exc}") from exc

    @contextmanager
    def _room(self, size: int) -> Iterator[None]:
        if self._under_way + size > STATES_UNDER_WAY:
            self.counts["too many under way"] += 1
            raise StateError("too many states are under way")
        self._under_way += size
        try:
            yield
        finally:
            self._under_way -= size

    def _flight(self, use: Use) -> _Flight:
        """The one that is under way for this use, else a new one."""
        flight = self._flights.get(use.key)
        if flight is not None and flight.use.order == use.order:
            self.counts["shared fetches"] += 1
            return flight
        flight = self._flights[use.key] = _Flight(use)
        gevent.spawn(self._fly, flight)
        return flight

    def _fly(self, flight: _Flight) -> None:
        use = flight.use
        try:
            name = f"{use.key}/{use.order}"
            flight.state = self._one_flight.fly(name, partial(self._fetch_from_peer, use), partial(self._landed, use))
        except (NoState, StateError) as exc:
            flight.failure = exc
        except StoreError as exc:
            flight.failure = StateError(f"the store does not answer: {exc}")
        finally:
            if flight.state is None and flight.failure is None:
                flight.failure = StateError("the fetch was given up")
            if self._flights.get(use.key) is flight:
                del self._flights[use.key]
            flight.landed.set()

    def _fetch_from_peer(self, use: Use) -> bytes | memoryview:
        url = f"{self._settings.proxy_url}/app/state/?imsi={use.imsi}&mecId={use.mec_id}&appId={use.app_id}"
        lacks = "the other MEC has no state of this UE"
        try:
            with self._state_from(self._peers, url, "the proxy", lacks) as state:
                kept = self.uses.keep_state(use, bytes(state))
                self.counts["fetched" if kept else "fetches overtaken"] += 1
                return state
        except (NoState, StateError) as exc:
            self.counts["fetched nothing" if isinstance(exc, NoState) else "fetches failed"] += 1
            raise

    def _landed(self, use: Use) -> bytes | None:
        """The state that another replica has fetched for a use. Raises StateError when the use is not current."""
        now = self.uses.find(use.imsi, use.app_id)
        if now is None or now.order != use.order:
            raise StateError("the UE moved on meanwhile")
        return self.uses.state_of(now)

    def _known_apps(self, imsi: str) -> list[str]:
        uses = self.uses.of_ue(imsi)
        apps = dict.fromkeys(use.app_id for use in uses if use.app_id != ANY_APP)
        if any(use.app_id == ANY_APP for use in uses):
            apps.update(dict.fromkeys(str(app) for app in self._apps_of(imsi)))
            apps.update(dict.fromkeys(self._settings.app_urls))
        return list(apps)

    def _prefetch(self, imsi: str, app_id: str) -> bool:
        try:
            self.fetch(imsi, app_id)
        except StateError:
            return False
        except (NoState, UnknownUe):
            return True
        return True

    def _prefetched(self, result: Result) -> None:
        done = result.outcome is Outcome.DELIVERED
        self.counts["prefetches done" if done else "prefetches given up"] += 1


def _outcome(flight: _Flight) -> bytes | memoryview:
    if flight.state is not None:
        return flight.state
    assert flight.failure is not None
    raise type(flight.failure)(*flight.failure.args)
