# SPDX-License-Identifier: Apache-2.0
"""Opens TCP and TLS connections to HTTP servers."""

from typing import cast

import gevent
from gevent import socket

from submgr.platform import connecting
from submgr.platform.http.errors import Endpoint, HttpConnectError, HttpForbidden, HttpTimeout
from submgr.platform.names import Names
from submgr.platform.outbound_rules import Refused
from submgr.platform.tls import TlsFiles


def connect(
    endpoint: Endpoint,
    names: Names,
    timeout: float,
    tls: TlsFiles | None,
    permitted: connecting.Permitted | None = None,
    certified: str = "",
) -> socket.socket:
    """A connected socket with TCP_NODELAY set. `timeout` (s) covers the look-up, the connection and the TLS handshake.

    `permitted` chooses among the addresses that the host has. `certified`: the name that must be in the certificate of
    the server; empty: the host.

    Raises HttpConnectError or HttpTimeout, both with `sent` false.
    """
    timer = gevent.Timeout.start_new(timeout)
    try:
        sock = connecting.connect(names, endpoint.host, endpoint.port, timeout, permitted)
        if endpoint.scheme == "https":
            sock = _handshake(sock, certified or endpoint.host, tls)
        return sock
    except gevent.Timeout as exc:
        if exc is not timer:
            raise
        raise HttpTimeout(f"no connection to {endpoint} within {timeout:g} s", sent=False) from None
    except TimeoutError:
        raise HttpTimeout(f"no connection to {endpoint} within {timeout:g} s", sent=False) from None
    except Refused as exc:
        raise HttpForbidden(f"cannot connect to {endpoint}: {exc}") from exc
    except OSError as exc:
        raise HttpConnectError(f"cannot connect to {endpoint}: {exc.strerror or exc}") from exc
    finally:
        timer.close()


def _handshake(sock: socket.socket, host: str, tls: TlsFiles | None) -> socket.socket:
    try:
        if tls is None:
            raise OSError("https needs a TLS context")
        return cast(socket.socket, tls.context.wrap_socket(sock, server_hostname=host))
    except BaseException:
        sock.close()
        raise
