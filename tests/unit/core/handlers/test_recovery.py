# SPDX-License-Identifier: Apache-2.0
"""A start: what the records say, and what has to be done about it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.core.playbook import TIME, delete, delete_over_rmr, deleted, post, routed, saved, sent_201
from support.core.records import OLD, A, B, e2_record, held, rest_record, start
from support.core.world import MEID, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.handlers.recovery import by_node
from submgr.core.model import Detail, Holder, Removal, RestHolder, RmrEndpoint, RmrHolder
from submgr.e2ap import messages as m

# --- what was completed


def test_a_completed_one_stays_as_it_was_without_a_word() -> None:
    script, lines = start([e2_record()], [rest_record()])
    assert lines == []
    sub = script.node.subscriptions.e2[1]
    assert sub.record() == e2_record()
    assert script.node.subscriptions.rest["r1"].record() == rest_record()
    assert script.registry.meids == {"r1": MEID}
    assert script.registry.ids.owner(1) == MEID


def test_its_route_is_known_when_it_is_deleted() -> None:
    script, _ = start([e2_record()], [rest_record()])
    script.play(
        (1.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (1.0, saved, ["204", "delete 1"]),
        (1.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (1.2, routed, ["erase e2 1"]),
        (1.3, saved, ["erase rest r1"]),
    )
    assert script.node.idle


def test_a_repeated_request_keeps_its_id_and_is_told_without_traffic() -> None:
    wanted = request(host="service-ricxapp-a-http")
    script, _ = start([e2_record()], [rest_record(digests=(wanted.digest(),))])
    script.posts = 8
    script.play(
        (1.0, post(wanted), ["save rest r1 1=1 ongoing"]),
        (1.0, saved, ["201 r1"]),
        (1.0, sent_201, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
    )


def test_the_next_id_is_one_that_is_free() -> None:
    script, _ = start([e2_record(), e2_record(held("r1", xei=2), instance=2, what=content(b"\x09"))], [rest_record()])
    script.posts = 8
    script.play(
        (1.0, post(request(Detail(1, content(b"\x77")))), ["save rest r9 ongoing"]),
        (1.0, saved, ["201 r9"]),
        (1.0, sent_201, ["save e2 3 uncompleted r9/1?"]),
    )


def test_a_merge_partner_is_found_again() -> None:
    script, _ = start([e2_record()], [rest_record()])
    script.posts = 8
    script.play(
        (1.0, post(request(host="service-ricxapp-b-http")), ["save rest r9 ongoing"]),
        (1.0, saved, ["201 r9"]),
        (1.0, sent_201, ["save e2 1 completed r1/1 r9/1?"]),
    )


def test_completed_but_not_told_is_told_now() -> None:
    script, lines = start([e2_record(held(notified=False))], [rest_record(instances=(), request_ongoing=True)])
    assert lines == ["tell r1/1 = 1", "save rest r1 1=1 (later)"]
    script.play((0.1, e.Notified("r1", 1, 1), ["save e2 1 completed r1/1 (later)"]))
    assert script.registry.quota.total() == 1


def test_not_told_and_partly_admitted() -> None:
    record = e2_record(held(notified=False), not_admitted=(m.NotAdmitted(2, m.Cause(1, 5)),))
    _, lines = start([record], [rest_record()])
    assert lines == ["tell r1/1 = 1 partly"]


def test_one_whose_http_port_is_not_known_is_not_told() -> None:
    script, lines = start([e2_record(held(notified=False))], [rest_record(http_port=None)])
    assert lines == []
    assert list(script.node.subscriptions.e2) == [1]


def test_an_rmr_xapp_is_not_answered_after_a_restart() -> None:
    """Its own timer has run out; when it asks again it is answered."""
    script, lines = start([e2_record(Holder(RmrHolder(OLD, 7), OLD, True, notified=False))], [])
    assert lines == ["save e2 1 completed rmr/7 (later)"]
    script.play(
        (1.0, delete_over_rmr(50, 1), ["save e2 1 uncompleted rmr/7"]),
        (1.0, saved, ["delete 1"]),
        (1.1, deleted(1), ["DELETE route 1 old-rmr"]),
        (1.2, routed, ["erase e2 1"]),
        (1.3, saved, ["rmr answer 50 deleteresponse 7/1"]),
    )
    assert script.node.idle


def test_not_told_and_its_node_is_down_by_now() -> None:
    script, lines = start([e2_record(held(notified=False))], [rest_record()], connected=False)
    assert "tell r1/1 failed: E2Node E2 interface down" in lines
    script.play(
        (0.1, saved, ["DELETE route 1 a-rmr"]),
        (0.2, routed, ["erase e2 1"]),
        (0.3, saved, []),
    )
    assert not any(isinstance(x, c.SendToE2) for x in script.all)
    assert list(script.node.subscriptions.rest) == ["r1"]


# --- the other implementation


def test_its_records_are_held_by_the_rest_records_that_name_them() -> None:
    record = e2_record(holders=None, routes=None, endpoints=(A, B))
    script, lines = start([record], [rest_record(), rest_record("r2", B)])
    assert lines == []
    assert list(script.node.subscriptions.e2[1].holders) == [RestHolder("r1", 1), RestHolder("r2", 1)]
    script.play(
        (1.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (1.0, saved, ["204", "PUT route 1 b-rmr"]),
    )


def test_its_record_without_a_rest_record_is_held_by_its_endpoints() -> None:
    record = e2_record(holders=None, routes=None, endpoints=(OLD,), xapp_requestor_id=7)
    script, lines = start([record], [])
    assert lines == []
    assert list(script.node.subscriptions.e2[1].holders) == [RmrHolder(OLD, 7)]
    assert script.node.subscriptions.e2[1].routes == (OLD,)


def test_its_record_of_an_endpoint_without_a_port_has_no_route() -> None:
    nowhere = RmrEndpoint("service-ricxapp-a-rmr", 0)
    record = e2_record(holders=None, routes=None, endpoints=(nowhere,))
    script, lines = start([record], [rest_record(rmr=nowhere)])
    assert lines == []
    assert script.node.subscriptions.e2[1].wanted_routes == ()


def test_its_uncompleted_record_is_undone_with_all_its_routes() -> None:
    record = e2_record(holders=None, routes=None, admitted=None)
    script, lines = start([record], [])
    assert lines == ["delete 1"]
    script.play((0.1, deleted(1), ["DELETE route 1 a-rmr"]))


# --- the node


def test_a_node_that_is_down_at_the_start_keeps_what_it_has_until_it_is_back() -> None:
    script, lines = start([e2_record()], [rest_record()], connected=False)
    assert lines == []
    lines = script.step(5.0, e.NodeConnected())
    # what it lost while nobody looked is dropped, as the setting says
    assert lines == ["save rest r1 1=1 deleted (later)", "save e2 1 uncompleted r1/1"]


def test_the_same_with_restore() -> None:
    restore = Controls(on_e2_loss=OnE2Loss.RESTORE)
    script, lines = start([e2_record()], [rest_record()], connected=False, controls=restore)
    assert lines == []
    script.play((5.0, e.NodeConnected(), ["save e2 1 completed to restore r1/1 (later)", "subscribe 1"]))


def test_a_restore_that_was_pending_goes_on() -> None:
    restore = Controls(on_e2_loss=OnE2Loss.RESTORE)
    _, lines = start([e2_record(restore_pending=True)], [rest_record()], controls=restore)
    assert lines == ["subscribe 1"]


def test_a_restore_that_was_pending_and_deleted_is_not_done() -> None:
    restore = Controls(on_e2_loss=OnE2Loss.RESTORE)
    _, lines = start([e2_record(restore_pending=True)], [rest_record(delete_ongoing=True)], controls=restore)
    assert lines == ["delete 1"]


# --- removals


@pytest.mark.parametrize("connected", [True, False])
def test_removals_go_on(connected: bool) -> None:
    script, lines = start([], [], [Removal(5, MEID, 2, (A,), node_delete=True)], connected)
    first = "delete 5 again" if connected else "DELETE route 5 a-rmr"
    assert lines == [first]
    assert script.registry.ids.owner(5) == MEID
    if connected:
        script.play((0.1, deleted(5), ["DELETE route 5 a-rmr"]), (0.2, routed, ["erase removal 5"]))
        assert script.node.idle and script.registry.ids.in_use() == 0
    else:
        script.play((0.2, routed, ["save removal 5 delete"]), (9.0, e.NodeConnected(), ["delete 5 again"]))


def test_a_removal_that_never_ends_is_tried_less_and_less() -> None:
    script, lines = start([], [], [Removal(5, MEID, 2, (A,), node_delete=False)])
    assert lines == ["DELETE route 5 a-rmr"]
    waits = []
    for _ in range(8):
        now = script.node.deadline or 0.0
        script.play((now, TIME, []))  # nothing is heard of the Routing Manager
        again = script.node.deadline or 0.0
        waits.append(again - now)
        script.play((again, TIME, ["DELETE route 5 a-rmr"]))
    assert waits == [20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0, 300.0]
    assert script.registry.ids.owner(5) == MEID


def test_records_go_to_their_own_node() -> None:
    other = "gnb_002"
    parts = by_node(
        [e2_record(), replace(e2_record(), meid=other)],
        [rest_record()],
        [Removal(9, "gnb_003", 2, (), True)],
        lambda meid: meid == MEID,
    )
    assert {meid: (len(p.e2), len(p.rest), len(p.removals), p.connected) for meid, p in parts.items()} == {
        MEID: (1, 1, 0, True),
        other: (1, 0, 0, False),
        "gnb_003": (0, 0, 1, False),
    }
