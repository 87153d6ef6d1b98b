# SPDX-License-Identifier: Apache-2.0
"""Subscriptions whose xApp is gone: who is one, since when, and what is deleted."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from submgr.core.commands import Notify
from submgr.core.controls import Controls
from submgr.core.events import Restored
from submgr.core.model import (
    ClientEndpoint,
    Content,
    E2Record,
    Holder,
    HolderKey,
    RestHolder,
    RestRecord,
    RmrEndpoint,
    RmrHolder,
)
from submgr.core.node import Node
from submgr.core.registry import NotificationQuota, Registry
from submgr.e2ap.messages import Action, ActionType
from submgr.orphans import Deliveries, Orphan, Orphans, OrphanSettings, telling_host

RMR_XAPP = RmrHolder(RmrEndpoint("old-rmr", 4560), 7)


class Names:
    """The check of names, without look-ups: `unresolved` since when."""

    def __init__(self) -> None:
        self.checked: list[list[str]] = []
        self.unresolved: dict[str, float] = {}
        self.forgotten = 0

    def check(self, hosts: Iterable[str]) -> None:
        self.checked.append(sorted(hosts))

    def forget(self) -> None:
        self.forgotten += 1

    def for_longer_than(self, seconds: float) -> dict[str, float]:
        return self.unresolved


class World:
    def __init__(self) -> None:
        self.now = 100.0
        self.names = Names()
        self.settings = OrphanSettings(10.0, remove=False)
        self.removed: list[list[Orphan]] = []
        self.deliveries = Deliveries(lambda: self.now)
        self.node = Node("gnb_1", Registry(NotificationQuota(lambda: 100)), Controls(), True)
        self.orphans = Orphans(
            lambda: [self.node],
            self.deliveries,
            self.names,
            lambda: self.settings,
            self.removed.append,
            lambda: self.now,
        )

    def ended(self, subscription_id: str, host: str, delivered: bool, port: int = 8080, answered: bool = False) -> None:
        endpoint = ClientEndpoint(host, port, 4560)
        self.deliveries.ended(Notify(subscription_id, endpoint, 1, 5), delivered, answered)

    def keys(self) -> list[str | int]:
        return [orphan.key for orphan in self.orphans.found()]


def rest(subscription_id: str, host: str, instance_id: int, port: int = 4560) -> RestRecord:
    rmr = ClientEndpoint(host, 8080, port).rmr
    return RestRecord(subscription_id, "", host, 8080, rmr, "gnb_1", ((1, instance_id),), False, False, ())


def e2(instance_id: int, key: HolderKey, endpoint: RmrEndpoint) -> E2Record:
    content = Content(2, bytes([instance_id]), (Action(1, ActionType.REPORT),))
    holder = Holder(key, endpoint, routed=bool(endpoint.port))
    return E2Record(instance_id, "gnb_1", 123, 1, content, (endpoint,), (holder,), (endpoint,), admitted=(1,))


@pytest.fixture
def world() -> World:
    """`a` and `b` over REST, `unrouted` without an RMR port, and an xApp over RMR."""
    made = World()
    records = (rest("id-a", "a-http", 1), rest("id-b", "b-http", 2), rest("id-c", "unrouted-http", 3, 0))
    subs = [e2(r.instances[0][1], RestHolder(r.subscription_id, 1), r.rmr) for r in records]
    subs.append(e2(4, RMR_XAPP, RMR_XAPP.endpoint))
    made.node.handle(Restored(tuple(subs), records, (), True), made.now)
    return made


def test_nobody_is_gone(world: World) -> None:
    world.ended("id-a", "a-http", delivered=True)
    world.orphans.round()
    assert (world.orphans.count(), world.orphans.found(), world.removed) == (0, [], [])


def test_given_up_until_the_endpoint_takes_one(world: World) -> None:
    world.ended("id-a", "a-http", delivered=False)
    world.now += 3
    world.ended("id-a", "a-http", delivered=False)
    (orphan,) = world.orphans.found()
    assert (orphan.key, orphan.meid, orphan.xapp, orphan.age) == ("id-a", "gnb_1", "a-http", 3.0)
    assert "a-http:8080" in orphan.why
    assert world.orphans.count() == 1
    world.ended("another of a", "a-http", delivered=True)
    assert world.keys() == []


def test_given_up_then_delivered_at_another_port(world: World) -> None:
    world.ended("id-a", "a-http", delivered=False)
    world.ended("id-b", "a-http", delivered=True, port=9090)
    assert world.keys() == ["id-a"]
    world.ended("id-a", "a-http", delivered=True, port=9090)
    assert world.keys() == []


def test_what_was_deleted_meanwhile_is_forgotten(world: World) -> None:
    world.ended("was deleted", "a-http", delivered=False)
    world.orphans.round()
    assert world.deliveries.given_up() == {}


def test_names_are_looked_up_once_each_and_only_when_wanted(world: World) -> None:
    world.orphans.round()
    assert world.names.checked == [["a-rmr", "b-rmr", "old-rmr", "unrouted-http"]]
    world.settings = OrphanSettings(0.0, remove=False)
    world.names.unresolved = {"a-rmr": 1.0}
    world.orphans.round()
    assert (len(world.names.checked), world.names.forgotten, world.keys()) == (1, 1, [])


def test_unresolved_names(world: World) -> None:
    world.names.unresolved = {"b-rmr": 50.0, "unrouted-http": 60.0, "old-rmr": 70.0, "nobody": 0.0}
    found = world.orphans.found()
    assert [(orphan.key, orphan.xapp, orphan.age) for orphan in found] == [
        ("id-b", "b-http", 50.0),
        ("id-c", "unrouted-http", 40.0),
        (4, "old-rmr:4560", 30.0),
    ]
    assert all("does not resolve" in orphan.why for orphan in found)
    assert found[2].holder == RMR_XAPP


def test_nothing_is_removed_unless_the_setting_says_so(world: World) -> None:
    world.names.unresolved = {"a-rmr": 0.0}
    world.orphans.round()
    assert (world.keys(), world.removed) == (["id-a"], [])


def test_removed_when_gone_for_long_enough(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.settings = OrphanSettings(10.0, remove=True)
    world.ended("id-b", "b-http", delivered=False)
    world.names.unresolved = {"a-rmr": 89.0, "old-rmr": 89.0}
    world.orphans.round()
    assert [[orphan.key for orphan in some] for some in world.removed] == [["id-a", 4]]
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [(record.getMessage(), vars(record)["xapp"]) for record in warnings] == [
        ("orphan removed", "a-http"),
        ("orphan removed", "old-rmr:4560"),
    ]
    world.now += 10
    world.names.unresolved = {"old-rmr": 89.0}
    world.orphans.round()
    assert [orphan.key for orphan in world.removed[-1]] == ["id-b"], "the RMR xApp's deletion is under way"
    world.now += 51
    world.orphans.round()
    assert 4 in [orphan.key for orphan in world.removed[-1]], "asked for once more"


def test_nothing_is_removed_without_a_time(world: World) -> None:
    """A notification is given up within a minute: an xApp that is restarted must not lose all that it has."""
    world.settings = OrphanSettings(0.0, remove=True)
    world.ended("id-b", "b-http", delivered=False)
    world.now += 100_000
    world.orphans.round()
    assert (world.keys(), world.removed) == (["id-b"], [])


def test_an_xapp_that_refuses_its_notifications_is_there(world: World) -> None:
    """One without a handler for them answers 404, and gets its indications all the same."""
    world.settings = OrphanSettings(10.0, remove=True)
    world.ended("id-b", "b-http", delivered=False, answered=True)
    world.now += 100
    world.orphans.round()
    assert (world.keys(), world.removed) == (["id-b"], []), "listed, not deleted"
    world.ended("id-b", "b-http", delivered=False)
    world.now += 9
    world.orphans.round()
    assert world.removed == [], "it is silent since then only"
    world.now += 1
    world.orphans.round()
    assert [orphan.key for orphan in world.removed[-1]] == ["id-b"]


def test_an_xapp_that_refuses_its_notifications_and_has_no_name_is_gone(world: World) -> None:
    world.settings = OrphanSettings(10.0, remove=True)
    world.ended("id-b", "b-http", delivered=False, answered=True)
    world.names.unresolved = {"b-rmr": 0.0}
    world.now += 10
    world.orphans.round()
    assert [orphan.key for orphan in world.removed[-1]] == ["id-b"]


def test_an_xapp_that_takes_a_notification_while_others_are_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("submgr.orphans.AT_ONCE", 1)
    world.settings = OrphanSettings(10.0, remove=True)
    removed: list[str | int] = []

    def remove(some: list[Orphan]) -> None:
        removed.extend(orphan.key for orphan in some)
        world.ended("id-b", "b-http", delivered=True)

    orphans = Orphans(
        lambda: [world.node], world.deliveries, world.names, lambda: world.settings, remove, lambda: world.now
    )
    world.ended("id-a", "a-http", delivered=False)
    world.now += 1
    world.ended("id-b", "b-http", delivered=False)
    world.now += 20
    orphans.round()
    assert removed == ["id-a"]


def test_a_name_for_rmr_counts_only_where_a_route_is_wanted(world: World) -> None:
    record = e2(5, RestHolder("id-d", 1), RmrEndpoint("d-rmr", 4560))
    assert record.holders is not None
    record = replace(record, holders=(replace(record.holders[0], routed=False),), routes=())
    world.node.handle(Restored((record,), (rest("id-d", "d-http", 5),), (), True), world.now)
    world.orphans.round()
    assert "d-http" in world.names.checked[-1] and "d-rmr" not in world.names.checked[-1]
    world.names.unresolved = {"d-rmr": 0.0}
    assert world.keys() == []


@pytest.mark.parametrize(
    ("endpoint", "routed", "host"),
    [
        (ClientEndpoint("service-ricxapp-x-http.ricxapp", 8080, 4560), True, "service-ricxapp-x-rmr.ricxapp"),
        (ClientEndpoint("service-ricxapp-x-http.ricxapp", 8080, 4560), False, "service-ricxapp-x-http.ricxapp"),
        (ClientEndpoint("service-ricxapp-x-http.ricxapp", 8080, 0), True, "service-ricxapp-x-http.ricxapp"),
        (ClientEndpoint("10.0.2.20", 8092, 4562), True, "10.0.2.20"),
    ],
)
def test_the_name_that_counts(endpoint: ClientEndpoint, routed: bool, host: str) -> None:
    assert telling_host(endpoint, routed) == host
