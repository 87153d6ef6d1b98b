# SPDX-License-Identifier: Apache-2.0
"""Queries over the live subscriptions of several E2 nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.core.outside import Outside, report

from submgr import queries
from submgr.queries import Queries


class Bench:
    """Subscriptions at two E2 nodes: instance ids 1 and 3 at gnb_1, 2 at gnb_2; 4 is not answered yet."""

    def __init__(self) -> None:
        self.outside = Outside()
        self.queries = Queries(lambda: [worker.node for worker in self.outside.dispatcher.workers])
        for meid, name, number in (("gnb_1", "a", 1), ("gnb_2", "b", 2), ("gnb_1", "c", 3)):
            self.outside.post(meid, name, report(number))
        self.outside.silent.add("gnb_2")
        self.outside.post("gnb_2", "d", report(4))


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.outside.dispatcher.stop()


def test_what_is_established_is_listed_by_instance_id_over_all_nodes(bench: Bench) -> None:
    assert [(one.instance_id, one.meid) for one in bench.queries.listed()] == [(1, "gnb_1"), (2, "gnb_2"), (3, "gnb_1")]
    assert [record.instance_id for record in bench.queries.e2_subscriptions()] == [1, 2, 3]
    for one, record in zip(bench.queries.listed(), bench.queries.e2_subscriptions(), strict=True):
        assert (tuple(one.holders), one.routes) == (record.holders, record.routes)


def test_very_many_are_found_by_trying_all_instance_ids(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "_MANY", 2)
    assert [one.instance_id for one in bench.queries.listed()] == [1, 2, 3]


def test_one_e2_subscription(bench: Bench) -> None:
    found = bench.queries.e2_subscription(2)
    assert found is not None and found.meid == "gnb_2"
    assert bench.queries.e2_subscription(4) is None, "it is not established"
    assert bench.queries.e2_subscription(5) is None


def test_rest_subscriptions_of_all_of_a_node_and_of_an_xapp(bench: Bench) -> None:
    found = {record.subscription_id: record for record in bench.queries.rest_subscriptions()}
    assert {name: record.request_ongoing for name, record in found.items()} == {
        "a": False, "b": False, "c": False, "d": True,
    }  # fmt: skip
    assert {record.subscription_id for record in bench.queries.rest_subscriptions(meid="gnb_1")} == {"a", "c"}
    assert {record.subscription_id for record in bench.queries.rest_subscriptions(host="xapp-http")} == set("abcd")
    assert not list(bench.queries.rest_subscriptions(host="xapp"))
    assert bench.queries.xapps() == ["xapp-http"]


def test_e2_subscriptions_of_one_rest_subscription(bench: Bench) -> None:
    found = bench.queries.e2_subscriptions_of("c")
    assert found is not None and [record.instance_id for record in found] == [3]
    assert bench.queries.e2_subscriptions_of("never-was") is None


def test_what_ends_while_the_list_is_made_is_not_in_it() -> None:
    """Others have turns in between."""
    bench = Bench()
    listed = bench.queries.listed()
    seen = [next(listed).instance_id]
    (subscriptions,) = (w.node.subscriptions for w in bench.outside.dispatcher.workers if w.meid == "gnb_2")
    subscriptions.ending(subscriptions.e2[2])
    seen += [one.instance_id for one in listed]
    assert seen == [1, 3]
    bench.outside.dispatcher.stop()
