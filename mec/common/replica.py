# SPDX-License-Identifier: Apache-2.0
"""This process as one of several that are a MEC together: what they share, and which one of them acts.

All of them answer. One has the lease: it orchestrates, and tells subscribers what happens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from socket import gethostname
from typing import Protocol
from uuid import uuid4

import gevent

from mec.common.settings import MecSettings, replicas_need_redis
from submgr.platform import audit
from submgr.platform.config.file import ConfigError
from submgr.platform.http.listen import parse_listen
from submgr.platform.lease.fencing import take_records
from submgr.platform.lease.key import LeaseKey
from submgr.platform.lease.leadership import Key, Leadership
from submgr.platform.lease.lease import RENEWALS, Lease
from submgr.platform.lease.record import Holder
from submgr.platform.shared.base import SharedStore
from submgr.platform.shared.redis import SharedRedis
from submgr.platform.store.base import Store
from submgr.platform.store.choice import chosen
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_client import SdlSettings

log = logging.getLogger(__name__)

FOLLOWED = 3
"""The exit status of a process that another one has followed as the active one: started again it is a standby."""


class Role(Protocol):
    """Whether this replica is the active one."""

    def start(self, begin: Callable[[], None]) -> None:
        """Takes part from now on. Calls `begin` once, when this replica becomes the active one. Raises StoreError."""

    def stop(self) -> None:
        """Takes part no more: another one may follow at once."""

    def acting(self) -> bool:
        """Whether this replica acts at this moment. Does not block."""

    def elsewhere(self) -> str | None:
        """The address ("host:port") of the replica that is active, if it is another one and known."""

    def why_not(self) -> str | None:
        """Why this replica does not act, in words; None while it does."""


@dataclass(frozen=True, slots=True)
class Replica:
    """What a replica has that a process alone has not.

    `store`: of the records that only the active one writes. `shared`: of those that all write.
    """

    shared: SharedStore
    store: Store
    role: Role

    def start(self) -> None:
        """Raises StoreError for wrong settings."""
        self.store.start()
        self.shared.start()

    def stop(self) -> None:
        """Gives up the role, then the stores."""
        self.role.stop()
        self.shared.stop()
        self.store.stop()


class LeaseRole:
    """The role of the replica `me` by a lease of so many `seconds`. `store`: of the records that the active one writes.

    `ended(why)` is called when another replica has followed this one.
    """

    def __init__(self, me: Holder, seconds: float, key: Key, store: Store, ended: Callable[[str], None]) -> None:
        self._me = me
        self._store = store
        self._leadership = Leadership(Lease(me, seconds), key, store.marked_epoch, self._taken, ended)
        self._begin: Callable[[], None] = lambda: None
        self._begun = False
        store.on_fenced(lambda: self._leadership.give_up("another process has taken the records"))

    def start(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._leadership.start()

    def stop(self) -> None:
        self._leadership.stop()

    def acting(self) -> bool:
        return self._begun and self._leadership.may_act()

    def elsewhere(self) -> str | None:
        holder = self._leadership.holder()
        return holder.address if holder is not None and holder.token != self._me.token else None

    def why_not(self) -> str | None:
        why = self._leadership.why_not()
        return why if why is not None or self._begun else "taking over"

    def _taken(self, epoch: int) -> None:
        gevent.spawn(self._act, epoch)

    def _act(self, epoch: int) -> None:
        try:
            if take_records(self._store, self._leadership, epoch) and not self._begun:
                self._begun = True
                audit.changed("take-over", peer="lease of the replicas", outcome="active", epoch=epoch)
                self._begin()
        except Exception:
            log.exception("the take-over failed")
            self._leadership.give_up("the take-over failed")


def make_replica(
    settings: MecSettings,
    backend: str | None,
    environment: Mapping[str, str],
    ended: Callable[[str], None],
    *,
    may_have_others: bool = False,
) -> Replica | None:
    """What this process needs to be one of several replicas; None when it is alone.

    `backend`: the setting sdl.backend. `may_have_others`: whether there may be others on the same redis when the
    settings do not say how many. Raises ConfigError when there are to be others, and there is no redis.
    """
    backend = chosen(backend, environment)
    number = settings.replicas or (2 if may_have_others and backend == "redis" else 1)
    if number == 1:
        return None
    if backend != "redis":
        raise ConfigError([replicas_need_redis(backend)])
    name = f"mec-{settings.mec_id}"
    store = SdlStore(SdlSettings(environment, name=name, fenced=True))
    shared = SharedRedis(SdlSettings(environment, name=f"{name}-shared"))
    me = Holder(environment.get("POD_NAME") or gethostname(), advertised(settings.host, environment), uuid4().hex)
    key = LeaseKey(SdlSettings(environment, name="mec-lease"), name, settings.lease / RENEWALS)
    return Replica(shared, store, LeaseRole(me, settings.lease, key, store, ended))


def advertised(host: str, environment: Mapping[str, str]) -> str:
    """Where the other replicas reach this one: mec.host if it names an address, else the address of the pod."""
    name, port = parse_listen(host)
    if name in ("", "0.0.0.0", "::"):
        name = environment.get("POD_IP") or gethostname()
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
