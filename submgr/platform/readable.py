# SPDX-License-Identifier: Apache-2.0
"""Whether there is something to read on a gevent socket, and waiting until there is, where nothing can have come yet.

gevent's `recv` asks the kernel first and waits when there is nothing: right behind a request that has just been sent
that is a system call and an exception in vain. Waiting is not for connections of TLS: what has come may be in the hands
of the TLS library already.
"""

from __future__ import annotations

import ssl
from typing import Any

import gevent

from submgr.platform.time_limit import TimeLimit


def wait_until_readable(sock: Any) -> None:
    """Waits until something has come, as long as the socket's timeout says. Raises as its `recv`.

    Does not wait for a socket that is closed: `recv` raises OSError then, and gevent's `_wait` something else.
    """
    if sock._read_event is not None:
        sock._wait(sock._read_event)


def wait_until_readable_within(sock: Any, seconds: float) -> None:
    """As `wait_until_readable`, for one of a few lengths of time: the socket's own timeout would start and stop a timer
    of the event loop each time. Raises TimeoutError."""
    if sock._read_event is None:
        return
    limit = TimeLimit(seconds)
    try:
        with limit:
            sock.hub.wait(sock._read_event)
    except gevent.Timeout as late:
        if late is not limit.late:
            raise
        raise TimeoutError("timed out") from None


def is_silent(sock: Any) -> bool:
    """Whether a connection on which nobody waits for an answer has nothing to read, neither its end nor bytes that
    nobody asked for. The socket must not wait: its timeout is 0."""
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False
