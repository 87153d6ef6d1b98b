# SPDX-License-Identifier: Apache-2.0
"""Where xApps send their requests when there are several daemons."""

from __future__ import annotations

from typing import Any

from submgr.platform.http.errors import HttpError
from support.chaos.place import Place
from support.processes.daemon import Daemon


class Front:
    """What a Service does: a request goes to the daemon that is ready, as far as is known."""

    def __init__(self, place: Place) -> None:
        self._daemons = place.daemons
        self._at = 0

    @property
    def daemon(self) -> Daemon:
        return self._daemons[self._at]

    @property
    def rmr_port(self) -> int:
        return self.daemon.rmr_port

    def call(self, method: str, path: str = "", body: Any = None) -> tuple[int, Any]:
        """Raises HttpError when there is no answer."""
        daemon = self.daemon
        try:
            status, answer = daemon.xapp(method, path, body)
        except HttpError:
            self._next(daemon)
            raise
        if status == 503:
            self._next(daemon)
        return status, answer

    def post(self, body: Any) -> tuple[int, Any]:
        return self.call("POST", "", body)

    def unsubscribe(self, subscription_id: str) -> None:
        status, answer = self.call("DELETE", f"/{subscription_id}")
        assert status in (204, 503), answer

    def _next(self, daemon: Daemon) -> None:
        if daemon is self.daemon:
            self._at = (self._at + 1) % len(self._daemons)
