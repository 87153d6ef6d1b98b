# SPDX-License-Identifier: Apache-2.0
"""What the reconciler finds, what it repairs, and what it leaves alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from submgr.adapters.records.e2 import encode_e2
from submgr.adapters.records.namespaces import E2_NAMESPACE, REMOVAL_NAMESPACE, REST_NAMESPACE
from submgr.adapters.records.removals import encode_removal, removal_key
from submgr.adapters.records.rest import encode_rest
from submgr.adapters.records.store import StoredRecords
from submgr.core.commands import UpdateRoute
from submgr.core.controls import Controls
from submgr.core.errors import RefusedError
from submgr.core.events import Restored, RoutesDiffer
from submgr.core.model import (
    ClientEndpoint,
    Content,
    E2Record,
    Holder,
    Removal,
    RestHolder,
    RestRecord,
    RmrEndpoint,
)
from submgr.core.node import Node
from submgr.core.registry import NotificationQuota, Registry
from submgr.e2ap.messages import Action, ActionType
from submgr.platform.store.base import Change
from submgr.platform.store.memory import MemoryStore
from submgr.reconciler import Difference, Reconciler
from submgr.runtime.ports import Routed

XAPP = ClientEndpoint("service-ricxapp-http.ricxapp", 8080, 4560)
OTHER = RmrEndpoint("other", 4560)


def e2(instance_id: int = 5) -> E2Record:
    content = Content(2, b"\x01", (Action(1, ActionType.REPORT),))
    holder = Holder(RestHolder("sub", 1), XAPP.rmr, True)
    return E2Record(instance_id, "gnb_1", 123, 1, content, (XAPP.rmr,), (holder,), (XAPP.rmr,), admitted=(1,))


def rest() -> RestRecord:
    return RestRecord("sub", "", XAPP.host, 8080, XAPP.rmr, "gnb_1", ((1, 5),), False, False, ())


class Worker:
    def __init__(self, node: Node) -> None:
        self.node = node


class World:
    """A dispatcher with one node, which holds one subscription; it stays as the tests make it."""

    def __init__(self) -> None:
        self.registry = Registry(NotificationQuota(lambda: 10))
        self.node = Node("gnb_1", self.registry, Controls(), True)
        self.node.handle(Restored((e2(),), (rest(),), (), True), 0.0)
        self.store = MemoryStore()
        self.store.start()
        self.records = StoredRecords(self.store)
        self.save(E2_NAMESPACE, "5", encode_e2(e2()))
        self.save(REST_NAMESPACE, "sub", encode_rest(rest()))
        self.now = 100.0
        self.trouble: str | None = None
        self.settled = True
        self.removes = True
        self.counts: Counter[str] = Counter()
        self.known_routes: dict[int, frozenset[RmrEndpoint]] = {5: frozenset({XAPP.rmr})}
        self.deleted: list[tuple[int, RmrEndpoint]] = []
        self.reconciler = Reconciler(
            self,  # type: ignore[arg-type]
            self.records,
            self,
            interval=lambda: 0.0,
            trouble=lambda: self.trouble,
            removes=lambda: self.removes,
            tell=lambda repaired: self.counts.update(each.what for each in repaired),
            clock=lambda: self.now,
        )

    @property
    def workers(self) -> list[Worker]:
        return [Worker(self.node)]

    def post(self, meid: str, event: RoutesDiffer) -> None:
        self.commands = self.node.handle(event, self.now)

    def told(self) -> dict[int, frozenset[RmrEndpoint]]:
        return self.known_routes

    def told_of(self, instance_id: int) -> frozenset[RmrEndpoint] | None:
        return self.known_routes.get(instance_id)

    def delete(self, instance_id: int, endpoint: RmrEndpoint, done: Routed) -> None:
        self.deleted.append((instance_id, endpoint))

    def save(self, namespace: str, key: str, value: bytes) -> None:
        self.store.write(Change(namespace, {key: value}))

    def remove(self, namespace: str, key: str) -> None:
        self.store.write(Change(namespace, remove=frozenset({key})))

    def found(self, repair: bool = False) -> list[tuple[str, str, bool]]:
        return [(each.what, each.key, each.repaired) for each in self.reconciler.look(repair)]


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.store.stop()


def test_what_is_equal_is_no_difference(world: World) -> None:
    assert world.found() == []


@pytest.mark.parametrize(
    ("what", "namespace", "key"), [("e2_record", E2_NAMESPACE, "5"), ("rest_record", REST_NAMESPACE, "sub")]
)
@pytest.mark.parametrize("value", [None, b"{}", b"not JSON"])
def test_a_record_that_lacks_or_differs_is_written_again(
    world: World, what: str, namespace: str, key: str, value: bytes | None
) -> None:
    before = world.store.read(namespace, {key})
    if value is None:
        world.remove(namespace, key)
    else:
        world.save(namespace, key, value)
    assert world.found() == [(what, key, False)]
    assert world.store.read(namespace, {key}) != before
    assert world.found(repair=True) == [(what, key, True)]
    assert world.counts == {what: 1}
    assert world.found(repair=True) == []
    assert world.store.read(namespace, {key}) == before


def test_many_repairs_are_counted_and_not_all_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.known_routes |= {number: frozenset({OTHER}) for number in range(100, 200)}
    assert len(world.found(repair=True)) == 100
    assert world.counts == {"route": 100}
    assert [record.getMessage() for record in caplog.records] == ["reconciled"] * 20 + ["reconciled, and more"]


def test_another_value_is_a_difference(world: World) -> None:
    world.save(E2_NAMESPACE, "5", encode_e2(replace(e2(), admitted=(1, 2))))
    assert world.reconciler.look(False) == [Difference("e2_record", "5", "gnb_1", "different in the database")]


def test_a_record_of_the_go_implementation_is_no_difference(world: World) -> None:
    """It has neither holders nor routes."""
    world.save(E2_NAMESPACE, "5", encode_e2(replace(e2(), holders=None, routes=None)))
    assert world.found() == []


def test_a_removal_of_any_age_is_compared(world: World) -> None:
    removal = Removal(9, "gnb_1", 2, (OTHER,), node_delete=False, since=1.0)
    world.node.removals.restore(removal)
    assert world.found() == [("removal_record", "9:gnb_1", False)]
    world.save(REMOVAL_NAMESPACE, removal_key("gnb_1", 9), encode_removal(replace(removal, since=5000.0)))
    assert world.found() == []


def test_a_record_that_nobody_knows_is_removed_at_the_second_look(world: World) -> None:
    world.save(E2_NAMESPACE, "77", encode_e2(e2(77)))
    world.save(REST_NAMESPACE, "unknown", encode_rest(rest()))
    unknown = [("e2_record", "77"), ("rest_record", "unknown")]
    assert world.found(repair=True) == [(*each, False) for each in unknown]
    world.now += 60
    assert world.found() == [(*each, False) for each in unknown]
    world.removes = False
    assert world.found(repair=True) == [(*each, False) for each in unknown]
    world.removes = True
    assert world.found(repair=True) == [(*each, True) for each in unknown]
    assert world.found() == []
    assert world.store.keys(E2_NAMESPACE) == {"5"}


def test_a_record_whose_id_is_in_use_is_left_alone(world: World) -> None:
    """Its subscription is gone, its erasure is still being waited for."""
    world.registry.ids.claim(77, "gnb_1")
    world.save(E2_NAMESPACE, "77", encode_e2(e2(77)))
    assert world.found() == []


def test_a_record_that_cannot_be_read_is_left_alone(world: World) -> None:
    world.save(E2_NAMESPACE, "78", b"not JSON")
    world.save(E2_NAMESPACE, "x", b"{}")
    assert world.found() == []


def test_what_is_being_worked_on_is_left_alone(world: World) -> None:
    world.remove(E2_NAMESPACE, "5")
    world.node.handle(RoutesDiffer(5, (OTHER,)), 0.0)
    assert world.found() == []


def test_routes_that_differ_are_told_anew(world: World) -> None:
    world.known_routes = {5: frozenset({XAPP.rmr, OTHER})}
    (difference,) = world.reconciler.look(True)
    assert (difference.what, difference.key, difference.repaired) == ("route", "5", True)
    assert difference.why == f"the Routing Manager was told {OTHER}, {XAPP.rmr}, it should have {XAPP.rmr}"
    assert [type(command) for command in world.commands] == [UpdateRoute]
    assert world.found() == []  # under way


def test_a_route_of_nobody_is_removed(world: World) -> None:
    world.known_routes |= {99: frozenset({OTHER})}
    assert world.found() == [("route", "99", False)]
    assert world.deleted == []
    assert world.found(repair=True) == [("route", "99", True)]
    assert world.deleted == [(99, OTHER)]


def test_nothing_is_compared_after_the_database_was_emptied_by_hand(world: World) -> None:
    world.records.empty()
    with pytest.raises(RefusedError, match="by hand"):
        world.found(repair=True)
    assert world.store.read_all(E2_NAMESPACE) == {}


def test_nothing_is_compared_while_it_would_be_wrong(world: World) -> None:
    world.trouble = "the database has lost writes"
    with pytest.raises(RefusedError, match="lost writes"):
        world.found()
    world.trouble = None
    world.settled = False
    with pytest.raises(RefusedError, match="started anew"):
        world.found()
