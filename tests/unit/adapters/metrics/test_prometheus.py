# SPDX-License-Identifier: Apache-2.0

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from support.adapters.metrics import busy, text_of

from submgr.adapters.metrics.go_counters import GoCounters
from submgr.adapters.metrics.prometheus import GAUGES, Metrics


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_modern_values(registry):
    busy(registry)
    text = text_of(registry)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    samples = {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families.values() for s in f.samples}
    assert samples["submgr_e2_subscriptions", ()] == 17
    assert samples["submgr_rest_subscriptions", ()] == 0
    assert samples["submgr_node_queue_depth", (("meid", 'gnb "1"\n'),)] == 4
    assert samples["submgr_unconfirmed_deletes", ()] == 1
    assert samples["submgr_notifications_given_up_total", ()] == 1
    assert samples["submgr_notification_age_seconds_count", (("outcome", "given_up"),)] == 1
    assert samples["submgr_procedure_duration_seconds_sum", (("kind", "subscribe"), ("outcome", "success"))] == 0.02
    assert samples["submgr_sdl_duration_seconds_count", (("operation", "set"),)] == 1
    assert samples["submgr_rtmgr_duration_seconds_count", (("method", "POST"),)] == 1
    assert samples["submgr_ignored_messages_total", (("kind", "unknown_instance"),)] == 1
    build = dict(next(labels for name, labels in samples if name == "submgr_build_info"))
    assert build["version"]
    assert all(name.startswith("submgr_") for name in families)
    for name in GAUGES:
        assert (name, ()) in samples


def test_gauges_are_read_when_somebody_looks_and_only_known_ones(registry):
    metrics = Metrics(registry)
    count = [1]
    metrics.read_from("submgr_pending_route_removals", lambda: count[0])
    count[0] = 9
    assert "submgr_pending_route_removals 9" in text_of(registry)
    with pytest.raises(KeyError):
        metrics.read_from("submgr_nothing", lambda: 0)


def test_both_kinds_stand_in_one_answer(registry):
    registry.register(GoCounters())
    busy(registry)
    text = text_of(registry)
    assert text.count("# TYPE ") == len({line for line in text.splitlines() if line.startswith("# TYPE ")})
    assert "SUBMGR_SubReqToE2 0\n" in text
    assert "submgr_e2_subscriptions 17" in text
