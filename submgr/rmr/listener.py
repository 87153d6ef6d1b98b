# SPDX-License-Identifier: Apache-2.0
"""Opens the port of a transport."""

from __future__ import annotations

import errno
import socket as stdsocket
from typing import Any

from gevent import socket

from submgr.rmr.address import join_address
from submgr.rmr.transport import TransportError

_BACKLOG = 128


def listen(host: str, port: int) -> Any:
    """A listening socket on a free port. Raises TransportError that names the port.

    The port is shared (SO_REUSEPORT) with nobody, but marked so: otherwise librmr, which sets that option
    alone, could not start here after us while connections are in TIME_WAIT.
    """
    family = stdsocket.AF_INET6 if ":" in host else stdsocket.AF_INET
    try:
        with socket.socket(family, stdsocket.SOCK_STREAM) as probe:
            probe.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEADDR, 1)
            probe.bind((host, port))
        listener = socket.socket(family, stdsocket.SOCK_STREAM)
        try:
            listener.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEADDR, 1)
            listener.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEPORT, 1)
            listener.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_NODELAY, 1)
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as bad:
        why = "the port is in use" if bad.errno == errno.EADDRINUSE else (bad.strerror or str(bad))
        raise TransportError(f"cannot listen on {join_address(host, port)}: {why}") from bad
    return listener
