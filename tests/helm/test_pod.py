# SPDX-License-Identifier: Apache-2.0
"""The daemon as the chart starts it, in the middle of a RIC: monitored, reconfigured, put in the Go submgr's place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.ports import free_port
from support.waiting import eventually

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
RULES = Path("files") / "submgr.rules.yaml"

pytestmark = pytest.mark.redis


def metrics(pod: Any) -> list[str]:
    text: str = pod.platform.raw("GET", "/ric/v1/metrics")[1].decode()
    return text.splitlines()


@pytest.mark.promtool
@pytest.mark.skipif(PROMETHEUS is None, reason="no prometheus: apt-get install prometheus")
def test_prometheus_scrapes_it_and_takes_its_rules(shared_ric, shared_pod, chart, processes, tmp_path) -> None:
    shared_pod.xapp.ask("/ric/v1/subscriptions", "POST", shared_ric.request(event=101))
    eventually(lambda: "submgr_e2_subscriptions 1.0" in metrics(shared_pod))
    template = chart.render()["Deployment", "deployment-ricplt-submgr"]["spec"]["template"]
    job = {
        "job_name": "ricplt",
        "metrics_path": template["metadata"]["annotations"]["prometheus.io/path"],
        "static_configs": [{"targets": [shared_pod.platform.address]}],
    }
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(chart.path / RULES)],
        "scrape_configs": [job],
    }
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [PROMETHEUS, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb"]
    with (tmp_path / "prometheus.log").open("w") as log:
        processes.start([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    server = type(shared_pod.platform)(f"127.0.0.1:{port}")

    def result(expression: str) -> list[Any]:
        try:
            status, answer = server.raw("GET", f"/api/v1/query?query={urllib.parse.quote(expression)}")
        except OSError:
            return []
        return json.loads(answer)["data"]["result"] if status == 200 else []

    (sample,) = eventually(lambda: result("SUBMGR_SubReqToE2"))
    assert f"SUBMGR_SubReqToE2 {sample['value'][1]}" in metrics(shared_pod)
    assert sample["value"][1] != "0"
    assert sample["metric"]["instance"] == shared_pod.platform.address
    assert result("submgr_e2_subscriptions")[0]["value"][1] == "1"
    wanted = yaml.safe_load((chart.path / RULES).read_text())["groups"][0]["rules"]
    rules = lambda: server.ask("/api/v1/rules")["data"]["groups"][0]["rules"]  # noqa: E731
    eventually(lambda: [rule["health"] for rule in rules()] == ["ok"] * len(wanted))
    eventually(lambda: server.ask("/api/v1/alerts")["data"]["alerts"] == [])


@pytest.mark.promtool
@pytest.mark.skipif(PROMTOOL is None, reason="no promtool: apt-get install prometheus")
def test_promtool_on_the_live_metrics(shared_pod, chart) -> None:
    lines = metrics(shared_pod)
    check = [PROMTOOL, "check", "metrics"]
    modern = "\n".join([line for line in lines if "submgr_" in line or "process_" in line]) + "\n"
    done = subprocess.run(check, input=modern, text=True, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    whole = "\n".join(lines) + "\n"
    done = subprocess.run(check, input=whole, text=True, capture_output=True, timeout=30, check=False)
    assert "error while linting" not in done.stderr
    names = {re.split("[{ ]", line)[0] for line in lines if not line.startswith("#")}
    for rule in yaml.safe_load((chart.path / RULES).read_text())["groups"][0]["rules"]:
        used = re.findall(r"\b(?:SUBMGR|RMR|submgr|process)_\w+", rule["expr"])
        assert used and set(used) <= names, rule["alert"]


def test_an_edited_config_map_applies_to_the_running_pod(shared_ric, shared_pod) -> None:
    shared_pod.edit("e2tSubReqTimeout_ms: 2000", "e2tSubReqTimeout_ms: 100")
    eventually(lambda: shared_pod.platform.ask("/ric/v1/config")["controls"]["e2tSubReqTimeout_ms"] == 100)
    shared_ric.e2term.ask("/rules", "PUT", [{"procedure": "subscribe", "silent": "request"}])
    asked = shared_pod.xapp.ask("/ric/v1/subscriptions", "POST", shared_ric.request(event=102))
    told = lambda: [each for each in shared_ric.notified() if each["SubscriptionId"] == asked["SubscriptionId"]]  # noqa: E731
    assert eventually(told)[0]["SubscriptionInstances"][0]["TimeoutType"] == "E2-Timeout"
    shared_ric.e2term.ask("/rules", "DELETE")
    shared_pod.edit("e2tSubReqTimeout_ms: 100", "e2tSubReqTimeout_ms: 2000")


def test_requests_that_change_something_want_the_token_of_the_secret(shared_pod) -> None:
    assert shared_pod.token
    path = "/ric/v1/delete_all_xapp_subscriptions/nobody"
    assert shared_pod.platform.raw("DELETE", path)[0] == 401
    assert shared_pod.platform.raw("DELETE", path, headers=bearer(shared_pod))[0] == 404
    assert shared_pod.platform.ask("/ric/v1/config")["debug"]["token"] != shared_pod.token
    assert shared_pod.token not in shared_pod.log.read_text()


def bearer(pod: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {pod.token}"}


# --- from the Go submgr

ACTION = {
    "ActionId": 1,
    "ActionType": 0,
    "RicActionDefinitionPresent": True,
    "Data": {"Length": 2, "Data": "BQY="},
    "Present": True,
    "Type": 0,
    "TimetoWait": 4,
}
"""What `ric.request(event=1)` asks for, in the words of the database."""
TRIGGERS = {1: "AQ==", 2: "Ag==", 3: "AQ=="}
"""By instance id."""
HOLDERS = {"2ChSzkQ9jSUgVPyjZ9GCFmWcLcB": ("gnb_1", 4560, {"11": 1, "12": 2})}
HOLDERS |= {"2ChT0CNzkE4dQwkVxJ9vOB4dpRm": ("gnb_1", 4570, {"21": 2})}
HOLDERS |= {"2ChT1lP3Q5DYbXMdkQh8vM5Kfgz": ("gnb_2", 4560, {"31": 3})}
"""REST subscriptions: 2 is a merged one, two xApps hold it."""


def written(redis: Any, namespace: str, key: str, record: dict[str, Any]) -> None:
    redis.command("SET", f"{{{namespace}}},{key}", json.dumps(record, separators=(",", ":")))


def write_as_the_go_submgr(redis: Any) -> None:
    """Its own keys and no others, in its order."""
    for instance, trigger in TRIGGERS.items():
        held = [(meid, port) for meid, port, instances in HOLDERS.values() if instance in instances.values()]
        request = {"Id": 123, "InstanceId": instance, "FunctionId": 2}
        admitted = {"ActionAdmittedList": {"Items": [{"ActionId": 1}]}, "ActionNotAdmittedList": {"Items": None}}
        record = {
            "Valid": True,
            "ReqId": {"Id": 123, "InstanceId": instance},
            "Meid": {"PlmnID": "", "EnbID": "", "RanName": held[0][0]},
            "EpList": {"Endpoints": [{"Addr": "127.0.0.1", "Port": port} for _, port in held]},
            "SubReqMsg": {**request, "Data": {"Length": 1, "Data": trigger}, "ActionSetups": [ACTION]},
            "SubRespMsg": {**request, **admitted},
            "SubRespRcvd": "SubResp",
            "PolicyUpdate": False,
        }
        written(redis, "submgr_e2SubsDb", str(instance), record)
    for subscription_id, (meid, port, instances) in HOLDERS.items():
        record = {
            "Created": "2026-11-22 00:33:40.850",
            "XAppServiceName": "127.0.0.1",
            "XAppRmrEndPoint": f"127.0.0.1:{port}",
            "Meid": meid,
            "InstanceIds": list(instances.values()),
            "XAppIdToE2Id": instances,
            "SubReqOngoing": False,
            "SubDelReqOngoing": False,
            "Md5sum": "4a6e0b80c1a24e3e86d36a26f0b2a71b",
        }
        written(redis, "submgr_restSubsDb", subscription_id, record)


def keys(redis: Any, namespace: str) -> list[bytes]:
    answer: bytes = redis.command("KEYS", f"{{{namespace}}},*")
    return answer.split(b"\r\n")[2:-1:2]


def make_what_the_records_say(ric: Any, pod: Any) -> None:
    """E2 nodes and the Routing Manager hold what the Go submgr's records speak of; then the database has only these."""
    for number, (meid, event) in enumerate((("gnb_1", 1), ("gnb_1", 2), ("gnb_2", 1)), 1):
        pod.xapp.ask("/ric/v1/subscriptions", "POST", ric.request(meid, event))
        eventually(lambda number=number: len(ric.notified()) == number)
    merged = ric.request("gnb_1", 2)
    merged["ClientEndpoint"]["RMRPort"] = 4570
    pod.xapp.ask("/ric/v1/subscriptions", "POST", merged)
    eventually(lambda: len(ric.notified()) == 4)
    assert [told["SubscriptionInstances"][0]["E2EventInstanceId"] for told in ric.notified()] == [1, 2, 3, 2]
    assert pod.stop() == 0
    ric.redis.command("DEL", *keys(ric.redis, "submgr_e2SubsDb"), *keys(ric.redis, "submgr_restSubsDb"))
    write_as_the_go_submgr(ric.redis)
    ric.xapp.ask("/reset", "POST")


