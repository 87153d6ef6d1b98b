# SPDX-License-Identifier: Apache-2.0
"""The rules of outbound in a MEC: they hold for applications and callbacks, not for its own neighbours."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from support.http.peer import HttpPeer, answer
from support.waiting import eventually

from mec.app import Mec
from mec.common.settings import MecSettings, load
from mec.manager_cli import ManagerProgram
from submgr.platform.config.file import ConfigError
from submgr.platform.health import Health
from submgr.platform.http.client import HttpClient, HttpResponse
from submgr.platform.outbound_rules import Outbound, OutboundRules
from submgr.platform.store.memory import MemoryStore

IMSI = "001010000000001"


class Site:
    """A MEC that may connect to no application, the application, and the proxy."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.store.start()
        self.client = HttpClient()
        self.app, self.proxy = HttpPeer(lambda request: answer("200 OK", b'{"n": 1}')), HttpPeer()
        settings = MecSettings(
            host="127.0.0.1:0",
            mec_id=5,
            proxy_url=f"http://127.0.0.1:{self.proxy.port}",
            controller_url="http://127.0.0.1:1",
            app_urls={"12345": f"http://localhost:{self.app.port}"},
        )
        self.outbound = Outbound(OutboundRules(deny=("loopback",)))
        self.mec = Mec(settings, None, self.store, CollectorRegistry(), Health(), self.outbound)
        self.mec.start()

    def ask(self, path: str) -> HttpResponse:
        return self.client.request("GET", f"http://127.0.0.1:{self.mec.port}{path}", read_timeout=10)

    def stop(self) -> None:
        self.mec.stop()
        self.client.close()
        self.app.stop()
        self.proxy.stop()
        self.store.stop()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


def test_an_application_is_not_asked_where_the_rules_refuse_it(site: Site) -> None:
    state = f"/ams/get/state/?appId=12345&imsi={IMSI}"
    refused = site.ask(state)
    assert refused.status == 500
    assert "is refused: outbound.deny has loopback" in json.loads(refused.body)["detail"]
    assert site.app.requests == []
    site.outbound.rules = OutboundRules(allow=("localhost",), deny=("loopback",))
    assert site.ask(state).status == 200
    assert len(site.app.requests) == 1


def test_a_monitor_is_not_told_where_the_rules_refuse_it(site: Site) -> None:
    url = f"http://127.0.0.1:{site.app.port}/"
    site.mec.orchestrator.notifier.tell_monitor(url, {})
    eventually(lambda: site.outbound.refused == 1)
    assert "mec_outbound_refused 1" in site.ask("/metrics").body.decode()
    assert site.app.requests == []


def test_the_proxy_is_a_neighbour_whom_no_rule_concerns(site: Site) -> None:
    site.mec.ams.notify(IMSI, 5, "12345")
    assert len(site.proxy.requests) == 1
    assert site.outbound.refused == 0


def test_mec_manager_applies_changed_rules(caplog: pytest.LogCaptureFixture) -> None:
    backend = "sdl: {backend: memory}\n"
    program = ManagerProgram(load(f"{backend}outbound: {{deny: [loopback]}}"), {})

    def refused(address: str) -> bool:
        return program.outbound.refusal(address, 80) is not None

    assert refused("127.0.0.1")
    program.reload(f"{backend}outbound: {{deny: [10.0.0.0/8, 10.0.0.0/99]}}")
    assert "10.0.0.0/99" in str(caplog.records[-1].__dict__)
    assert (refused("127.0.0.1"), refused("10.0.0.1")) == (True, False)
    program.reload(f"{backend}outbound: {{deny: [10.0.0.0/8]}}")
    assert (refused("127.0.0.1"), refused("10.0.0.1")) == (False, True)
    program.reload(backend)
    assert (refused("127.0.0.1"), refused("10.0.0.1")) == (False, False)
    with pytest.raises(ConfigError, match=r"outbound\.allow"):
        load("outbound: {allow: ['http://x']}")
