# SPDX-License-Identifier: Apache-2.0
"""Resolves names and opens TCP and TLS connections."""

import ipaddress
import ssl
import time
from typing import Any

import gevent
from gevent import event, monkey, socket
from gevent.threadpool import ThreadPool

from submgr.platform.http.errors import Endpoint, HttpConnectError, HttpTimeout

Address = tuple[int, tuple[Any, ...]]

_LOOK_UPS = 16
"""Names that are looked up at the same time."""


class Resolver:
    """Looks names up in native threads of its own, so that a slow name server delays nothing else.

    Callers that ask for the same name share one look-up: many requests to a name whose name server is silent occupy
    one thread.
    """

    def __init__(self) -> None:
        self._pool: ThreadPool | None = None
        self._running: dict[tuple[str, int], event.AsyncResult] = {}

    def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses of `host` in the order to try them.

        Raises OSError when `host` has none, ValueError when it cannot be a name.
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
            self._pool = ThreadPool(_LOOK_UPS)
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
    """A connected socket with TCP_NODELAY set. `timeout` (s) covers the look-up, the connection and the TLS handshake.

    Raises HttpConnectError or HttpTimeout, both with `sent` false.
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