def test_it_takes_over_what_the_go_submgr_left_and_deletes_it_properly(ric) -> None:
    pod = ric.pod()
    pod.start()
    pod.until_ready()
    make_what_the_records_say(ric, pod)
    before = (ric.at_nodes(), ric.rtmgr.ask("/state")["routes"])
    assert {name: sorted(held) for name, held in before[0].items()} == {"gnb_1": ["1", "2"], "gnb_2": ["3"]}
    assert before[1] == {"1": ["127.0.0.1:4560"], "2": ["127.0.0.1:4560", "127.0.0.1:4570"], "3": ["127.0.0.1:4560"]}
    pod.start()
    pod.until_ready()

    found = {item["SubscriptionId"]: item for item in pod.xapp.ask("/ric/v1/subscriptions")}
    assert {int(each): endpoints for each, endpoints in before[1].items()} == {
        each: item["ClientEndpoint"] for each, item in found.items()
    }
    assert set(found[2]["RestSubscriptionIds"]) == set(list(HOLDERS)[:2])
    rest = pod.platform.ask("/ric/v1/restsubscriptions")
    assert {name: each["InstanceIds"] for name, each in rest.items()} == {
        name: list(instances.values()) for name, (_, _, instances) in HOLDERS.items()
    }

    # a restarted xApp that asks for what it had: told of the old one, and nobody else hears of it
    pod.xapp.ask("/ric/v1/subscriptions", "POST", ric.request("gnb_2", 1))
    (told,) = eventually(ric.notified)
    assert told["SubscriptionInstances"][0]["E2EventInstanceId"] == 3
    assert (ric.at_nodes(), ric.rtmgr.ask("/state")["routes"]) == before

    first, second, third = HOLDERS
    assert pod.xapp.raw("DELETE", f"/ric/v1/subscriptions/{first}")[0] == 204
    eventually(lambda: ric.rtmgr.ask("/state")["routes"] == {"2": ["127.0.0.1:4570"], "3": ["127.0.0.1:4560"]})
    assert {name: sorted(held) for name, held in ric.at_nodes().items()} == {"gnb_1": ["2"], "gnb_2": ["3"]}
    for subscription_id in (second, third, told["SubscriptionId"]):
        assert pod.xapp.raw("DELETE", f"/ric/v1/subscriptions/{subscription_id}")[0] == 204
    eventually(lambda: ric.rtmgr.ask("/state")["routes"] == {})
    assert ric.at_nodes() == {"gnb_1": {}, "gnb_2": {}}
    eventually(lambda: not keys(ric.redis, "submgr_e2SubsDb") and not keys(ric.redis, "submgr_restSubsDb"))
    assert ric.rtmgr.ask("/state")["surprises"] == []
    assert pod.xapp.ask("/ric/v1/subscriptions") == []
    assert pod.platform.raw("POST", "/ric/v1/test/restart", headers=bearer(pod))[0] == 200
    assert pod.wait() == 1, "Kubernetes starts it again"
