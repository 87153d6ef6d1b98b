# SPDX-License-Identifier: Apache-2.0
"""Telling identity providers who has which address: in order per UE, repeatedly until they know, bounded.

What is not told yet is in the store: after a restart the latest of each UE is told again. A provider that is away
for long gets, of more events than there are places for, the newest.
"""

import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import msgspec
from gevent.lock import BoundedSemaphore
from prometheus_client import Histogram

from mec import imsi as imsis
from mec.controller.model import Announce, Happening, Identity
from mec.controller.schemas import PushRecord, identity_body, prefetch_body
from mec.records import Records
from submgr.platform.http_client import HttpClient, HttpError
from submgr.platform.logs import Sparsely
from submgr.platform.outbox import Outbox, Outcome, Result, RetryPolicy

log = logging.getLogger(__name__)

TIMEOUT = 2.0
"""Seconds for one request, of which connecting takes no more than half."""
IDENTITY_POLICY = RetryPolicy(tries=200, delay=1.0, backoff=2.0, max_delay=60.0)
PREFETCH_POLICY = RetryPolicy(tries=3, delay=1.0, backoff=2.0)
MAX_USER_DATA = 16 * 1024 * 1024
_PAUSE = 2.0
"""Seconds for which a manager that did not answer is not asked for user data."""
_PREFETCHES = 1000


@dataclass(frozen=True, slots=True)
class PushSettings:
    """`idps` and `manager` are URLs; `places` bounds the deliveries that wait for one identity provider."""

    idps: tuple[str, ...]
    manager: str
    user_data: bool = False
    state: bool = False
    token: str | None = field(default=None, repr=False)
    places: int = 10_000


@dataclass(slots=True, eq=False)
class _News:
    """One announcement. `left`: deliveries that are not finished, by identity provider."""

    key: str
    identities: tuple[Identity, ...]
    left: dict[str, int]
    user_data: "_UserData | None"


class IdentityPush:
    """See the module. Deliveries begin with `put`."""

    def __init__(
        self,
        settings: PushSettings,
        client: HttpClient,
        records: Records[PushRecord],
        seconds: Histogram | None = None,
        policy: RetryPolicy = IDENTITY_POLICY,
    ) -> None:
        self._settings = settings
        self._client = client
        self._records = records
        self._seconds = seconds
        self._outbox = Outbox(policy=policy, places=settings.places)
        self._prefetches = Outbox(policy=PREFETCH_POLICY, places=_PREFETCHES, at_once=16)
        self._manager = _Manager(settings.manager, client)
        self._latest: dict[str, _News] = {}
        self._order: dict[str, OrderedDict[str, int]] = {idp: OrderedDict() for idp in settings.idps}
        self._sparsely = Sparsely(log)
        self.counts: Counter[str] = Counter()
        """Deliveries by what became of them."""

    @property
    def waiting(self) -> int:
        """Deliveries that are not finished."""
        return self._outbox.waiting

    def oldest(self) -> float:
        """Age of the oldest delivery that is not finished, in s."""
        return self._outbox.oldest()

    def put(self, announce: Announce) -> None:
        """Tell every identity provider, and have the manager prefetch."""
        here = announce.identities[0].happening is not Happening.DETACHED
        if here and self._settings.state:
            self._prefetch(announce.ue.key, announce.identities[0].imsi)
        if self._settings.idps:
            self._tell(announce.ue.key, announce.identities, self._settings.idps)

    def resume(self) -> None:
        """Tell what was not told before the restart. Raises StoreError."""
        for key, record in self._records.load().items():
            left = [idp for idp in self._settings.idps if idp in record.left]
            if not left:
                self._records.remove_soon(key)
            elif key not in self._latest and record.identities:
                self._tell(key, record.identities, left)

    def forget(self, keys: Iterable[str]) -> None:
        """UEs that are not known any more."""
        for key in keys:
            if self._latest.pop(key, None) is not None:
                self._records.remove_soon(key)

    def stop(self, grace: float = 1.0) -> None:
        """Begin nothing more, and wait `grace` s for what is under way."""
        self._prefetches.stop(0.0)
        self._outbox.stop(grace)

    def _tell(self, key: str, identities: tuple[Identity, ...], idps: Iterable[str]) -> None:
        wanted = self._settings.user_data and identities[0].happening is not Happening.DETACHED
        user_data = _UserData(self._manager, identities[0].imsi) if wanted else None
        news = _News(key, identities, dict.fromkeys(idps, len(identities)), user_data)
        self._latest[key] = news
        self._records.save_soon(key, PushRecord(identities, tuple(news.left)))
        for idp in list(news.left):
            for identity in identities:
                self._deliver(news, idp, identity)

    def _deliver(self, news: _News, idp: str, identity: Identity) -> None:
        order = self._order[idp]
        while not self._outbox.reserve(idp):
            # the newest wins, but for deliveries that are just being tried
            if not order:
                self.counts[Outcome.DROPPED.value] += 1
                return
            oldest, _ = order.popitem(last=False)
            self._outbox.drop((idp, oldest))
        order[news.key] = order.get(news.key, 0) + 1
        body = _Body(identity, news.user_data)
        self._outbox.put(
            idp, (idp, news.key), partial(self._send, idp, body), partial(self._done, news, idp), reserved=True
        )

    def _send(self, idp: str, body: "_Body") -> bool:
        headers = {"Content-Type": "application/json"}
        if self._settings.token:
            headers["Authorization"] = f"Bearer {self._settings.token}"
        answer = self._client.request(
            "POST",
            f"{idp}/oidc/store",
            body=body.encoded(),
            headers=headers,
            connect_timeout=TIMEOUT / 2,
            read_timeout=TIMEOUT,
            max_response=1024 * 1024,
        )
        return answer.ok

    def _done(self, news: _News, idp: str, result: Result) -> None:
        self.counts[result.outcome.value] += 1
        self._leave(idp, news.key)
        if result.outcome is not Outcome.DELIVERED:
            self._sparsely.log(
                logging.WARNING,
                f"{idp} {result.outcome.value}",
                "identity not delivered",
                idp=idp,
                imsi=imsis.masked(news.identities[0].imsi),
                outcome=result.outcome.value,
                tries=result.tries,
                why=result.error,
            )
            return
        if self._seconds is not None:
            self._seconds.observe(result.age)
        news.left[idp] -= 1
        if news.left[idp]:
            return
        del news.left[idp]
        if self._latest.get(news.key) is not news:
            return
        if news.left:
            self._records.save_soon(news.key, PushRecord(news.identities, tuple(news.left)))
        else:
            del self._latest[news.key]
            self._records.remove_soon(news.key)

    def _leave(self, idp: str, key: str) -> None:
        order = self._order[idp]
        left = order.get(key, 0) - 1
        if left > 0:
            order[key] = left
        else:
            order.pop(key, None)

    def _prefetch(self, key: str, imsi: str) -> None:
        if not self._prefetches.put("manager", key, partial(self._manager.prefetch_state, imsi), self._prefetched):
            self.counts["prefetch dropped"] += 1

    def _prefetched(self, result: Result) -> None:
        self.counts[f"prefetch {result.outcome.value}"] += 1


