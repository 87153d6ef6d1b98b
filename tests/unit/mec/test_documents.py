# SPDX-License-Identifier: Apache-2.0
"""The documents of the MEC services say which routes there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client import CollectorRegistry
from support.http.api_document import differences, lost_references, operations

from mec import app as manager
from mec.controller import cli as controller
from mec.controller.identity_push import PushSettings
from mec.controller.service import ControllerSettings
from mec.proxy import cli as proxy
from submgr.platform.http.api_documents import ApiDocument
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.memory import MemoryBackend


def manager_app(path: Path) -> Flask:
    built = manager.build({}, CommittingStore(MemoryBackend()), registry=CollectorRegistry())
    return built.app


def controller_app(path: Path) -> Flask:
    settings = ControllerSettings("home", "127.0.0.1:0", PushSettings(idps=(), manager="http://127.0.0.1:1"))
    return controller.ControllerProgram(settings, "127.0.0.1:0", CommittingStore(MemoryBackend())).app


def proxy_app(path: Path) -> Flask:
    file = path / "mecInfo.json"
    file.write_text('{"mecs": []}')
    return proxy.ProxyProgram("127.0.0.1:0", str(file)).app


PORTS = [
    pytest.param(manager_app, manager.DOCUMENT, id="manager"),
    pytest.param(controller_app, controller.DOCUMENT, id="controller"),
    pytest.param(proxy_app, proxy.DOCUMENT, id="proxy"),
]


@pytest.mark.parametrize(("app", "document"), PORTS)
def test_every_route_is_documented(app: Any, document: ApiDocument, tmp_path: Path) -> None:
    assert differences(app(tmp_path), document.content()) == []


@pytest.mark.parametrize(("app", "document"), PORTS)
def test_the_port_serves_it(app: Any, document: ApiDocument, tmp_path: Path) -> None:
    client = app(tmp_path).test_client()
    assert client.get("/openapi.json").get_json() == document.content()
    assert client.get("/openapi.yaml").status_code == 200
    assert "/openapi.json" in client.get("/docs").text


@pytest.mark.parametrize(("app", "document"), PORTS)
def test_what_it_refers_to_is_there(app: Any, document: ApiDocument) -> None:
    content = document.content()
    assert lost_references(content) == []
    ids = [operation["operationId"] for operation in operations(content).values()]
    assert len(ids) == len(set(ids))
    for (method, path), operation in operations(content).items():
        assert {"403", "503"} <= set(operation["responses"]), (method, path)
