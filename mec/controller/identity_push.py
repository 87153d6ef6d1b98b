# SPDX-License-Identifier: Apache-2.0
"""Tells identity providers which UE has which address: in order per UE, again until they know, bounded.

The store keeps what is not delivered: after a restart the latest event of each address of a UE is sent again. For a
provider that is away for long, of more events than there are places for, the newest are kept.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from prometheus_client import Histogram

from mec.common import imsi as imsis
from mec.common.records import Records
from mec.controller.late_user_data import LateUserData
from mec.controller.manager_client import TIMEOUT, ManagerClient, UserData
from mec.controller.model import HERE, Announce, Identity
from mec.controller.schemas import PushRecord, identity_body
from submgr.platform.http.client import HttpClient
from submgr.platform.outbox import Outbox, Outcome, Result, RetryPolicy
from submgr.platform.secret_file import secret_file
from submgr.platform.sparse_log import Sparsely

log = logging.getLogger(__name__)

IDENTITY_POLICY = RetryPolicy(tries=200, delay=1.0, backoff=2.0, max_delay=60.0)
PREFETCH_POLICY = RetryPolicy(tries=3, delay=1.0, backoff=2.0)
_PREFETCHES = 1000
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class PushSettings:
    """`idps` and `manager` are URLs; `places` bounds the deliveries that wait for one identity provider.

    `token_file`: the file that has the token, in place of `token`.
    """

    idps: tuple[str, ...]
    manager: str
    user_data: bool = False
    state: bool = False
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    places: int = 10_000


@dataclass(slots=True, eq=False)
class _Announcement:
    """The identities of one UE to tell. `left`: how many deliveries each identity provider still has to take.

    `recorded`: what is to be told again after a restart: these, and those before them of other addresses that are not
    delivered either.
    """

    key: str
    recorded: tuple[Identity, ...]
    left: dict[str, int]
    user_data: UserData | None

    def lacks_user_data(self, identity: Identity) -> bool:
        """Whether it was told without the user's data for the moment only."""
        return identity.happening in HERE and self.user_data is not None and self.user_data.unanswered


