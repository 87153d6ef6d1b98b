# SPDX-License-Identifier: Apache-2.0
"""All peers a transport sends to, bounded in number."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import gevent

from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.connection import Connection
from submgr.rmr.wire.endpoint import Endpoint
from submgr.rmr.wire.send_queue import Outbox


class Endpoints:
    """Endpoints by name. They are made at the first send and forgotten when no route leads to them any
    more and they have been idle for long, or when their number reaches the limit.
    """

    def __init__(
        self,
        config: TransportConfig,
        new_outbox: Callable[[], Outbox],
        adopt: Callable[[Any, str], Connection],
        routed: Callable[[], frozenset[str]],
    ) -> None:
        """`adopt` makes a connection of a connected socket; `routed` tells the names of the route table."""
        self._config = config
        self._new_outbox = new_outbox
        self._adopt = adopt
        self._routed = routed
        self._known: dict[str, Endpoint] = {}
        self._sweeper: Any = None

    def get(self, name: str) -> Endpoint | None:
        """The endpoint, if it exists."""
        return self._known.get(name)

    def make(self, name: str) -> Endpoint | None:
        """The endpoint of that name, made when new; None when there are too many busy ones.

        Raises AddressError for a name that is none.
        """
        known = self._known.get(name)
        if known is not None:
            return known
        made = Endpoint(name, self._config, self._new_outbox(), self._adopt)
        if len(self._known) >= self._config.max_endpoints and not self._make_room():
            return None
        self._known[name] = made
        return made

    def usable(self, name: str) -> bool:
        """Whether a message for that name has a fair chance now: no failed connect, no full queue."""
        known = self._known.get(name)
        return known is None or (not known.trouble and known.queued < self._config.send_queue)

    def depths(self) -> dict[str, int]:
        """Messages waiting, by endpoint."""
        return {name: endpoint.queued for name, endpoint in self._known.items()}

    def start(self) -> None:
        """From now on idle endpoints are forgotten."""
        self._sweeper = gevent.spawn(self._sweep)

    def close(self, reason: str) -> None:
        """Closes all of them; what is queued fails for `reason`."""
        if self._sweeper is not None:
            self._sweeper.kill(block=False)
            self._sweeper = None
        known, self._known = self._known, {}
        for endpoint in known.values():
            endpoint.close(reason)

    def _make_room(self) -> bool:
        """Forgets the endpoint unused for longest, among those with nothing to send and no route."""
        routed = self._routed()
        unused = [one for name, one in self._known.items() if not one.queued and name not in routed]
        if not unused:
            return False
        oldest = min(unused, key=lambda one: one.last_used)
        del self._known[oldest.name]
        oldest.close("connection closed to make room")
        return True

    def _sweep(self) -> None:
        while True:
            gevent.sleep(self._config.idle_timeout / 4)
            routed, long_ago = self._routed(), monotonic() - self._config.idle_timeout
            for name, one in list(self._known.items()):
                if not one.queued and one.last_used < long_ago and name not in routed:
                    del self._known[name]
                    one.close("idle")
