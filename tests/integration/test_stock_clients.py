# SPDX-License-Identifier: Apache-2.0
"""The clients that Python xApps use, as they come with ricxappframe, against the daemon.

They block and use threads, so each runs in a process of its own, with its own notification server.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ports import free_port
from support.processes.children import spawn
from support.processes.daemon import Daemon, Neighbourhood
from support.waiting import eventually

COMMON = """
import json, queue, sys
import ricxappframe.xapp_subscribe as xapp_subscribe

base, port = sys.argv[1], int(sys.argv[2])
notified = queue.Queue()

def notification(name, path, data, ctype):
    notified.put(json.loads(data))
    return {"response": "OK", "status": 200, "payload": None, "ctype": "application/json",
            "attachment": None, "mode": "plain"}

subscriber = xapp_subscribe.NewSubscriber(base, local_address="127.0.0.1", local_port=port, rmr_port=4560)
assert subscriber.ResponseHandler(notification)
endpoint = subscriber.SubscriptionParamsClientEndpoint("127.0.0.1", port, 4560)
subsequent = subscriber.SubsequentAction("continue", "w10ms")
action = subscriber.ActionToBeSetup(1, "report", [5, 6, 7, 8], subsequent)
detail = subscriber.SubscriptionDetail(12345, [1, 2, 3, 4], [action])
params = subscriber.SubscriptionParams(None, endpoint, "gnb_1", 2, None, [detail])
"""

NEW_SUBSCRIBER = (
    COMMON
    + """
data, reason, status = subscriber.Subscribe(params)
subscription_id = json.loads(data)["SubscriptionId"]
told = notified.get(timeout=10)
listed, _, listed_status = subscriber.QuerySubscriptions()
print(json.dumps({"status": status, "id": subscription_id, "told": told, "listed": json.loads(listed),
                  "listed_status": listed_status}), file=sys.stderr, flush=True)
sys.stdin.readline()
_, _, deleted = subscriber.UnSubscribe(subscription_id)
print(json.dumps({"deleted": deleted}), file=sys.stderr, flush=True)
"""
)

COMMON_API = (
    COMMON
    + """
import ricxappframe.subsclient as subsclient

configuration = subsclient.Configuration()
configuration.host = base
api = subsclient.CommonApi(subsclient.ApiClient(configuration))
answer = api.subscribe(subscription_params=params)
told = notified.get(timeout=10)
found = api.get_all_subscriptions()
print(json.dumps({"status": 201, "id": answer.subscription_id, "told": told, "listed_status": 200,
                  "listed": api.api_client.sanitize_for_serialization(found)}), file=sys.stderr, flush=True)
sys.stdin.readline()
_, deleted, _ = api.unsubscribe_with_http_info(answer.subscription_id)
print(json.dumps({"deleted": deleted}), file=sys.stderr, flush=True)
"""
)


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as around:
        yield around


@pytest.fixture(scope="module")
def daemon(around: Neighbourhood) -> Iterator[Daemon]:
    with Daemon(around) as daemon:
        yield daemon


class Client:
    """A stock client in a process; what it reports are the JSON lines among its output."""

    def __init__(self, script: str, base: str, directory: Path) -> None:
        self._output = directory / "output"
        with self._output.open("wb") as output:
            self._process = spawn(
                [sys.executable, "-W", "ignore", "-c", script, base, str(free_port())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def reports(self, count: int) -> list[dict[str, Any]]:
        """The first so many things it has to say; the simulators of this process go on meanwhile."""

        def said() -> list[dict[str, Any]]:
            lines = self._output.read_text().splitlines(keepends=True)
            return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

        eventually(lambda: len(said()) >= count or self._process.poll() is not None, 20.0)
        assert len(said()) >= count, self._output.read_text()
        return said()[:count]

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()


def works(client: Client, around: Neighbourhood, daemon: Daemon) -> None:
    """Subscribed, notified, listed; then unsubscribed, and nothing is left."""
    (report,) = client.reports(1)
    assert report["status"] == 201
    (instance,) = report["told"]["SubscriptionInstances"]
    assert report["told"]["SubscriptionId"] == report["id"]
    assert (instance["XappEventInstanceId"], instance["ErrorCause"]) == (12345, "")
    (number,) = around.holds()
    assert instance["E2EventInstanceId"] == number
    held = around.e2term.nodes["gnb_1"].subscriptions[number]
    assert held.trigger == bytes([1, 2, 3, 4])
    (action,) = held.actions
    assert (action.action_id, action.definition) == (1, bytes([5, 6, 7, 8]))
    assert action.subsequent is not None
    assert action.subsequent.time_to_wait.name.lower() == "w10ms"
    assert report["listed_status"] == 200
    assert [(item["SubscriptionId"], item["Meid"]) for item in report["listed"]] == [(number, "gnb_1")]
    assert report["listed"][0]["ClientEndpoint"] == ["127.0.0.1:4560"]
    assert list(daemon.rests()) == [report["id"]]
    client.go_on()
    assert client.reports(2)[1] == {"deleted": 204}
    eventually(lambda: around.empty() and not daemon.rests())


@pytest.mark.parametrize("base", ["", "/ric/v1", "/ric/v1/subscriptions"], ids=repr)
def test_new_subscriber(around: Neighbourhood, daemon: Daemon, tmp_path: Path, base: str) -> None:
    with Client(NEW_SUBSCRIBER, f"http://127.0.0.1:{daemon.xapp_port}{base}", tmp_path) as client:
        works(client, around, daemon)


@pytest.mark.parametrize("base", ["", "/ric/v1"], ids=repr)
def test_common_api(around: Neighbourhood, daemon: Daemon, tmp_path: Path, base: str) -> None:
    with Client(COMMON_API, f"http://127.0.0.1:{daemon.xapp_port}{base}", tmp_path) as client:
        works(client, around, daemon)