class IdentityPush:
    """Delivers announcements to identity providers, and has the manager prefetch. `counts`: deliveries by outcome."""

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
        self._outbox = Outbox(policy=policy, places=settings.places + _AT_ONCE, at_once=_AT_ONCE)
        self._prefetches = Outbox(policy=PREFETCH_POLICY, places=_PREFETCHES, at_once=16)
        self._manager = ManagerClient(settings.manager, client)
        self._latest: dict[str, _Announcement] = {}
        self._queues = {idp: _Queue(settings.places) for idp in settings.idps}
        self._late = LateUserData(self._manager, self._tell_user_data, settings.places)
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
        """Tells every identity provider, and has the manager prefetch state if the settings say so."""
        if announce.identities[0].happening in HERE and self._settings.state:
            self._prefetch(announce.ue.key, announce.identities[0].imsi)
        if self._settings.idps:
            self._tell(announce.ue.key, announce.identities, self._settings.idps)

    def resume(self) -> None:
        """Delivers the announcements that the last run did not deliver. Raises StoreError."""
        for key, record in self._records.load().items():
            left = [idp for idp in self._settings.idps if idp in record.left]
            if not left:
                self._records.remove_soon(key)
            elif key not in self._latest and record.identities:
                self._tell(key, record.identities, left)

    def forget(self, keys: Iterable[str]) -> None:
        """Drops the records of UEs that are no longer known."""
        for key in keys:
            if self._latest.pop(key, None) is not None:
                self._records.remove_soon(key)

    def stop(self, grace: float = 1.0) -> None:
        """Begins no further delivery, and waits `grace` s for those under way."""
        self._late.stop()
        self._prefetches.stop(0.0)
        self._outbox.stop(grace)

    def _tell_user_data(self, key: str, identities: tuple[Identity, ...], data: bytes) -> None:
        self._tell(key, identities, self._settings.idps, data)

    def _tell(self, key: str, identities: tuple[Identity, ...], idps: Iterable[str], data: bytes | None = None) -> None:
        user_data = UserData(self._manager, identities[0].imsi, data) if self._settings.user_data else None
        addresses = {identity.address for identity in identities}
        self._late.forget(key, addresses)
        earlier = self._latest[key].recorded if key in self._latest else ()
        recorded = tuple(identity for identity in earlier if identity.address not in addresses) + identities
        announcement = _Announcement(key, recorded, dict.fromkeys(idps, len(identities)), user_data)
        self._latest[key] = announcement
        self._records.save_soon(key, PushRecord(recorded, tuple(announcement.left)))
        for idp in list(announcement.left):
            for identity in identities:
                self._deliver(announcement, idp, identity)

    def _deliver(self, announcement: _Announcement, idp: str, identity: Identity) -> None:
        queue = self._queues[idp]
        for key in queue.too_many():
            self._outbox.drop((idp, key))
        ticket = queue.enter(announcement.key)
        user_data = announcement.user_data if identity.happening in HERE else None
        send = partial(self._send, idp, _Body(identity, user_data))
        done = partial(self._done, announcement, identity, idp, ticket)
        if not self._outbox.put(idp, (idp, announcement.key), send, done):
            queue.leave(ticket)
            self.counts[Outcome.DROPPED.value] += 1

    def _send(self, idp: str, body: "_Body") -> bool:
        headers = {"Content-Type": "application/json"}
        settings = self._settings
        if token := secret_file(settings.token_file).text() if settings.token_file else settings.token:
            headers["Authorization"] = f"Bearer {token}"
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

    def _done(
        self, announcement: _Announcement, identity: Identity, idp: str, ticket: "_Ticket", result: Result
    ) -> None:
        self.counts[result.outcome.value] += 1
        self._queues[idp].leave(ticket)
        if result.outcome is not Outcome.DELIVERED:
            self._sparsely.log(
                logging.WARNING,
                f"{idp} {result.outcome.value}",
                "identity not delivered",
                idp=idp,
                imsi=imsis.masked(announcement.recorded[0].imsi),
                outcome=result.outcome.value,
                tries=result.tries,
                why=result.error,
            )
            return
        if self._seconds is not None:
            self._seconds.observe(result.age)
        latest = self._latest.get(announcement.key) is announcement
        if latest and announcement.lacks_user_data(identity):
            self._late.add(announcement.key, identity)
        announcement.left[idp] -= 1
        if announcement.left[idp]:
            return
        del announcement.left[idp]
        if not latest:
            return
        if announcement.left:
            self._records.save_soon(announcement.key, PushRecord(announcement.recorded, tuple(announcement.left)))
        else:
            del self._latest[announcement.key]
            self._records.remove_soon(announcement.key)

    def _prefetch(self, key: str, imsi: str) -> None:
        if not self._prefetches.put("manager", key, partial(self._manager.prefetch_state, imsi), self._prefetched):
            self.counts["prefetch dropped"] += 1

    def _prefetched(self, result: Result) -> None:
        self.counts[f"prefetch {result.outcome.value}"] += 1


@dataclass(slots=True, eq=False)
class _Ticket:
    """One delivery of a UE in a queue, as long as it counts there."""

    key: str
    counts: bool = True


class _Queue:
    """What waits for one identity provider: UEs in the order of their latest announcement. The newest win."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._ues: OrderedDict[str, list[_Ticket]] = OrderedDict()

    def too_many(self) -> Iterator[str]:
        """The UEs that have to go before there is a place. Their tries that are just under way count no longer."""
        while self._taken >= self._places:
            key, tickets = self._ues.popitem(last=False)
            self._taken -= len(tickets)
            for ticket in tickets:
                ticket.counts = False
            yield key

    def enter(self, key: str) -> _Ticket:
        """One more delivery."""
        ticket = _Ticket(key)
        self._ues.setdefault(key, []).append(ticket)
        self._ues.move_to_end(key)
        self._taken += 1
        return ticket

    def leave(self, ticket: _Ticket) -> None:
        """One less, if it still counts."""
        if not ticket.counts:
            return
        ticket.counts = False
        self._taken -= 1
        tickets = self._ues[ticket.key]
        tickets.remove(ticket)
        if not tickets:
            del self._ues[ticket.key]


class _Body:
    """What one identity provider is sent of one address; made when it is needed, since user data are large."""

    def __init__(self, identity: Identity, user_data: UserData | None) -> None:
        self._identity = identity
        self._user_data = user_data

    def encoded(self) -> bytes:
        return identity_body(self._identity, self._user_data.get() if self._user_data is not None else None)
