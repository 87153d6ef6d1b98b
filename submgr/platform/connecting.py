# SPDX-License-Identifier: Apache-2.0
"""Opens TCP connections to hosts by name or address."""

from __future__ import annotations

import time
from collections.abc import Callable

from gevent import socket

from submgr.platform.names import Address, Names

Permitted = Callable[[str, list[Address]], list[Address]]
"""Returns those of the addresses of a host that may be connected to. Raises OSError when there is none."""

_MOST_ADDRESSES = 16
"""Addresses of one name that are tried: a name service may have thousands for it."""


def connect(names: Names, host: str, port: int, timeout: float, permitted: Permitted | None = None) -> socket.socket:
    """A connected socket with TCP_NODELAY and no timeout. `names` looks `host` up, once.

    `timeout` (s) covers the look-up and all tries. The first 16 addresses of a name, of those that are `permitted`, are
    tried one after the other. Raises TimeoutError when the time is over, another OSError for any other reason.
    """
    deadline = time.monotonic() + timeout
    try:
        addresses = names.resolve(host, port, timeout)[:_MOST_ADDRESSES]
    except ValueError as bad:
        raise OSError(f"not a host name ({bad})") from bad
    if permitted is not None:
        addresses = permitted(host, addresses)
    try:
        return _first_that_answers(addresses, deadline)
    except TimeoutError:
        raise TimeoutError(f"no connection within {timeout:.2g} s") from None


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
