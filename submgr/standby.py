# SPDX-License-Identifier: Apache-2.0
"""The role of this process in a pair: standby until it has the lease, then active, until it ends.

An active process whose lease has run out does nothing to others, and goes on when it gets its lease again before
anybody else does. One that somebody else has followed ends: to start anew is the surest way to forget everything.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from socket import gethostname
from uuid import uuid4

import gevent

from submgr.adapters.records.loaded import Loaded
from submgr.adapters.records.warm import WarmRecords
from submgr.core.errors import RefusedError
from submgr.platform import audit
from submgr.platform.http.listen import parse_listen
from submgr.platform.lease.fencing import take_records
from submgr.platform.lease.key import LeaseKey
from submgr.platform.lease.leadership import Key, Leadership
from submgr.platform.lease.lease import RENEWALS, Lease
from submgr.platform.lease.record import Holder
from submgr.platform.store.base import Store
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_client import SdlSettings
from submgr.rmr.addresses import join_address
from submgr.settings.model import Settings

log = logging.getLogger(__name__)

CATCH_UP = 0.5
"""Seconds that a take-over waits for the last changes of the records, before it reads all of them."""
RETRY_AFTER = 1
"""Seconds after which an xApp may find the active process where it found this one."""

TakeOver = Callable[[Loaded | None], None]
"""Makes this process the active one. It gets the records, or None when they have to be read."""


def make_standby(
    settings: Settings,
    environment: Mapping[str, str],
    store: Store,
    *,
    ended: Callable[[str], None],
    counted: Callable[[], None],
) -> Standby:
    """The role of this process as its settings have it. `ended`, `counted`: see Standby."""
    name = settings.ha.identity or environment.get("POD_NAME") or gethostname()
    port = parse_listen(settings.subscription.listen)[1]
    me = Holder(name, join_address(environment.get("POD_IP") or gethostname(), port), uuid4().hex)
    lease = Lease(me, settings.ha.lease)
    key = LeaseKey(SdlSettings(environment, name="submgr-lease"), "submgr", settings.ha.lease / RENEWALS)
    warm = WarmRecords(store, SdlChannel(SdlSettings(environment, name="submgr-standby")))
    return Standby(lease, key, store, warm, ended, counted)


class Standby:
    """Waits for the lease with a warm copy of the records, then calls `take_over`, once.

    `ended(why)` is called when this process must end, `counted` for each time it takes the lease.
    """

    def __init__(
        self,
        lease: Lease,
        key: Key,
        store: Store,
        warm: WarmRecords,
        ended: Callable[[str], None],
        counted: Callable[[], None],
    ) -> None:
        self._leadership = Leadership(lease, key, store.marked_epoch, self._taken, ended)
        self._store = store
        self._warm = warm
        self._counted = counted
        self._take_over: TakeOver | None = None
        self._begun = False
        self._active = False
        store.on_fenced(lambda: self._leadership.give_up("another process has taken the records"))

    def start(self, take_over: TakeOver) -> None:
        """Begins to take part. Raises StoreError for wrong settings."""
        self._take_over = take_over
        self._warm.start()
        self._leadership.start()

    def stop(self) -> None:
        """Gives the lease back. From now on nothing leaves."""
        self._leadership.stop()
        self._warm.stop()

    def may_send(self) -> bool:
        """Whether this process is the active one at this moment."""
        return self._leadership.may_act()

    def why_not(self) -> str | None:
        """Why this process is not the active one, in words; None when it is."""
        why = self._leadership.why_not()
        return why if why is not None or self._active else "taking over"

    def age(self) -> float:
        """Seconds since the lease was renewed; 0 when this process has not got it."""
        return self._leadership.age() or 0.0

    def refuse(self) -> None:
        """Refuses the request at hand unless this process is active. Raises RefusedError 503, which names who is."""
        why = self.why_not()
        if why is not None:
            raise RefusedError(503, f"not active: {why}", retry_after=RETRY_AFTER)

    def _taken(self, epoch: int) -> None:
        self._counted()
        gevent.spawn(self._act, epoch)

    def _act(self, epoch: int) -> None:
        try:
            self._become_active(epoch)
        except Exception:
            log.exception("the take-over failed")
            self._leadership.give_up("the take-over failed")

    def _become_active(self, epoch: int) -> None:
        began = time.monotonic()
        if not take_records(self._store, self._leadership, epoch) or self._begun:
            return
        self._begun = True
        loaded = self._warm.caught_up(CATCH_UP)
        self._warm.stop()
        assert self._take_over is not None
        self._take_over(loaded)
        self._active = True
        seconds = round(time.monotonic() - began, 3)
        audit.changed("take-over", peer="lease of the pair", outcome="active", epoch=epoch, seconds=seconds)
