# SPDX-License-Identifier: Apache-2.0
"""Clients that openapi-python-client generates from the documents of a running daemon, against this daemon."""

from __future__ import annotations

import compileall
import importlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.processes.standalone import NODES, Standalone
from support.waiting import eventually

CONFIG = """
post_hooks: []
content_type_overrides:
  application/x-ndjson: application/octet-stream
  application/zip: application/octet-stream
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with Standalone(tmp_path_factory.mktemp("run")) as run:
        yield run


def generated(address: str, name: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package that was generated from what a port serves; everything in it compiles, and nothing was left out."""
    document, config = directory / "openapi.json", directory / "config.yaml"
    with urllib.request.urlopen(f"http://{address}/openapi.json") as answer:
        document.write_bytes(answer.read())
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--path", str(document), "--config", str(config), "--output-path", str(directory / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    assert compileall.compile_dir(directory / name, quiet=2)
    monkeypatch.syspath_prepend(str(directory))
    return importlib.import_module(name)


def part(package: Any, name: str) -> Any:
    return importlib.import_module(f"{package.__name__}.{name}")


def test_an_xapp_subscribes_lists_and_deletes(run: Standalone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = generated(run.xapp, "generated_xapp", tmp_path, monkeypatch)
    models = part(package, "models")
    with package.Client(base_url=f"http://{run.xapp}/ric/v1", raise_on_unexpected_status=True) as client:
        body = models.SubscriptionParams.from_dict(run.example)
        assert json.loads(json.dumps(body.to_dict())) == run.example
        accepted = part(package, "api.subscriptions.subscribe").sync(client=client, body=body)
        assert isinstance(accepted, models.SubscriptionResponse)
        assert accepted.subscription_instances == []

        def told() -> list[Any]:
            found = run.get(run.notified, "/state")["notifications"]
            return [each["body"] for each in found if each["body"]["SubscriptionId"] == accepted.subscription_id]

        (notification,) = eventually(told)
        (instance,) = models.SubscriptionResponse.from_dict(notification).subscription_instances
        assert (instance.xapp_event_instance_id, instance.error_cause) == (12345, "")
        (listed,) = part(package, "api.subscriptions.query").sync(client=client)
        assert isinstance(listed, models.SubscriptionData)
        assert (listed.meid, listed.subscription_id) == (NODES[0], instance.e2_event_instance_id)
        assert listed.rest_subscription_ids == [accepted.subscription_id]
        unsubscribe = part(package, "api.subscriptions.unsubscribe").sync_detailed
        assert unsubscribe(accepted.subscription_id, client=client).status_code == 204
        body.meid = "gnb_unknown"
        refused = part(package, "api.subscriptions.subscribe").sync(client=client, body=body)
        assert isinstance(refused, models.Error)
        assert (refused.code, NODES[0] in refused.message) == (503, True)
    eventually(lambda: not run.holds())


def test_an_operator_looks(run: Standalone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = generated(run.platform, "generated_platform", tmp_path, monkeypatch)
    models = part(package, "models")
    with package.Client(base_url=f"http://{run.platform}", raise_on_unexpected_status=True) as client:
        assert part(package, "api.health.ready").sync(client=client).status == "ok"
        assert part(package, "api.queries.connected_nodes").sync(client=client) == sorted(NODES)
        functions = part(package, "api.queries.functions_of").sync(NODES[0], client=client)
        assert [function.ran_function_id for function in functions] == [2, 3]
        overview = part(package, "api.overview.overview").sync(client=client)
        assert isinstance(overview, models.Overview)
        assert overview.ready
        assert part(package, "api.overview.events").sync(client=client, limit=1)[0].words
        unknown = part(package, "api.queries.records_of").sync("unknown", client=client)
        assert isinstance(unknown, models.Error)
        assert unknown.code == 404
