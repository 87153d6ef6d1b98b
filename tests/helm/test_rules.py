# SPDX-License-Identifier: Apache-2.0
"""Alerts and dashboard: promtool's word on them, and that every metric in them is one the daemon has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector

from submgr.adapters.metrics.go_counters import GoCounters, exposition
from submgr.adapters.metrics.prometheus import Metrics
from submgr.platform import supervised

RULES = "files/submgr.rules.yaml"
DASHBOARD = "files/submgr-dashboard.json"
UNIT_TESTS = Path(__file__).parent / "submgr.rules.test.yaml"
METRIC = re.compile(r"\b(?:SUBMGR|RMR|submgr|process|ran_SUBMGR|ran_RMR)_\w+")

promtool = pytest.mark.promtool
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: apt-get install prometheus")


def registry(namespace: str = "") -> CollectorRegistry:
    """As the daemon puts its own together, with something in every histogram."""
    collectors = CollectorRegistry()
    ProcessCollector(registry=collectors)
    collectors.register(GoCounters(namespace))
    metrics = Metrics(collectors)
    metrics.procedure("subscribe", "success", 0.1)
    metrics.notification(True, 0.1)
    metrics.sdl("set", 0.1)
    metrics.rtmgr("POST", 0.1)
    metrics.ignored("unknown")
    supervised.failures["orphans"] += 0
    metrics.read_queues_from(lambda: {"gnb_1": 1})
    metrics.read_refusals_from(lambda: {"gnb_1": 3})
    metrics.stalled(0.001)
    return collectors


def labels_by_sample(namespace: str = "") -> dict[str, set[str]]:
    """Read from the text itself: prometheus_client's parser gives counters another name."""
    text, _ = exposition(registry(namespace))
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return {re.split("[{ ]", line)[0]: set(re.findall(r'(\w+)="', line)) for line in lines}


def alerts(chart: Any) -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((chart.path / RULES).read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def expressions(board: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]


def run(*command: str, text: str | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@promtool
@needs_promtool
def test_promtool_takes_the_rules(chart):
    assert f"SUCCESS: {len(alerts(chart))} rules found" in run("promtool", "check", "rules", str(chart.path / RULES))


@promtool
@needs_promtool
def test_alerts_fire_when_they_should_and_not_before(chart):
    run("promtool", "test", "rules", str(UNIT_TESTS), cwd=UNIT_TESTS.parent)


def test_each_alert_has_a_test_and_says_what_is_wrong(chart):
    tested = [case["name"] for case in yaml.safe_load(UNIT_TESTS.read_text())["tests"]]
    assert tested == [rule["alert"] for rule in alerts(chart)]
    for rule in alerts(chart):
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description"}


def test_every_metric_of_an_alert_exists(chart):
    known = labels_by_sample()
    for rule in alerts(chart):
        used = METRIC.findall(rule["expr"])
        assert used, rule["alert"]
        assert set(used) <= known.keys(), rule["alert"]
        for label in re.findall(r"\$labels\.(\w+)", str(rule["annotations"])):
            assert label == "instance" or any(label in known[name] for name in used), (rule["alert"], label)


def test_the_prometheus_rule_is_the_rule_file(chart):
    rendered = chart.render({"submgr": {"prometheusRule": {"enabled": True}}})
    spec = rendered["PrometheusRule", "prometheusrule-ricplt-submgr"]["spec"]
    assert spec == yaml.safe_load((chart.path / RULES).read_text())


def test_rules_and_dashboard_follow_the_namespace_of_the_metrics(chart):
    known = labels_by_sample("ran").keys()
    rendered = chart.render("everything")
    spec = rendered["PrometheusRule", "prometheusrule-ricplt-submgr"]["spec"]
    texts = [rule["expr"] for rule in spec["groups"][0]["rules"]]
    board = rendered["ConfigMap", "configmap-ricplt-submgr-dashboard"]["data"]["submgr-dashboard.json"]
    texts += expressions(json.loads(board))
    used = {name for text in texts for name in METRIC.findall(text)}
    assert used <= known
    assert {"ran_SUBMGR_SubReqToE2", "ran_RMR_Dropped", "submgr_e2_subscriptions"} <= used


def test_every_metric_of_the_dashboard_exists_and_every_metric_is_on_it(chart):
    known = labels_by_sample()
    board = json.loads((chart.path / DASHBOARD).read_text())
    used = {name for text in expressions(board) for name in METRIC.findall(text)}
    assert used <= known.keys()
    for text in expressions(board):
        for labels in re.findall(r"by \(([^)]*)\)", text):
            for label in labels.replace(" ", "").split(","):
                metrics = METRIC.findall(text)
                assert label in ("le",) or any(label in known[name] for name in metrics), text
    families = {re.sub("_(bucket|count|sum)$", "", name) for name in known}
    missing = families - {re.sub("_bucket$", "", name) for name in used}
    assert missing == {"process_virtual_memory_bytes"}


def test_the_dashboard_is_one_that_grafana_takes(chart):
    board = json.loads((chart.path / DASHBOARD).read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    variables = {variable["name"] for variable in board["templating"]["list"]}
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for target in panel.get("targets", []):
            used = set(re.findall(r"\$\{?(\w+)", target["expr"] + target["datasource"]["uid"]))
            assert used <= variables | {"__rate_interval"}
    rendered = chart.render({"submgr": {"dashboard": {"enabled": True}}})
    made = rendered["ConfigMap", "configmap-ricplt-submgr-dashboard"]
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(made["data"]["submgr-dashboard.json"]) == board


@promtool
@needs_promtool
def test_prometheus_can_parse_every_expression_of_the_dashboard(chart, tmp_path):
    """As recording rules, since `promtool check` knows no bare expressions."""
    board = json.loads((chart.path / DASHBOARD).read_text())
    rules = [
        {"record": f"panel_{number}", "expr": text.replace("$__rate_interval", "5m").replace("$instance", ".*")}
        for number, text in enumerate(expressions(board))
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert len(rules) > 60
    run("promtool", "check", "rules", "--lint=none", str(file))
