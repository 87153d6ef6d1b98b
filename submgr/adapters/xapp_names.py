# SPDX-License-Identifier: Apache-2.0
"""Finds xApps whose names do not resolve any more."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import gevent
from gevent.pool import Pool

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Look-ups under way at the same time."""
LOOK_UP = 5.0
"""Seconds that a look-up is waited for."""


class Resolves(Protocol):
    def __call__(self, host: str) -> bool:
        """Whether the name service knows this host. Raises OSError when it does not say. May block the greenlet."""


class UnresolvedNames:
    """Remembers since when the names of hosts have not resolved.

    A name counts as unresolved only when the name service says that there is none; what it does not answer (or not
    within LOOK_UP seconds) changes nothing: the time of its silence counts only when it says the same again after it.
    Look-ups that hang delay the check of other names, and nothing else.
    """

    def __init__(self, resolves: Resolves, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolves = resolves
        self._clock = clock
        self._since: dict[str, float] = {}
        self._last_said: dict[str, float] = {}

    def check(self, hosts: Iterable[str]) -> None:
        """Looks each name up once, a few at a time, and forgets all other names. Blocks the greenlet for so long."""
        names = {host for host in hosts if not _is_address(host)}
        for gone in self._since.keys() - names:
            del self._since[gone], self._last_said[gone]
        pool = Pool(AT_ONCE)
        for name in sorted(names):
            pool.spawn(self._look_up, name)
        try:
            pool.join()
        finally:
            pool.kill()

    def forget(self) -> None:
        """Forgets all names: they are not checked any more."""
        self._since.clear()
        self._last_said.clear()

    def for_longer_than(self, seconds: float) -> dict[str, float]:
        """The hosts that have not resolved for so long, and since when in seconds of the clock.

        The name service has said so at both ends of this time.
        """
        return {host: since for host, since in self._since.items() if self._last_said[host] - since >= seconds}

    def _look_up(self, name: str) -> None:
        known: bool | None = None
        try:
            with gevent.Timeout(LOOK_UP, False):
                known = self._resolves(name)
        except OSError as error:
            log.debug("look-up of %s: %s", name, error)
        if known:
            self._since.pop(name, None)
            self._last_said.pop(name, None)
        elif known is False:
            self._last_said[name] = now = self._clock()
            self._since.setdefault(name, now)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
