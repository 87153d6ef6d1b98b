# SPDX-License-Identifier: Apache-2.0
"""What a connection tells of the client whose request is being answered."""

from collections.abc import Mapping
from typing import Any

from gevent import socket

from submgr.platform import tls

PROBES = ("/health/alive", "/health/ready", "/metrics")
"""The ends of the paths that Kubernetes and Prometheus ask, which have no certificates of ours."""
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


def certificate_name(environ: Mapping[str, Any]) -> str | None:
    """The name in the certificate that the client has shown (`TlsSocket.peer_name`); None when it has shown none."""
    return name_shown(environ.get(SOCKET))


def name_shown(client: socket.socket | None) -> str | None:
    """The same, for the socket of its connection."""
    return client.peer_name if isinstance(client, tls.TlsSocket) else None


def may_ask(environ: Mapping[str, Any]) -> bool:
    """Whether a client may ask this where certificates are wanted: it has shown one in its TLS handshake that a CA of
    ours has signed, or it is a probe."""
    sock = environ.get(SOCKET)
    if isinstance(sock, tls.TlsSocket) and sock.verified:
        return True
    return bool(environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith(PROBES))
