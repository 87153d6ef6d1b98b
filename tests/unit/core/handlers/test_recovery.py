# SPDX-License-Identifier: Apache-2.0
"""A start: what the records say, and what has to be done about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.core.playbook import TIME, Script, delete, delete_over_rmr, deleted, post, routed, saved, sent_201
from support.core.world import MEID, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.handlers.recovery import by_node
from submgr.core.model import Detail, E2Record, Holder, Removal, RestHolder, RestRecord, RmrEndpoint, RmrHolder
from submgr.e2ap import messages as m
from submgr.e2ap.messages import ActionType

A = RmrEndpoint("service-ricxapp-a-rmr", 4560)
B = RmrEndpoint("service-ricxapp-b-rmr", 4560)
OLD = RmrEndpoint("service-ricxapp-old-rmr", 4560)
CREATED = "2026-01-01 00:00:00.000"


def rest_record(name: str = "r1", endpoint: RmrEndpoint = A, **more: object) -> RestRecord:
    host = endpoint.address.replace("rmr", "http")
    record = RestRecord(name, CREATED, host, 8080, endpoint, MEID, ((1, 1),), False, False, (f"digest of {name}",))
    return replace(record, **more)  # type: ignore[arg-type]


def held(name: str = "r1", endpoint: RmrEndpoint = A, xei: int = 1, **more: object) -> Holder:
    return replace(Holder(RestHolder(name, xei), endpoint, routed=True), **more)  # type: ignore[arg-type]


def e2_record(*holders: Holder, instance: int = 1, what=None, **more: object) -> E2Record:
    holders = holders or (held(),)
    endpoints = tuple(dict.fromkeys(h.endpoint for h in holders))
    routes = tuple(h.endpoint for h in holders if h.routed)
    record = E2Record(instance, MEID, 123, 1, what or content(), endpoints, holders, routes, (1,))
    return replace(record, **more)  # type: ignore[arg-type]


def start(
    e2: list[E2Record],
    rest: list[RestRecord],
    removals: list[Removal] | None = None,
    connected: bool = True,
    controls: Controls | None = None,
    spared: frozenset[str] = frozenset(),
) -> tuple[Script, list[str]]:
    script = Script(controls, connected)
    restored = e.Restored(tuple(e2), tuple(rest), tuple(removals or ()), connected, spared)
    return script, script.step(0.0, restored)


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


# --- what was not


def test_an_uncompleted_one_is_undone_silently() -> None:
    record = e2_record(held(notified=False), admitted=None, routes=())
    script, lines = start([record], [rest_record(instances=(), request_ongoing=True)])
    assert "delete 1" in lines and not any(line.startswith("tell") for line in lines)
    script.play(
        # the route may have been made although the record does not say so
        (0.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (0.2, routed, ["erase e2 1"]),
        (0.3, saved, []),
    )
    assert list(script.node.subscriptions.rest) == ["r1"] and not script.node.subscriptions.rest["r1"].ongoing
    assert not any(isinstance(x, c.Notify) for x in script.all)


def test_an_uncompleted_one_of_a_node_that_is_down() -> None:
    record = e2_record(held(notified=False), admitted=None)
    script, lines = start([record], [rest_record()], connected=False)
    assert "DELETE route 1 a-rmr" in lines and "delete 1" not in lines
    script.play((0.1, routed, ["erase e2 1"]), (0.2, saved, []))


def test_an_update_that_was_cut_never_deletes_its_policy() -> None:
    record = e2_record(what=content(kind=ActionType.POLICY), policy_update=True)
    script, lines = start([record], [rest_record()])
    assert lines == []
    assert script.node.subscriptions.e2[1].policy_update


def test_an_update_cut_in_the_other_implementation_whose_record_lost_its_answer() -> None:
    record = e2_record(what=content(kind=ActionType.POLICY), policy_update=True, admitted=None, holders=None)
    script, lines = start([record], [rest_record()])
    assert "delete 1" not in lines
    assert script.node.subscriptions.e2[1].admitted == ()


def test_an_accepted_delete_goes_on() -> None:
    script, lines = start([e2_record()], [rest_record(delete_ongoing=True)])
    assert lines == ["delete 1"]
    script.play(
        (0.1, post(subscription_id="r1"), ["404"]),
        (0.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (0.3, routed, ["erase e2 1"]),
        (0.4, saved, ["erase rest r1"]),
    )
    assert script.node.idle and script.registry.meids == {}


def test_an_accepted_delete_of_which_nothing_else_is_left() -> None:
    script, lines = start([], [rest_record(instances=(), delete_ongoing=True)])
    assert lines == ["erase rest r1"]
    assert script.node.idle


def test_an_accepted_delete_of_one_of_two_holders() -> None:
    records = [rest_record("r1", delete_ongoing=True), rest_record("r2", B)]
    script, lines = start([e2_record(held("r1"), held("r2", B))], records)
    assert lines == ["PUT route 1 b-rmr"]
    script.play((0.1, routed, ["save e2 1 completed r2/1 (later)", "erase rest r1"]))


def test_a_record_whose_rest_subscription_is_gone_is_undone() -> None:
    """The end came between the two namespaces."""
    script, lines = start([e2_record()], [])
    assert lines == ["delete 1"]
    script.play(
        (0.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (0.2, routed, ["erase e2 1"]),
        (0.3, saved, []),
    )
    assert script.node.idle


def test_a_record_one_of_whose_holders_is_gone_loses_it() -> None:
    script, lines = start([e2_record(held("gone", B), held("r1"))], [rest_record()])
    assert lines == ["save e2 1 completed r1/1 (later)", "PUT route 1 a-rmr"]
    script.play((0.1, routed, ["save e2 1 completed r1/1 (later)"]))


def test_a_record_whose_rest_record_cannot_be_read_is_kept() -> None:
    script, lines = start([e2_record()], [], spared=frozenset({"r1"}))
    assert lines == []
    assert list(script.node.subscriptions.e2) == [1]


def test_the_map_of_a_rest_record_is_rebuilt_from_the_e2_records() -> None:
    records = [e2_record(), e2_record(held("r1", xei=5), instance=7, what=content(b"\x09"))]
    script, lines = start(records, [rest_record(instances=((9, 9),), request_ongoing=True)])
    assert lines == ["save rest r1 1=1 5=7 (later)"]
    assert script.node.subscriptions.rest["r1"].instances == {1: 1, 5: 7}


# --- routes


def test_a_route_that_was_not_made_or_removed_before_the_end_is_set_right() -> None:
    records = [e2_record(held("r1"), held("r2", B), routes=(A,))]
    _, lines = start(records, [rest_record(), rest_record("r2", B)])
    assert lines == ["PUT route 1 a-rmr b-rmr"]


def test_a_route_that_nobody_wants_any_more() -> None:
    _, lines = start([e2_record(held(routed=False), routes=(A,))], [rest_record()])
    assert lines == ["DELETE route 1 a-rmr"]


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
