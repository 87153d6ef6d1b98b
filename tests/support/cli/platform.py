# SPDX-License-Identifier: Apache-2.0
"""A platform interface that gives prepared answers, for the commands of `submgr ctl`."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result
from flask import Response, request

from submgr.cli.ctl.main import ctl
from submgr.platform.http.app import JsonApp
from submgr.platform.http.server import HttpServer


class Platform:
    """A platform interface. It gives `answers` in their order; `asked` is what came."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None, bytes]] = []
        self.answers: list[Response] = []
        self.resumed: list[str] = []
        """The Last-Event-ID of each request for a stream of events."""
        self.app = JsonApp("daemon")
        self.app.before_request(self._answer)
        self.http = HttpServer("platform", "127.0.0.1:0", self.app)
        self.http.start()

    def _answer(self) -> Response:
        path = request.full_path.removeprefix("/ric/v1/").rstrip("?")
        self.asked.append((request.method, path, request.headers.get("Authorization"), request.get_data()))
        if request.headers.get("Accept") == "text/event-stream":
            self.resumed.append(request.headers.get("Last-Event-ID", ""))
        return self.answers.pop(0)

    def answers_with(self, *bodies: Any, status: int = 200) -> None:
        self.answers += [
            Response(body if isinstance(body, bytes) else json.dumps(body), status, content_type="application/json")
            for body in bodies
        ]

    def ctl(self, *arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(ctl, ["--server", f"127.0.0.1:{self.http.port}", *arguments], **options)

    @property
    def paths(self) -> list[str]:
        """Methods and paths that came."""
        return [f"{method} {path}" for method, path, *_ in self.asked]
