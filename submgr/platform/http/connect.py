# SPDX-License-Identifier: Apache-2.0
"""Outgoing TCP (and TLS) connections: resolving, connecting, and keeping idle ones for the next request."""

import ipaddress
import ssl
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent import event, monkey, socket
from gevent.threadpool import ThreadPool

Address = tuple[int, tuple[Any, ...]]


class HttpError(Exception):
    """A request got no answer. `sent` tells whether the peer may have seen the request."""

    sent = True


class HttpConnectError(HttpError):
    """Refused, unresolvable, TLS refused, or not an address at all: nothing was sent."""

    sent = False


class HttpTimeout(HttpError):
    """No connection, or no complete answer, in time."""

    def __init__(self, message: str, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class HttpProtocolError(HttpError):
    """The peer closed before the answer was complete, or the answer is not HTTP, or it is too large."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where connections go: what pooled ones are kept by."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Resolver:
    """Names to addresses, in native threads of its own, so that names that are slow to resolve delay nothing else.

    Callers who ask for a name that is being looked up share that one look-up: many requests to one name whose
    server is silent occupy one thread.
    """

    def __init__(self, threads: int = 16) -> None:
        self._threads = threads
        self._pool: ThreadPool | None = None
        self._running: dict[tuple[str, int], event.AsyncResult] = {}

    def resolve(self, host: str, port: int) -> list[Address]:
        """Addresses of `host` in the order to try them.

        Raises OSError when it has none, UnicodeError or ValueError when it cannot be a name.
        """
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            pass
        else:
            family = socket.AF_INET6 if literal.version == 6 else socket.AF_INET
            return [(family, (host, port))]
        key = (host, port)
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = event.AsyncResult()
            gevent.spawn(self._look_up, key, running)
        found: list[Address] = running.get()
        return found

    def _look_up(self, key: tuple[str, int], result: event.AsyncResult) -> None:
        if self._pool is None:
            self._pool = ThreadPool(self._threads)
        try:
            found = self._pool.apply(_native_look_up, key)
            if isinstance(found, Exception):
                result.set_exception(found)
            else:
                result.set(found)
        finally:
            del self._running[key]


def _native_look_up(host: str, port: int) -> list[Address] | Exception:
    # runs in a native thread, where gevent's getaddrinfo would start an event loop of its own
    try:
        infos = monkey.get_original("socket", "getaddrinfo")(host, port, 0, socket.SOCK_STREAM)
    except (OSError, ValueError) as exc:  # UnicodeError (a label too long for IDNA) is a ValueError
        return exc
    return [(info[0], info[4]) for info in infos]


def connect(endpoint: Endpoint, resolver: Resolver, timeout: float, tls: ssl.SSLContext | None) -> socket.socket:
    """A connected socket with TCP_NODELAY set, in `timeout` seconds from the look-up to the end of the TLS handshake.

    Raises HttpConnectError or HttpTimeout (with `sent` false).
    """
    timer = gevent.Timeout.start_new(timeout)
    deadline = time.monotonic() + timeout
    try:
        addresses = resolver.resolve(endpoint.host, endpoint.port)
        sock = _first_that_answers(addresses, deadline)
        if endpoint.scheme == "https":
            sock = _handshake(sock, endpoint.host, tls)
        return sock
    except gevent.Timeout as exc:
        if exc is not timer:
            raise
        raise HttpTimeout(f"no connection to {endpoint} within {timeout:g} s", sent=False) from None
    except TimeoutError:
        raise HttpTimeout(f"no connection to {endpoint} within {timeout:g} s", sent=False) from None
    except OSError as exc:
        raise HttpConnectError(f"cannot connect to {endpoint}: {exc.strerror or exc}") from exc
    except ValueError as exc:
        raise HttpConnectError(f"cannot connect to {endpoint}: not a host name ({exc})") from exc
    finally:
        timer.close()


def _first_that_answers(addresses: list[Address], deadline: float) -> socket.socket:
    for left in range(len(addresses), 0, -1):
        family, address = addresses[-left]
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            # one address that swallows packets must not use up the time of the ones after it
            sock.settimeout(max((deadline - time.monotonic()) / left, 0.001))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(None)
            return sock
        except OSError:
            sock.close()
            if left == 1:
                raise
        except BaseException:
            sock.close()
            raise
    raise OSError("the name has no address")


def _handshake(sock: socket.socket, host: str, tls: ssl.SSLContext | None) -> socket.socket:
    try:
        if tls is None:
            raise OSError("https needs a TLS context")
        return tls.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise


class IdlePool:
    """Connections nobody uses at the moment, bounded per endpoint, in all, and in age.

    A greenlet sweeps out the old ones; it ends when nothing is left.
    """

    def __init__(
        self, per_endpoint: int, total: int, max_age: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_endpoint = per_endpoint
        self._total = total
        self._max_age = max_age
        self._clock = clock
        self._idle: OrderedDict[Endpoint, deque[tuple[socket.socket, float]]] = OrderedDict()
        self._count = 0
        self._sweeper: gevent.Greenlet | None = None

    def __len__(self) -> int:
        return self._count

    def take(self, endpoint: Endpoint) -> socket.socket | None:
        """The most recently used live connection to `endpoint`, if there is one."""
        kept = self._idle.get(endpoint)
        while kept:
            sock, since = kept.pop()
            self._count -= 1
            if not kept:
                del self._idle[endpoint]
            if self._clock() - since < self._max_age and _silent(sock):
                sock.settimeout(None)
                return sock
            sock.close()
        return None

    def put(self, endpoint: Endpoint, sock: socket.socket) -> None:
        """Keep `sock`; when there are too many, the longest unused of this endpoint (or of any) is closed."""
        sock.settimeout(0.0)
        kept = self._idle.setdefault(endpoint, deque())
        kept.append((sock, self._clock()))
        self._idle.move_to_end(endpoint)
        self._count += 1
        if len(kept) > self._per_endpoint:
            self._drop_oldest(endpoint)
        elif self._count > self._total:
            self._drop_oldest(next(iter(self._idle)))
        if self._sweeper is None:
            self._sweeper = gevent.spawn(self._sweep)

    def close(self) -> None:
        """Close all of them. The pool may be used again."""
        while self._idle:
            self._drop_oldest(next(iter(self._idle)))
        if self._sweeper is not None:
            self._sweeper.kill(block=False)
            self._sweeper = None

    def _drop_oldest(self, endpoint: Endpoint) -> None:
        kept = self._idle[endpoint]
        kept.popleft()[0].close()
        self._count -= 1
        if not kept:
            del self._idle[endpoint]

    def _sweep(self) -> None:
        while self._idle:
            gevent.sleep(self._max_age / 2)
            now = self._clock()
            for endpoint in list(self._idle):
                kept = self._idle.get(endpoint)
                while kept and now - kept[0][1] >= self._max_age:
                    self._drop_oldest(endpoint)
        self._sweeper = None


def _silent(sock: socket.socket) -> bool:
    """Whether a connection that owes us nothing has nothing to read: neither an end nor stray bytes."""
    try:
        sock.recv(1)  # does not wait: idle connections have a timeout of zero
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False
