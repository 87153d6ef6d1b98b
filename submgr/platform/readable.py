# SPDX-License-Identifier: Apache-2.0
"""Whether there is something to read on a gevent socket, and waiting until there is, where nothing can have come yet.

gevent's `recv` asks the kernel first and waits when there is nothing: right behind a request that has just been sent
that is a system call and an exception in vain. Waiting is not for connections of TLS: what has come may be in the hands
of the TLS library already.
"""

from __future__ import annotations

import select
import ssl
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any

from gevent import monkey

from submgr.platform.time_limit import TimeLimit


def wait_until_readable(sock: Any) -> None:
    """Waits until something has come, as long as the socket's timeout says. Raises as its `recv`.

    Does not wait for a socket that is closed: `recv` raises OSError then, and gevent's `_wait` something else.
    """
    if sock._read_event is not None:
        sock._wait(sock._read_event)


def wait_until_readable_within(sock: Any, seconds: float) -> None:
    """As `wait_until_readable`, for one of a few lengths of time: the socket's own timeout would start and stop a timer
    of the event loop each time. Infinity: who waits is ended by a limit of its own. Raises TimeoutError."""
    if sock._read_event is None:
        return
    if seconds == inf:
        sock.hub.wait(sock._read_event)
        return
    with TimeLimit(seconds, quiet=True) as limit:
        sock.hub.wait(sock._read_event)
    if limit.late is not None:
        raise TimeoutError("timed out")


def silence(sock: Any) -> Callable[[], bool]:
    """What tells again and again whether a connection on which nobody waits for an answer is silent: it has nothing to
    read, neither its end nor bytes that nobody asked for.

    The kernel is asked what it has, which takes less than to read in vain. TLS may have something of its own in a
    connection that is silent, and is read: the timeout of such a socket must be 0.
    """
    if isinstance(sock, ssl.SSLSocket):
        return partial(_has_nothing, sock)
    # gevent's patching replaces select.poll by one that switches greenlets
    poll = monkey.get_original("select", "poll")()
    poll.register(sock.fileno(), select.POLLIN)
    return lambda: not poll.poll(0)


def _has_nothing(sock: ssl.SSLSocket) -> bool:
    try:
        sock.recv(1)
    except ssl.SSLWantReadError:
        return True
    except OSError:
        return False
    return False
