# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import socket
from typing import Any

import pytest
from flask import Response
from flask.testing import FlaskClient

from submgr.platform.http.app import JsonApp
from submgr.platform.http.changes import CHANGING, audit_changes, refuse_foreign_origins
from submgr.platform.http.peer import SOCKET

AUDIT = "submgr.platform.audit"


class Connected:
    """A connection to an address of this host."""

    def __init__(self, address: str) -> None:
        self._address = address

    def getsockname(self) -> tuple[str, int]:
        return self._address, 8080


@pytest.fixture
def client() -> FlaskClient:
    app = JsonApp("changes")
    refuse_foreign_origins(app, ["submgr.ricplt", "https://Ric.example:8443/"])
    audit_changes(app, unless=["telemetry"])
    for name in ("thing", "telemetry"):
        app.add_url_rule(f"/{name}", name, lambda: Response(status=204), methods=["GET", *CHANGING])
    app.add_url_rule("/lost/<name>", "lost", lambda name: Response(status=404), methods=["DELETE"])
    return app.test_client()


def status(client: FlaskClient, origin: str, host: str, own: str = "10.0.0.7", method: str = "POST") -> int:
    environment: dict[str, Any] = {SOCKET: Connected(own)}
    answer = client.open(
        "/thing", method=method, headers={"Origin": origin, "Host": host}, environ_overrides=environment
    )
    return answer.status_code


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8080", "localhost:8080"),
        ("http://submgr.ricplt:8080", "submgr.ricplt:8080"),
        ("http://SUBMGR.ricplt:8080", "submgr.RICPLT:8080"),
        (f"http://{socket.gethostname()}:8080", f"{socket.gethostname()}:8080"),
        ("http://10.0.0.7:8080", "10.0.0.7:8080"),
        ("https://ric.example:8443", "submgr.ricplt:8080"),
    ],
)
def test_our_own_pages_may_change_something(client: FlaskClient, origin: str, host: str) -> None:
    assert [status(client, origin, host, method=method) for method in CHANGING] == [204] * 4


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (
            "http://evil.example:8080",
            "evil.example:8080",
        ),  # DNS rebinding
        ("http://localhost:3000", "localhost:8080"),
        ("http://10.0.0.8:8080", "10.0.0.8:8080"),
        ("http://ric.example:8443", "submgr.ricplt:8080"),
        ("submgr.ricplt", "submgr.ricplt"),
        ("null", "localhost"),
        ("", "localhost"),
        ("http://[", "localhost"),
        ("file://localhost", "localhost"),
    ],
)
def test_pages_of_other_origins_may_only_look(client: FlaskClient, origin: str, host: str) -> None:
    assert [status(client, origin, host, method=method) for method in CHANGING] == [403] * 4
    assert status(client, origin, host, method="GET") == 204


def test_an_address_of_version_6_is_compared_as_an_address(client: FlaskClient) -> None:
    assert status(client, "http://[fd00::7]:8080", "[fd00::7]:8080", own="fd00::7") == 204
    assert status(client, "http://[fd00::8]:8080", "[fd00::8]:8080", own="fd00::7") == 403
    assert status(client, "http://10.0.0.7", "10.0.0.7", own="::ffff:10.0.0.7") == 204


def test_programs_send_no_origin(client: FlaskClient) -> None:
    assert client.post("/thing", headers={"Host": "whatever"}).status_code == 204


def test_each_change_is_one_line_of_the_audit(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    for method in ("POST", "DELETE", "GET"):
        client.open("/thing", method=method, environ_overrides={"REMOTE_ADDR": "10.1.2.3"})
    client.post("/telemetry")
    lines = [
        (record.levelno, record.getMessage(), vars(record)["peer"], vars(record)["path"], vars(record)["outcome"])
        for record in caplog.records
        if record.name == AUDIT
    ]
    assert lines == [
        (logging.WARNING, "POST", "10.1.2.3", "/thing", "204"),
        (logging.WARNING, "DELETE", "10.1.2.3", "/thing", "204"),
    ]


def test_what_was_refused_is_told_too_and_bounded(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(50):
        client.delete(f"/lost/{number}", environ_overrides={"REMOTE_ADDR": "10.1.2.4"})
    client.post("/thing", headers={"Origin": "null"}, environ_overrides={"REMOTE_ADDR": "10.1.2.4"})
    lines = [(vars(record)["path"], vars(record)["outcome"]) for record in caplog.records if record.name == AUDIT]
    assert lines == [("/lost/0", "404"), ("/thing", "403")]
