# SPDX-License-Identifier: Apache-2.0
"""Looks up the names of hosts. The names that strangers give us never hold up the names that we need ourselves.

`strangers` looks up what peers tell us: hosts of notifications, RMR peers, MEC callbacks. c-ares asks the name service
from the event loop, so that a name whose name service is silent costs no thread.

`neighbours` looks up the few names that our own settings have: the database, the Routing Manager. The system's own
resolver does it, in native threads that nothing else uses.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

import gevent
from gevent import monkey
from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore
from msgspec import Struct, field

from submgr.platform.ares import AresChannels
from submgr.platform.fair import Share
from submgr.platform.native_threads import NativeThreads

_T = TypeVar("_T")

Address = tuple[int, tuple[Any, ...]]
"""Address family, and the address as a socket of that family takes it."""

LookUp = Callable[[str], list[tuple[Any, ...]]]
"""Returns what `socket.getaddrinfo` returns for a host and no port. Raises OSError or ValueError. May block the
greenlet, never the hub."""

_NO_SUCH_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)


class _UnderWay(Struct):
    """A look-up of one name. `waiters`: the greenlets that wait for its outcome, addresses or an error."""

    waiters: int = 0
    outcome: AsyncResult[list[Address] | OSError | ValueError] = field(default_factory=AsyncResult)


class Names:
    """Looks names up with `look_up`, each at most once at a time: all who ask for it meanwhile share the answer.

    At most `at_once` names are looked up at the same time, and beside them `known` names that resolved the last time:
    these neither wait for the others nor are refused. `queue` more names wait for their turn; new names beyond that
    are refused. A failure is remembered for `failures` seconds. Of either kind the newest `remembered` are remembered.
    """

    def __init__(
        self,
        look_up: LookUp,
        *,
        at_once: int,
        known: int = 64,
        queue: int = 4096,
        failures: float = 0.0,
        remembered: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._most = at_once + known + queue
        self._free = BoundedSemaphore(at_once)
        self._free_for_known = BoundedSemaphore(known) if known else self._free
        self._failures = failures
        self._remembered = remembered
        self._clock = clock
        self._under_way: dict[str, _UnderWay] = {}
        self._known: dict[str, None] = {}
        self._failed: dict[str, tuple[float, OSError]] = {}

    def resolve(self, host: str, port: int, timeout: float) -> list[Address]:
        """The addresses of `host` in the order to try them. A number (IPv4, IPv6) is not looked up.

        Raises TimeoutError when there is no answer within `timeout` seconds, another OSError when `host` has no
        address or cannot be looked up, ValueError when it cannot be a name.
        """
        literal = _literal(host)
        if literal is not None:
            return [(literal, (host, port))]
        return [(family, (address[0], port, *address[2:])) for family, address in self._find(host.lower(), timeout)]

    def resolves(self, host: str, timeout: float) -> bool:
        """Whether `host` has an address. Raises OSError when the name service does not say within `timeout` seconds."""
        try:
            self.resolve(host, 0, timeout)
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_NAME:
                return False
            raise
        except ValueError:  # it cannot be a name at all
            return False
        return True

    def _find(self, name: str, timeout: float) -> list[Address]:
        until, error = self._failed.get(name, (0.0, None))
        if error is not None and self._clock() < until:
            raise _again(error)
        shared = self._under_way.get(name)
        if shared is None:
            if len(self._under_way) >= self._most and name not in self._known:
                raise OSError(f"too many names are being looked up: {name} is not")
            shared = self._under_way[name] = _UnderWay()
            gevent.spawn(self._run, name, shared)
        shared.waiters += 1
        try:
            shared.outcome.wait(timeout)
        finally:
            shared.waiters -= 1
        if not shared.outcome.ready():
            raise TimeoutError(f"the name service did not answer for {name} within {timeout:g} s")
        found = shared.outcome.get()
        if isinstance(found, list):
            return found
        raise _again(found)

    def _run(self, name: str, shared: _UnderWay) -> None:
        outcome: list[Address] | OSError | ValueError = OSError("the look-up has failed")
        try:
            with self._free_for_known if name in self._known else self._free:
                Share().spend()  # thousands may begin at once; all peers together share one slice of a turn
                if shared.waiters:  # else they gave up before its turn
                    outcome = self._outcome(name)
        finally:
            del self._under_way[name]
            shared.outcome.set(outcome)

    def _outcome(self, name: str) -> list[Address] | OSError | ValueError:
        try:
            infos = self._look_up(name)
        except OSError as error:
            self._known.pop(name, None)
            if self._failures:
                self._remember(self._failed, name, (self._clock() + self._failures, error))
            return error
        except ValueError as error:  # UnicodeError, of a label that is empty or too long, is one
            return error
        self._failed.pop(name, None)
        self._remember(self._known, name, None)
        return [(family, address) for family, _, _, _, address in infos]

    def _remember(self, memory: dict[str, _T], name: str, what: _T) -> None:
        memory.pop(name, None)  # the newest is the last
        memory[name] = what
        if len(memory) > self._remembered:
            del memory[next(iter(memory))]


def _literal(host: str) -> int | None:
    """The address family of an IP address, None for a name."""
    try:
        return socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        return None


def _again(error: OSError | ValueError) -> Exception:
    """An error of its own for each who asked: a traceback grows with each raise."""
    return type(error)(*error.args)


_HALF = 8

_threads = NativeThreads(2 * _HALF)


def _native_look_up(name: str) -> list[tuple[Any, ...]]:
    # gevent's getaddrinfo would start an event loop in the native thread
    getaddrinfo = monkey.get_original("socket", "getaddrinfo")
    return _threads.call(getaddrinfo, name, None, 0, socket.SOCK_STREAM)


strangers = Names(AresChannels().look_up, at_once=256, failures=2.0)
"""For each name that a peer gave us."""

neighbours = Names(_native_look_up, at_once=_HALF, known=_HALF)
"""For names from our own settings only."""
