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
    sock = environ.get(SOCKET)
    return sock.peer_name if isinstance(sock, tls.TlsSocket) else None


def has_certificate(environ: Mapping[str, Any]) -> bool:
    """Whether the client has shown a certificate in its TLS handshake that a CA of ours has signed."""
    sock = environ.get(SOCKET)
    return isinstance(sock, tls.TlsSocket) and sock.verified
