# SPDX-License-Identifier: Apache-2.0
"""The start: all that is stored is live before anybody is let in, and what comes meanwhile is not lost."""

from __future__ import annotations

import gevent
import pytest
from msgspec.structs import replace
from support.core.outside import Outside, report, turns

from submgr.core import events as e
from submgr.core.handlers.recovery import by_node
from submgr.core.model import Detail
from submgr.platform.turns import turn

NODES = ("gnb_1", "gnb_2", "gnb_3")
EACH = 120


def detail(number: int) -> Detail:
    return Detail(1, replace(report(1).content, event_trigger=number.to_bytes(2, "big")))


def stored() -> dict[str, e.Restored]:
    """What an earlier run left behind: many subscriptions of several nodes."""
    before = Outside()
    before.registry.quota.reserve = lambda group, n: True  # type: ignore[method-assign]
    for number in range(EACH):
        for meid in NODES:
            before.post(meid, f"{meid}-{number}", detail(number))
    parts = by_node(before.e2.values(), before.rest.values(), (), lambda meid: True)
    before.dispatcher.stop()
    return parts


@pytest.fixture(scope="module")
def parts() -> dict[str, e.Restored]:
    return stored()


def test_all_is_there_when_it_returns(parts: dict[str, e.Restored]) -> None:
    outside = Outside()
    outside.dispatcher.restore(parts)
    for meid in NODES:
        node = outside.dispatcher.node(meid)
        assert node is not None and len(node.subscriptions.e2) == EACH and len(node.subscriptions.rest) == EACH
    assert outside.registry.ids.in_use() == EACH * len(NODES)
    outside.dispatcher.stop()


def test_what_is_told_of_a_node_meanwhile_comes_after_its_records(parts: dict[str, e.Restored]) -> None:
    outside = Outside()
    start = gevent.spawn(outside.dispatcher.restore, parts)
    turn()
    outside.dispatcher.connection_changed(NODES[-1], False, "reset")
    start.get(timeout=10)
    turns()
    lost = outside.dispatcher.node(NODES[-1])
    assert lost is None or not lost.subs
    assert outside.registry.ids.in_use() == EACH * (len(NODES) - 1)
    outside.dispatcher.stop()


def test_a_bug_in_one_nodes_restore_does_not_hold_up_the_start(parts: dict[str, e.Restored]) -> None:
    outside = Outside()
    outside.e2 = {record.instance_id: record for record in parts["gnb_1"].e2}
    outside.rest = {record.subscription_id: record for record in parts["gnb_1"].rest}
    with gevent.Timeout(10):
        outside.dispatcher.restore({**parts, "gnb_1": e.Restored((), (None,), (), True)})  # type: ignore[arg-type]
    turns()
    assert outside.crashes == 1
    assert {
        meid for meid in NODES if (node := outside.dispatcher.node(meid)) and len(node.subscriptions.e2) == EACH
    } == set(NODES)
    outside.dispatcher.stop()