class _Manager:
    """What the controller asks of the MEC manager."""

    def __init__(self, url: str, client: HttpClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._silent_until = 0.0

    def prefetch_state(self, imsi: str) -> bool:
        answer = self._client.request(
            "POST",
            f"{self._url}/ams/prefetch/state",
            body=prefetch_body(imsi),
            headers={"Content-Type": "application/json"},
            connect_timeout=TIMEOUT / 2,
            read_timeout=TIMEOUT,
            max_response=1024 * 1024,
        )
        return answer.ok

    def user_data(self, imsi: str) -> bytes | None:
        """JSON, or None when the manager has none or does not answer."""
        if self._clock() < self._silent_until:
            return None
        try:
            answer = self._client.request(
                "GET",
                f"{self._url}/manager/user/data/?imsi={imsi}",
                connect_timeout=TIMEOUT / 2,
                read_timeout=TIMEOUT,
                max_response=MAX_USER_DATA,
            )
        except (HttpError, OSError):
            self._silent_until = self._clock() + _PAUSE
            return None
        return answer.body if answer.ok and _is_json(answer.body) else None


class _UserData:
    """The subscription data of one UE, asked for once, by whoever needs it first."""

    def __init__(self, manager: _Manager, imsi: str) -> None:
        self._manager = manager
        self._imsi = imsi
        self._asking = BoundedSemaphore(1)
        self._asked = False
        self._data: bytes | None = None

    def get(self) -> bytes | None:
        with self._asking:
            if not self._asked:
                self._data = self._manager.user_data(self._imsi)
                self._asked = True
            return self._data


class _Body:
    """What one identity provider is sent of one address; made when it is needed, since user data are large."""

    def __init__(self, identity: Identity, user_data: _UserData | None) -> None:
        self._identity = identity
        self._user_data = user_data

    def encoded(self) -> bytes:
        return identity_body(self._identity, self._user_data.get() if self._user_data is not None else None)


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
