# SPDX-License-Identifier: Apache-2.0
"""The client of an answer that does not end by itself: whether it is still there."""

from __future__ import annotations

import select
from collections.abc import Mapping
from typing import Any

from gevent import monkey

from submgr.platform.http.peer import SOCKET

_HALF_CLOSED = getattr(select, "POLLRDHUP", 0)
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Listener:
    """Who gets the answer to the request with this WSGI environment.

    A client that has closed its connection and one that has only said that it sends nothing more look the same, until
    something is sent to them. `doubtful` asks for that, once.
    """

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._socket = environ.get(SOCKET)
        self._asked = False
        self.doubtful = False

    def there(self) -> bool:
        """Whether the client can still get something. Does not block."""
        if self._socket is None:
            return True
        descriptor = self._socket.fileno()
        if descriptor < 0:
            return False
        # gevent's patching replaces select.poll by one that switches greenlets
        poll = monkey.get_original("select", "poll")()
        poll.register(descriptor, _HALF_CLOSED)
        seen = poll.poll(0)
        flags = seen[0][1] if seen else 0
        self.doubtful = bool(flags & _HALF_CLOSED) and not self._asked
        self._asked = self._asked or self.doubtful
        return not flags & _GONE
