# SPDX-License-Identifier: Apache-2.0
"""The daemon with TLS on its ports and towards its neighbours, and what xApps see of each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.tls.authority import Authority, Files
from support.tls.front import TlsFront
from support.waiting import eventually

from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError
from submgr.platform.tls import server_context


class SecureDaemon(Daemon):
    """A daemon that is asked over https. `shown`: the certificate of its operator."""

    def trust(self, authority: Authority, shown: Files | None = None) -> None:
        self.http = HttpClient(tls=authority.client(shown))

    def call(self, port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return ask(self.http, port, method, path, body)


def ask(http: HttpClient, port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    raw = None if body is None else json.dumps(body).encode()
    answer = http.request(method, f"https://localhost:{port}{path}", body=raw, read_timeout=15.0)
    return answer.status, json.loads(answer.body) if answer.body.startswith((b"{", b"[")) else None


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as around:
        yield around


class Xapp:
    """An xApp with a certificate of its own."""

    def __init__(self, daemon: Daemon, authority: Authority, name: str) -> None:
        self._daemon = daemon
        self._http = HttpClient(tls=authority.client(authority.issue(name, "localhost", common_name=name)))

    def __call__(self, method: str, path: str = "", body: Any = None) -> tuple[int, Any]:
        return ask(self._http, self._daemon.xapp_port, method, f"/ric/v1/subscriptions{path}", body)

    def ids(self) -> list[str]:
        return [each for item in self("GET")[1] for each in item["RestSubscriptionIds"]]


def test_an_xapp_sees_and_deletes_what_its_certificates_name_made(around: Neighbourhood, authority: Authority) -> None:
    own = authority.issue("submgr", "localhost")
    tls = {"cert": own.certificate, "key": own.key, "clientCa": authority.ca, "ownership": True}
    daemon = SecureDaemon(around, tls=tls)
    daemon.trust(authority, authority.issue("operator"))
    with daemon:
        a, b = Xapp(daemon, authority, "xapp-a"), Xapp(daemon, authority, "xapp-b")
        of_a = a("POST", "", around.request())[1]["SubscriptionId"]
        of_b = b("POST", "", around.request())[1]["SubscriptionId"]  # the same request, merged at the node
        assert of_a != of_b
        eventually(lambda: (a.ids(), b.ids()) == ([of_a], [of_b]))
        assert len(around.holds()) == 1

        def foreign_id_is_unknown() -> None:
            other = around.request("gnb_1", detail(7), SubscriptionId=of_a)
            assert b("POST", "", other)[0] == 404
            assert b("DELETE", f"/{of_a}")[0] == 404
            assert a.ids() == [of_a]

        foreign_id_is_unknown()
        assert sorted(daemon.rests()) == sorted([of_a, of_b])
        daemon.stop()
        daemon.start()
        foreign_id_is_unknown()
        assert a("POST", "", around.request(SubscriptionId=of_a))[1]["SubscriptionId"] == of_a
        assert a("DELETE", f"/{of_a}")[0] == 204
        eventually(lambda: sorted(daemon.rests()) == [of_b])
        assert b.ids() == [of_b]
        audited = [line for line in daemon.logged("submgr.platform.audit") if line["msg"] == "POST"]
        assert audited == []
        assert daemon.platform("POST", "test/deletesubid=999")[0] == 404
        (refused,) = daemon.logged("submgr.platform.audit")
        assert (refused["peer"], refused["certificate"], refused["outcome"]) == ("127.0.0.1", "operator", "404")
        stranger = HttpClient(tls=authority.client())
        with pytest.raises(HttpError):
            ask(stranger, daemon.xapp_port, "GET", "/ric/v1/subscriptions")
        assert ask(stranger, daemon.platform_port, "GET", "/ric/v1/health/alive")[0] == 200
        assert ask(stranger, daemon.platform_port, "GET", "/ric/v1/config")[0] == 403


def test_changed_files_are_taken_and_broken_ones_warned_of(
    around: Neighbourhood, authority: Authority, tmp_path: Path
) -> None:
    made = authority.issue("localhost")
    certificate = tmp_path / "tls.crt"
    certificate.write_bytes(Path(made.certificate).read_bytes())
    daemon = SecureDaemon(around, tls={"cert": str(certificate), "key": made.key})
    daemon.trust(authority)
    with daemon:
        assert daemon.platform("GET", "health/ready")[1]["warnings"] == []
        certificate.write_text("broken")
        status, health = daemon.platform("GET", "health/ready")
        assert (status, [str(certificate) in words for words in health["warnings"]]) == (200, [True])
        daemon.http.close()
        assert daemon.subscribe(around.request())  # over a new connection, with the old certificate
        assert len(daemon.logged("TLS files refused")) >= 1
        certificate.write_bytes(Path(made.certificate).read_bytes())
        assert daemon.platform("GET", "health/ready")[1]["warnings"] == []


def test_routing_manager_and_xapps_are_called_over_https(
    around: Neighbourhood, authority: Authority, tmp_path: Path
) -> None:
    server = authority.issue("neighbour", "localhost")
    context = server_context(server.certificate, server.key, authority.ca, required=True)
    shown = authority.issue("submgr")
    xapp_port = int(around.xapp.http.address.rpartition(":")[2])
    with TlsFront(context, around.rtmgr.http.port) as rtmgr, TlsFront(context, xapp_port) as xapp:
        towards = {"ca": authority.ca, "ownCert": shown.certificate, "ownKey": shown.key, "rtmgr": True, "xapps": True}
        sections = {"tls": towards, "rtmgr": {"hostAddr": "localhost", "port": rtmgr.port}}
        with Daemon(around, **sections) as daemon:
            endpoint = {"Host": "localhost", "HTTPPort": xapp.port, "RMRPort": 4560}
            made = daemon.subscribe(around.request(ClientEndpoint=endpoint))
            eventually(lambda: [note.body["SubscriptionId"] for note in around.xapp.notifications] == [made])
            assert len(around.rtmgr.routes) == 1
            daemon.unsubscribe(made)
            eventually(around.empty)


def test_files_that_are_not_there_are_told_at_the_start(around: Neighbourhood) -> None:
    (line,) = Daemon(around, tls={"cert": "/no/such.pem"}).refusal()
    assert "TLS" in line and "/no/such.pem" in line
    (line,) = Daemon(around, tls={"ca": "/no/ca.pem", "rtmgr": True}).refusal()
    assert "tls: /no/ca.pem" in line
