# SPDX-License-Identifier: Apache-2.0
"""A Subscriptions that behaves, and request bodies."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from submgr.adapters.journal.journal import Journal
from submgr.adapters.journal.node_states import NodeStates
from submgr.adapters.journal.observer import JournalObserver
from submgr.adapters.journal.outcomes import Outcomes
from submgr.adapters.journal.tallies import Tallies
from submgr.adapters.observers import Observers
from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.adapters.rnib.connection_state import LocalNodeState
from submgr.adapters.rnib.ran_functions import RanFunction
from submgr.backup import Imported
from submgr.core.errors import RefusedError
from submgr.core.model import E2Record, Listed, RestRecord, SubscribeRequest
from submgr.core.node import Node
from submgr.orphans import Orphan
from submgr.overview.overview import Overview
from submgr.overview.values import Neighbour, Status
from submgr.reconciler import Difference
from submgr.rest.platform import platform_app
from submgr.rest.use_cases import DebugWrite, HealthReport, Looks, Operations
from submgr.rest.xapp import xapp_app
from submgr.rmr.routing.table import RouteTable
from submgr.service import Accepted


class FakeSubscriptions:
    """Accepts everything, or refuses with `refuse_with`; `calls` is what was asked for, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.refuse_with: Exception | None = None
        self.e2: list[E2Record] = []
        self.rest: list[RestRecord] = []
        self.of: dict[str, list[E2Record]] = {}
        self.nodes: list[str] = []
        self.owners: dict[str, str] = {}

    def subscribe(self, request: SubscribeRequest) -> Accepted:
        self.calls.append(("subscribe", request))
        if self.refuse_with is not None:
            raise self.refuse_with
        return Accepted("2ab-id", lambda: self.calls.append(("start", "2ab-id")))

    def unsubscribe(self, subscription_id: str, owner: str | None = None) -> None:
        if self.refuse_with is not None:
            raise self.refuse_with
        self.calls.append(("unsubscribe", subscription_id if owner is None else (owner, subscription_id)))

    def owns(self, owner: str, subscription_id: str) -> bool:
        return self.owners.get(subscription_id) == owner

    def e2_subscriptions(self) -> list[E2Record]:
        return sorted(self.e2, key=lambda record: record.instance_id)

    def listed(self) -> list[Listed]:
        return [Listed(r.instance_id, r.meid, r.holders or (), r.routes or ()) for r in self.e2_subscriptions()]

    def e2_subscription(self, instance_id: int) -> E2Record | None:
        return next((record for record in self.e2 if record.instance_id == instance_id), None)

    def rest_subscriptions(self, meid: str | None = None, host: str | None = None) -> list[RestRecord]:
        return [each for each in self.rest if meid in (None, each.meid) and host in (None, each.host)]

    def xapps(self) -> list[str]:
        return sorted({record.host for record in self.rest})

    def e2_subscriptions_of(self, subscription_id: str) -> list[E2Record] | None:
        return self.of.get(subscription_id)

    def connected_nodes(self) -> list[str]:
        return list(self.nodes)

    def delete_subscription(self, subscription_id: str) -> bool:
        self.calls.append(("delete", subscription_id))
        return subscription_id in self.of

    def delete_node_subscriptions(self, meid: str) -> bool:
        self.calls.append(("delete_node", meid))
        return meid in self.nodes

    def delete_xapp_subscriptions(self, host: str) -> bool:
        self.calls.append(("delete_xapp", host))
        return any(record.host == host for record in self.rest)

    def remove_record(self, instance_id: int) -> bool:
        self.calls.append(("remove_record", instance_id))
        return any(record.instance_id == instance_id for record in self.e2)

    def empty_database(self) -> None:
        self.calls.append(("empty_database", None))

    def restart(self) -> None:
        self.calls.append(("restart", None))


