# SPDX-License-Identifier: Apache-2.0
"""MEC programs whose ports and neighbours speak https, from a configuration file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry
from support.http.peer import HttpPeer, answer
from support.mec.replicas import PlayedRole, replica
from support.ports import free_port
from support.store.shared import MemoryShared
from support.tls.authority import Authority
from support.tls.front import TlsFront

from mec.app import Mec
from mec.common.settings import MecSettings, read
from mec.manager_cli import ManagerProgram
from mec.proxy.cli import ProxyProgram
from submgr.platform.config.tls import TlsSettings
from submgr.platform.health import Health
from submgr.platform.http.client import HttpClient
from submgr.platform.tls import server_context

IMSI = "001010000000001"
USER = {"mainData": {"subscribedApps": [7]}, "additional": ""}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def home(authority: Authority) -> Iterator[tuple[HttpPeer, TlsFront]]:
    """What stands at the place of the proxy, over https."""
    server = authority.issue("home", "localhost")
    peer = HttpPeer(lambda _: answer("200 OK", json.dumps(USER).encode()))
    with TlsFront(server_context(server.certificate, server.key), peer.port) as front:
        yield peer, front
    peer.stop()


@pytest.fixture
def operator(authority: Authority) -> Iterator[HttpClient]:
    client = HttpClient(tls=authority.client(authority.issue("operator")))
    yield client
    client.close()


def configuration(authority: Authority, folder: Path, **mec: object) -> str:
    own = authority.issue("mec", "localhost")
    tls = {"cert": own.certificate, "key": own.key, "clientCa": authority.ca, "ca": authority.ca}
    path = folder / "mec.yaml"
    path.write_text(yaml.safe_dump({"tls": tls, "mec": mec, "sdl": {"backend": "memory"}}))
    return str(path)


def test_a_manager_serves_and_calls_over_https(
    authority: Authority, home: tuple[HttpPeer, TlsFront], operator: HttpClient, tmp_path: Path
) -> None:
    peer, front = home
    path = configuration(
        authority, tmp_path, host="127.0.0.1:0", network="foreign", mecId=7, proxyUrl=f"https://localhost:{front.port}"
    )
    program = ManagerProgram(read(path), {}, path)
    program.start()
    try:
        base = f"https://localhost:{program.mec.address[1]}"
        stranger = HttpClient(tls=authority.client())
        assert stranger.request("GET", f"{base}/health/alive").status == 200
        assert stranger.request("GET", f"{base}/meo/v1/platforms").status == 403
        assert operator.request("GET", f"{base}/meo/v1/platforms").status == 200
        operator.request("GET", f"{base}/manager/user/data/?imsi={IMSI}&appId=12345")
        assert [request.path.partition("?")[0] for request in peer.requests] == ["/user/data/"]
    finally:
        program.stop()


def test_a_proxy_serves_and_calls_over_https(
    authority: Authority, home: tuple[HttpPeer, TlsFront], operator: HttpClient, tmp_path: Path
) -> None:
    peer, front = home
    info = tmp_path / "mecInfo.json"
    info.write_text(json.dumps({"mecs": [{"id": 5, "managerAmsUrl": f"https://localhost:{front.port}"}]}))
    config = read(configuration(authority, tmp_path))
    program = ProxyProgram("127.0.0.1:0", str(info), config.mec.origins, config.tls)
    program.start()
    try:
        url = f"https://localhost:{program.address[1]}/user/data/?imsi={IMSI}&mecId=5"
        assert json.loads(operator.request("GET", url).body) == USER
        assert len(peer.requests) == 1
    finally:
        program.stop()


def test_replicas_know_each_other_by_the_name_in_their_certificate(authority: Authority) -> None:
    own = authority.issue("replica", "service-mec")
    tls = TlsSettings(
        certificate=own.certificate, key=own.key, client_ca=authority.ca, ca=authority.ca,
        own_certificate=own.certificate, own_key=own.key,
    )  # fmt: skip
    shared, ports = MemoryShared(), [free_port(), free_port(), free_port()]
    mecs = []
    for n, port in enumerate(ports):
        name = "another-name" if n == 2 else "service-mec"
        settings = MecSettings(host=f"127.0.0.1:{port}", mec_id=5, replicas=3, replica_name=name)
        role = PlayedRole(active=n == 0, address=f"127.0.0.1:{ports[0]}")
        mecs.append(Mec(settings, None, replica(shared, role), CollectorRegistry(), Health(), tls=tls))
        mecs[-1].start()
    client = HttpClient(tls=authority.client(own), certified="service-mec")
    try:
        statuses = [client.request("GET", f"https://127.0.0.1:{port}/meo/v1/platforms").status for port in ports]
        assert statuses == [200, 200, 503]
    finally:
        client.close()
        for mec in mecs:
            mec.stop()
