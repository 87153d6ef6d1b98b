# SPDX-License-Identifier: Apache-2.0
"""What a connection tells of the client whose request is being answered."""

from collections.abc import Mapping
from typing import Any

from gevent import socket

SOCKET = "submgr.socket"
"""The key of the connection's socket in the WSGI environment of a request."""


def own_address(environ: Mapping[str, Any]) -> str | None:
    """The IP address of this host that the client has connected to; None when nobody knows."""
    sock: socket.socket | None = environ.get(SOCKET)
    if sock is None:
        return None
    try:
        address: str = sock.getsockname()[0]
    except OSError:  # the client has gone
        return None
    return address.removeprefix("::ffff:")
