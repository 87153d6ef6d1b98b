# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from prometheus_client import CollectorRegistry

from submgr.adapters.metrics.gauges import watch_nodes, watch_rmr
from submgr.adapters.metrics.go_counters import GoCounters, exposition
from submgr.adapters.metrics.prometheus import Metrics
from submgr.core.controls import Controls
from submgr.core.events import Restored
from submgr.core.model import Content, E2Record, Holder, Removal, RmrEndpoint, RmrHolder
from submgr.core.node import Node
from submgr.core.registry import NotificationQuota, Registry
from submgr.e2ap.messages import Action, ActionType
from submgr.rmr.transport import Stats

ENDPOINT = RmrEndpoint("xapp", 4560)


def node(meid: str, instance_id: int, connected: bool, *removals: Removal) -> Node:
    """With one established subscription of an RMR xApp."""
    content = Content(2, b"\x01", (Action(1, ActionType.REPORT),))
    holder = Holder(RmrHolder(ENDPOINT, 1), ENDPOINT, True)
    record = E2Record(instance_id, meid, 123, 1, content, (ENDPOINT,), (holder,), (ENDPOINT,), admitted=(1,))
    made = Node(meid, Registry(NotificationQuota(lambda: 10)), Controls(), connected)
    made.handle(Restored((record,), (), removals, connected), 0.0)
    return made


def values(registry: CollectorRegistry) -> dict[str, float]:
    """Of the metrics without labels, or whose labels are shown with the name."""
    lines = exposition(registry)[0].decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_the_subscriptions_and_queues_of_all_nodes_are_read_when_somebody_looks() -> None:
    registry = CollectorRegistry()
    nodes: list[Node] = []
    watch_nodes(Metrics(registry), lambda: nodes)
    assert values(registry)["submgr_e2_subscriptions"] == 0
    lost_removal = Removal(9, "gnb_2", 2, (ENDPOINT, RmrEndpoint("other", 4560)), node_delete=True)
    nodes += [node("gnb_1", 1, True), node("gnb_2", 2, False, lost_removal)]
    shown = values(registry)
    assert shown["submgr_e2_subscriptions"] == 2
    assert shown["submgr_lost_node_subscriptions"] == 1
    assert shown["submgr_rest_subscriptions"] == 0
    assert shown["submgr_pending_route_removals"] == 2
    assert shown["submgr_procedures_in_flight"] == 1, "the removal"
    assert {name for name in shown if name.startswith("submgr_node_queue_depth")} == {
        'submgr_node_queue_depth{meid="gnb_1"}',
        'submgr_node_queue_depth{meid="gnb_2"}',
    }


def test_the_counters_of_the_rmr_layer() -> None:
    registry = CollectorRegistry()
    counters = GoCounters()
    registry.register(counters)
    stats = Stats(transmitted=1, transmit_error=2, transmit_retry=3, received=4, enqueued=5)
    stats.receive_error.update(length=6, header=1)
    stats.dropped.update(full=8)
    watch_rmr(counters, lambda: stats)
    shown = values(registry)
    assert {name: shown[name] for name in shown if name.startswith("RMR_") and shown[name]} == {
        "RMR_Transmitted": 1,
        "RMR_TransmitError": 2,
        "RMR_TransmitRetry": 3,
        "RMR_Received": 4,
        "RMR_ReceiveError": 7,
        "RMR_Enqueued": 5,
        "RMR_Dropped": 8,
    }
