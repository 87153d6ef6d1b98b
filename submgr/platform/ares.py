# SPDX-License-Identifier: Apache-2.0
"""Name look-ups by c-ares, which waits for the name service in the event loop."""

from __future__ import annotations

import socket
import time
from typing import Any

from gevent.resolver.ares import Resolver

_TRY = 1
"""Seconds until a name server that has not answered is asked again, the second time with twice the patience."""
_TRIES = 2

_SERVFAIL = 3
"""ARES_ESERVFAIL: the name server could not find out."""

_FRESH = 1.0
"""Seconds. A younger channel serves further look-ups."""


class _Channel:
    def __init__(self, options: dict[str, Any]) -> None:
        self.resolver = Resolver(timeout=_TRY, tries=_TRIES, **options)
        self.made = time.monotonic()
        self.look_ups = 0


class AresChannels:
    """Looks names up as /etc/hosts, /etc/resolv.conf (search domains, ndots) and /etc/nsswitch.conf say.

    A channel of c-ares reads these files when it is made, and remembers answers. So look-ups share a channel for a
    second only, and a channel without look-ups is closed: what changes in these files, or at the name service, holds
    for the next look-up. `options`: those of `gevent.resolver.ares.Resolver`, such as `servers` and `udp_port`.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._newest: _Channel | None = None

    def look_up(self, name: str) -> list[tuple[Any, ...]]:
        """What `socket.getaddrinfo` returns for `name`. A name server that is silent is given up after 3 s.

        Raises OSError, or ValueError when it cannot be a name.
        """
        channel = self._newest
        if channel is None or time.monotonic() - channel.made > _FRESH:
            channel = self._newest = _Channel(self._options)
        channel.look_ups += 1
        try:
            return _search(channel.resolver, name)
        finally:
            channel.look_ups -= 1
            if not channel.look_ups:
                channel.resolver.close()
                if self._newest is channel:
                    self._newest = None


def _search(resolver: Resolver, name: str) -> list[tuple[Any, ...]]:
    """c-ares stops at a search domain about which the name server fails. The C library goes on to the name as it is."""
    try:
        return _ask(resolver, name)
    except OSError as failed:
        if failed.errno != _SERVFAIL or "." not in name or name.endswith("."):
            raise
        try:
            return _ask(resolver, f"{name}.")
        except OSError:
            raise failed from None


def _ask(resolver: Resolver, name: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = resolver.getaddrinfo(name, None, 0, socket.SOCK_STREAM)
    return found
