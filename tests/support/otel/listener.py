# SPDX-License-Identifier: Apache-2.0
"""Takes requests of the daemon in place of a neighbour, and remembers which trace each belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gevent.pywsgi import WSGIServer


class Listener:
    """Answers every request with `status`. `heard`: (method, path, traceparent or None) of each."""

    def __init__(self, status: str = "200 OK") -> None:
        self.heard: list[tuple[str, str, str | None]] = []
        self._status = status
        self._server = WSGIServer(("127.0.0.1", 0), self._take, log=None)

    def __enter__(self) -> Listener:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(timeout=0)

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def _take(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        self.heard.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_TRACEPARENT")))
        start_response(self._status, [("Content-Length", "0")])
        return [b""]