class FakeOperations:
    """What the platform API shows, changeable between requests."""

    def __init__(self) -> None:
        self.alive = HealthReport(True)
        self.ready = HealthReport(True)
        self.debug_write = DebugWrite("open")
        self.orphans: list[Orphan] = []
        self.differences: list[Difference] = []
        self.imported: tuple[bytes, bool, bool] | None = None
        self.fail: Exception | None = None
        self.functions: dict[str, tuple[RanFunction, ...]] = {}

    def config(self) -> dict[str, object]:
        if self.fail is not None:
            raise self.fail
        return {"controls": {"ricRequestorId": 123}, "debug": {"token": "***"}}

    def reconcile(self, repair: bool) -> list[Difference]:
        return [replace(each, repaired=repair) for each in self.differences]

    def import_(self, body: bytes, dry_run: bool, skip_unreadable: bool) -> Imported:
        self.imported = (body, dry_run, skip_unreadable)
        return Imported(Counter(e2_record=2), skipped=1)

    def operations(self) -> Operations:
        return Operations(
            alive=lambda: self.alive,
            ready=lambda: self.ready,
            metrics=lambda: (b"SubReqToE2 4\n", "text/plain; version=0.0.4; charset=utf-8"),
            config=self.config,
            recent_log=lambda: ["first line", "last line"],
            debug_write=lambda: self.debug_write,
            record_json=lambda record: {"ReqId": {"InstanceId": record.instance_id}},
            orphans=lambda: list(self.orphans),
            reconcile=self.reconcile,
            export=lambda: iter([b"{}\n", b"{}\n"]),
            import_=self.import_,
            functions=lambda name: self.functions.get(name, ()),
            knows_node=lambda name: name in self.functions,
        )


class LookedAt:
    """A journal, and an overview of the nodes in `nodes`."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.nodes: list[Node] = []
        self.table: RouteTable | None = None
        self.local = LocalNodeState()
        self.journal = Journal(lambda: self.now)
        self.outcomes = Outcomes()
        self.tallies = Tallies(lambda: self.now)
        self.node_states = NodeStates(self.journal, lambda: self.now)
        self.local.on_change(self.node_states.changed)
        self.observer = JournalObserver(self.journal, self.outcomes, self.tallies, lambda: self.now)
        self.observers = Observers(self.observer)
        well = Neighbour("memory", True, "all is well")
        self.status = Status(
            "submgr-0", "1.2.3", self.now, True, (), True, well, 1, 2, 3.0, (well,), longest_stall=0.0042, memory=5000
        )

    def looks(self) -> Looks:
        connected = ConnectedNodes(self.local, lambda: True)
        overview = Overview(
            lambda: self.nodes,
            self.outcomes,
            self.tallies,
            self.node_states,
            connected,
            lambda _: 7,
            lambda: self.observers.changes,
            lambda: self.now,
        )
        return Looks(self.journal, overview, lambda: self.status, lambda: self.table)


@pytest.fixture
def subscriptions() -> FakeSubscriptions:
    return FakeSubscriptions()


@pytest.fixture
def counts() -> Counter[str]:
    return Counter()


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations()


@pytest.fixture
def xapp(subscriptions: FakeSubscriptions, counts: Counter[str]) -> FlaskClient:
    return xapp_app(subscriptions, lambda name: counts.update([name]), lambda: counts.update(["bugs"])).test_client()


@pytest.fixture
def looked_at() -> LookedAt:
    return LookedAt()


@pytest.fixture
def platform(
    subscriptions: FakeSubscriptions, operations: FakeOperations, looked_at: LookedAt, counts: Counter[str]
) -> FlaskClient:
    looks, bugs = looked_at.looks(), lambda: counts.update(["bugs"])
    return platform_app(subscriptions, operations.operations(), looks, bugs).test_client()


@pytest.fixture
def body() -> dict[str, Any]:
    """A request with everything that is optional, in canonical spelling."""
    return {
        "SubscriptionId": "2ab",
        "ClientEndpoint": {"Host": "service-ricxapp-a-http.ricxapp", "HTTPPort": 8080, "RMRPort": 4560},
        "Meid": "gnb_001_001_000001",
        "RANFunctionID": 2,
        "E2SubscriptionDirectives": {"E2TimeoutTimerValue": 3, "E2RetryCount": 1, "RMRRoutingNeeded": True},
        "SubscriptionDetails": [
            {
                "XappEventInstanceId": 12345,
                "EventTriggers": [1, 2, 3, 4],
                "ActionToBeSetupList": [
                    {
                        "ActionID": 1,
                        "ActionType": "report",
                        "ActionDefinition": [5, 6, 7, 8],
                        "SubsequentAction": {"SubsequentActionType": "continue", "TimeToWait": "w10ms"},
                    },
                    {"ActionID": 2, "ActionType": "report"},
                ],
            }
        ],
    }


@pytest.fixture
def unavailable() -> RefusedError:
    return RefusedError(503, "too many notifications wait", retry_after=5)
