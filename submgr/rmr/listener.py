# SPDX-License-Identifier: Apache-2.0
"""Opens the port that a transport listens on."""

from __future__ import annotations

import errno
import socket as stdsocket
from typing import Any

from gevent import socket

from submgr.rmr.addresses import join_address
from submgr.rmr.transport import TransportError

_BACKLOG = 128


def listen(host: str, port: int) -> Any:
    """A listening socket on a free port. Raises TransportError that names the port.

    The socket has SO_REUSEPORT although nobody shares the port: librmr sets this option alone, and could otherwise not
    start on the port after us while connections are in TIME_WAIT.
    """
    probe(host, port)
    listener = socket.socket(_family(host), stdsocket.SOCK_STREAM)
    try:
        listener.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEADDR, 1)
        listener.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEPORT, 1)
        listener.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as bad:
        listener.close()
        raise _refused(host, port, bad) from bad
    return listener


def probe(host: str, port: int) -> None:
    """Makes sure that nobody listens on the port. Raises TransportError that names the port.

    Two processes that both set SO_REUSEPORT, as librmr does, would share the port without noticing.
    """
    try:
        with socket.socket(_family(host), stdsocket.SOCK_STREAM) as trial:
            trial.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as bad:
        raise _refused(host, port, bad) from bad


def _family(host: str) -> stdsocket.AddressFamily:
    return stdsocket.AF_INET6 if ":" in host else stdsocket.AF_INET


def _refused(host: str, port: int, bad: OSError) -> TransportError:
    why = "the port is in use" if bad.errno == errno.EADDRINUSE else (bad.strerror or str(bad))
    return TransportError(f"cannot listen on {join_address(host, port)}: {why}")
