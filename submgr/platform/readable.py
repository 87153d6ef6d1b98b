# SPDX-License-Identifier: Apache-2.0
"""Waits for a socket before it is read, where nothing can have come yet."""

from __future__ import annotations

from typing import Any

from gevent import ssl


def wait_until_readable(sock: Any) -> None:
    """Waits until something has come on a gevent socket, as long as its timeout says. Raises as its `recv`.

    gevent's `recv` asks the kernel first and waits when there is nothing: right behind a request that has just been
    sent that is a system call and an exception in vain, 3 us. What has come on a connection of TLS may be in the hands
    of the TLS library already: the next `recv` waits for itself.
    """
    if not isinstance(sock, ssl.SSLSocket):
        sock._wait(sock._read_event)
