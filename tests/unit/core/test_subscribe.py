# SPDX-License-Identifier: Apache-2.0
"""Subscribe procedure: save, route, ask, save, tell; and how each step can fail."""

from __future__ import annotations

import pytest
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    admitted_partly,
    delete_refused,
    deleted,
    post,
    refused,
    route_failed,
    routed,
    save_failed,
    save_unknown,
    saved,
    sent_201,
    unencodable,
)
from support.core.world import MEID, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.model import Detail, Directives
from submgr.e2ap import messages as m

TIMEOUT = "SUBMGR E2-Timeout E2 RICSubscriptionResponse timeout"


def asked(script: Script | None = None, wanted=None) -> Script:
    """Up to the request to the E2 node, at 0 s."""
    script = script or Script()
    script.play(
        (0.0, post(wanted), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (0.0, routed, ["subscribe 1"]),
    )
    return script


def undone(script: Script, when: float) -> None:
    """Nothing is left of the E2 subscription; its id is free, the REST subscription remains."""
    node = script.node
    assert not node.subscriptions.e2 and not node.removals.pinned and not len(node.removals) and not node.queue_depth, (
        when
    )
    assert script.registry.ids.in_use() == 0
    assert list(node.subscriptions.rest) == ["r1"]
    assert not node.subscriptions.rest["r1"].ongoing


def test_success() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.1, saved, ["201 r1"]),
        (0.2, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.3, saved, ["POST route 1 a-rmr"]),
        (0.4, routed, ["subscribe 1"]),
        (0.5, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.6, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
        (0.7, e.Notified("r1", 1, 1), ["save e2 1 completed r1/1 (later)"]),
    )
    assert script.finished() == [("subscribe", "success")]
    assert script.node.deadline is None


def test_what_is_sent() -> None:
    script = asked(Script(Controls(requestor_id=77)))
    assert script.last_send.message == m.SubscriptionRequest(
        m.RequestId(77, 1), 2, content().event_trigger, content().actions
    )


def test_the_record_is_written_before_the_request_leaves() -> None:
    script = Script()
    script.subscribed()
    kinds = [type(command) for command in script.all]
    assert kinds.index(c.SaveE2) < kinds.index(c.CreateRoute) < kinds.index(c.SendToE2)
    written = next(x for x in script.all if isinstance(x, c.SaveE2)).record
    assert written.admitted is None and written.meid == MEID and written.content == content()


@pytest.mark.parametrize(
    "wanted",
    [
        request(directives=Directives(routing=False)),
        request(directives=Directives(routing=False), rmr_port=0),
    ],
    ids=["not wanted", "no RMR port"],
)
def test_without_a_route(wanted) -> None:
    script = Script()
    script.play(
        (0.0, post(wanted), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["subscribe 1"]),
        (0.0, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.0, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
        (1.0, e.Unsubscribe(9, "r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (1.0, saved, ["204", "delete 1"]),
        (1.0, deleted(1), ["erase e2 1"]),
        (1.0, saved, ["erase rest r1"]),
    )
    assert script.node.idle


def test_partial_admission_is_a_success() -> None:
    script = asked()
    script.play(
        (0.1, admitted_partly(1), ["save e2 1 completed r1/1?"]),
        (0.1, saved, ["tell r1/1 = 1 partly", "save rest r1 1=1 (later)"]),
    )
    assert script.finished() == [("subscribe", "partial")]
    assert script.noted() == ["partial admission"]


# --- the node refuses, or is silent


def test_refused() -> None:
    script = asked()
    cause = "E2Node RICSubscriptionFailure. E2NodeCause: "
    (line, *rest) = script.step(0.1, refused(1))
    assert line.startswith(f"tell r1/1 failed: {cause}") and len(line) > len(f"tell r1/1 failed: {cause}")
    assert rest == ["save rest r1 (later)", "DELETE route 1 a-rmr"]
    script.play((0.2, routed, ["erase e2 1"]), (0.3, saved, []))
    undone(script, 0.3)
    assert script.finished() == [("subscribe", "refused"), ("undo", "success")]


def test_a_refusal_of_a_resend_is_undone_at_the_node() -> None:
    """The first send may have been taken and only its answer lost."""
    script = asked()
    script.play((2.0, TIME, ["subscribe 1 again"]))
    (line, *rest) = script.step(2.1, refused(1))
    assert line.startswith("tell r1/1 failed: E2Node RICSubscriptionFailure.")
    assert rest == ["save rest r1 (later)", "delete 1"]
    script.play(
        (2.2, delete_refused(1), ["DELETE route 1 a-rmr"]),
        (2.3, routed, ["erase e2 1"]),
        (2.4, saved, []),
    )
    undone(script, 2.4)


def test_the_second_send_is_answered() -> None:
    script = asked()
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (2.1, admitted(1), ["save e2 1 completed r1/1?"]),
        (2.2, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
    )
    assert script.noted() == ["subscribe timer expired"]


def test_silence_is_told_at_once_and_then_undone() -> None:
    script = asked()
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (4.0, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]),
        (6.0, TIME, ["delete 1 again"]),
        (6.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (6.2, routed, ["erase e2 1"]),
        (6.3, saved, []),
    )
    undone(script, 6.3)
    assert script.finished() == [("subscribe", "timeout"), ("undo", "success")]
    assert script.noted() == ["subscribe timer expired"] * 2 + ["delete timer expired"]


def test_no_answer_at_all() -> None:
    """The delete is not answered either: what is left is written down, and the id is not to be trusted."""
    script = asked()
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (4.0, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]),
        (6.0, TIME, ["delete 1 again"]),
        (8.0, TIME, ["DELETE route 1 a-rmr"]),
        (8.1, routed, ["save removal 1 delete"]),
        (8.2, saved, ["erase e2 1"]),
        (8.3, saved, []),
    )
    assert "delete never answered" in script.noted()
    assert [script.registry.ids.allocate(MEID) for _ in range(3)] == [2, 3, 4]


def test_the_late_answer_is_not_taken_for_the_answer_to_the_delete() -> None:
    script = asked()
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (4.0, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]),
        (4.1, admitted(1), []),
        (4.1, refused(1), []),
        (4.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (4.3, admitted(1), ["ignored: unexpected"]),
        (4.4, routed, ["erase e2 1"]),
        (4.5, saved, []),
        (4.6, admitted(1), ["ignored: unknown_instance"]),
    )
    undone(script, 4.6)


def test_directives_give_the_timer_and_the_number_of_sends() -> None:
    script = asked(wanted=request(directives=Directives(1.5, 3, True)))
    script.play(
        (1.5, TIME, ["subscribe 1 again"]),
        (3.0, TIME, ["subscribe 1 again"]),
        (4.5, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]),
    )


def test_a_directive_that_is_absent_is_the_configured_one() -> None:
    script = asked(Script(Controls(0.5, 3)), request(directives=Directives(None, 1, True)))
    script.play((0.5, TIME, [f"tell r1/1 failed: {TIMEOUT}", "save rest r1 (later)", "delete 1"]))


def test_a_send_that_did_not_leave_counts_and_is_named() -> None:
    """With no send on its way the node cannot have it: there is nothing to delete."""
    script = asked()
    reason = "no RMR route for 12010"
    script.play(
        (0.0, e.NotSent(1, reason), []),
        (2.0, TIME, ["subscribe 1 again"]),
        (2.0, e.NotSent(1, reason), []),
        (
            4.0,
            TIME,
            [f"tell r1/1 failed: {TIMEOUT} (not sent: {reason})", "save rest r1 (later)", "DELETE route 1 a-rmr"],
        ),
    )


def test_one_send_that_left_is_undone_at_the_node() -> None:
    script = asked()
    script.play((2.0, TIME, ["subscribe 1 again"]), (2.0, e.NotSent(1, "no connection"), []))
    assert script.step(4.0, TIME)[-1] == "delete 1"


@pytest.mark.parametrize(("sends", "last"), [(1, "DELETE route 1 a-rmr"), (2, "delete 1")])
def test_a_request_that_cannot_be_encoded(sends: int, last: str) -> None:
    script = asked()
    for n in range(1, sends):
        script.step(2.0 * n, TIME)
    lines = script.step(2.0 * sends - 1.0, unencodable)
    assert lines == ["tell r1/1 failed: ASN1 17 actions, at most 16", "save rest r1 (later)", last]
    assert script.finished() == [("subscribe", "asn1")]


def test_an_answer_that_cannot_be_decoded_is_the_reason_if_no_other_comes() -> None:
    script = asked()
    script.play(
        (0.1, e.Undecodable(1, "ProtocolIE-ID 99 is no IE of this message"), ["ignored: undecodable"]),
        (2.0, TIME, ["subscribe 1 again"]),
        (
            4.0,
            TIME,
            [
                "tell r1/1 failed: ASN1 ProtocolIE-ID 99 is no IE of this message",
                "save rest r1 (later)",
                "delete 1",
            ],
        ),
    )


def test_an_answer_that_cannot_be_decoded_spoils_nothing_if_another_comes() -> None:
    script = asked()
    script.play(
        (0.1, e.Undecodable(0, "garbage"), ["ignored: undecodable"]),
        (0.2, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.3, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
    )


@pytest.mark.parametrize("answer", [deleted(1), delete_refused(1)], ids=lambda a: type(a).__name__)
def test_answers_to_another_question_are_ignored(answer: e.Event) -> None:
    script = asked()
    script.play((0.1, answer, ["ignored: unexpected"]), (0.2, admitted(1), ["save e2 1 completed r1/1?"]))


@pytest.mark.parametrize("answer", [admitted(9), refused(9), deleted(9), delete_refused(9)], ids=repr)
def test_answers_to_an_unknown_instance_are_ignored(answer: e.Event) -> None:
    script = asked()
    script.play((0.1, answer, ["ignored: unknown_instance"]), (0.2, admitted(1), ["save e2 1 completed r1/1?"]))


@pytest.mark.parametrize("answer", [admitted(1), refused(1), deleted(1), delete_refused(1)], ids=repr)
def test_answers_that_nobody_waits_for_are_ignored(answer: e.Event) -> None:
    script = Script()
    script.subscribed()
    script.play((1.0, answer, ["ignored: unexpected"]))
    assert list(script.node.subscriptions.e2) == [1]


def test_a_duplicate_answer_is_ignored() -> None:
    script = asked()
    script.play(
        (0.1, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.1, admitted(1), ["ignored: unexpected"]),
        (0.1, saved, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
    )


# --- the Routing Manager

ROUTE_FAILURES = [
    (route_failed(message="503 overloaded"), "RTMGR RTMGR route create failure: 503 overloaded", False),
    (
        route_failed(e.RouteFailureKind.UNREACHABLE, "connection refused"),
        "RTMGR RTMGR route create failure: connection refused",
        False,
    ),
    (
        route_failed(e.RouteFailureKind.BROKEN, "connection closed"),
        "RTMGR RTMGR route create failure: connection closed",
        True,
    ),
    (
        route_failed(e.RouteFailureKind.TIMEOUT, "no answer in 2 s"),
        "RTMGR RTMGR-Timeout RTMGR route create timeout: no answer in 2 s",
        True,
    ),
]


@pytest.mark.parametrize(("event", "words", "maybe"), ROUTE_FAILURES, ids=["refused", "unreachable", "broken", "late"])
def test_no_route(event, words: str, maybe: bool) -> None:
    """The node is never asked; a route that may have been made all the same is removed."""
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
    )
    undo = "DELETE route 1 a-rmr" if maybe else "erase e2 1"
    script.play((1.0, event, [f"tell r1/1 failed: {words}", "save rest r1 (later)", undo]))
    if maybe:
        script.play((1.1, routed, ["erase e2 1"]))
    script.play((1.2, saved, []))
    undone(script, 1.2)
    assert script.finished() == [("subscribe", "route_failed"), ("undo", "success")]


def test_a_routing_manager_port_that_never_says_anything() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (
            4.0,
            TIME,
            [
                "tell r1/1 failed: RTMGR RTMGR-Timeout RTMGR route create timeout: no answer",
                "save rest r1 (later)",
                "DELETE route 1 a-rmr",
            ],
        ),
        (4.1, routed, []),  # the answer to the POST, too late
        (4.2, routed, ["erase e2 1"]),
        (4.3, saved, []),
    )
    undone(script, 4.3)


# --- the database


def test_nothing_is_sent_when_saving_fails() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.1, save_failed, ["tell r1/1 failed: DBAAS MISCONF disk full", "save rest r1 (later)"]),
    )
    undone(script, 0.1)
    assert not any(isinstance(x, c.SendToE2 | c.CreateRoute) for x in script.all)


def test_a_write_whose_outcome_is_unknown_is_erased_before_the_id_is_free() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (
            2.0,
            save_unknown,
            [
                "tell r1/1 failed: DBAAS DBAAS-Timeout database write timeout after 2 s",
                "save rest r1 (later)",
                "erase e2 1",
            ],
        ),
    )
    assert script.registry.ids.owner(1) == MEID
    script.play((3.0, saved, []))
    undone(script, 3.0)


def test_a_store_port_that_never_says_anything() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
    )
    lines = script.step(4.0, TIME)
    assert lines[0] == "tell r1/1 failed: DBAAS DBAAS-Timeout database write timeout: no answer"
    assert lines[-1] == "erase e2 1"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (save_failed, "DBAAS MISCONF disk full"),
        (save_unknown, "DBAAS DBAAS-Timeout database write timeout after 2 s"),
    ],
    ids=["failed", "unknown"],
)
def test_what_cannot_be_kept_is_undone_everywhere(how, words: str) -> None:
    script = asked()
    script.play(
        (0.1, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.2, how, [f"tell r1/1 failed: {words}", "save rest r1 (later)", "save e2 1 uncompleted r1/1?"]),
        (0.3, saved, ["delete 1"]),
        (0.4, deleted(1), ["DELETE route 1 a-rmr"]),
        (0.5, routed, ["erase e2 1"]),
        (0.6, saved, []),
    )
    undone(script, 0.6)


def test_no_instance_id_left() -> None:
    script = Script()
    for _ in range(65534):
        script.registry.ids.allocate("another")
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (
            0.0,
            sent_201,
            ["tell r1/1 failed: SUBMGR no free E2 instance id: all 65534 are in use", "save rest r1 (later)"],
        ),
    )


# --- the E2 connection


def test_lost_while_saving() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
    )
    lines = script.step(0.1, e.NodeLost("under reset"))
    assert lines[0] == "tell r1/1 failed: E2Node E2 interface down: under reset"
    assert "erase e2 1" in lines


@pytest.mark.parametrize("reason", ["", "under reset"])
def test_lost_while_the_node_is_asked(reason: str) -> None:
    """A node that is gone needs no delete; what it has it forgets."""
    script = asked()
    words = "E2 interface down" + (f": {reason}" if reason else "")
    lines = script.step(1.0, e.NodeLost(reason))
    assert lines[:2] == [f"tell r1/1 failed: E2Node {words}", "save rest r1 (later)"]
    assert not any(line.startswith(("delete", "subscribe")) for line in lines)
    assert script.finished()[0] == ("subscribe", "e2_down")


def test_lost_before_the_completed_record_is_written() -> None:
    script = asked()
    script.step(0.1, admitted(1))
    lines = script.step(0.2, e.NodeLost(""))
    assert lines[0] == "tell r1/1 failed: E2Node E2 interface down"
    assert not any(isinstance(x, c.SendToE2) for x in script.commands)


# --- the queue


def test_one_procedure_at_a_time_in_order() -> None:
    details = tuple(Detail(n, content(bytes([n]))) for n in (1, 2, 3))
    script = Script()
    script.play(
        (0.0, post(request(*details)), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.1, saved, ["POST route 1 a-rmr"]),
        (0.2, routed, ["subscribe 1"]),
        # the answer ends the node's part: the next begins while the first is still being saved
        (0.3, admitted(1), ["save e2 1 completed r1/1?", "save e2 2 uncompleted r1/2?"]),
        (0.4, saved, ["save rest r1 1=1 ongoing (later)", "tell r1/1 = 1"]),
    )


def test_the_queue_waits_for_the_undo_at_the_node() -> None:
    details = tuple(Detail(n, content(bytes([n]))) for n in (1, 2))
    script = asked(wanted=request(*details))
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (4.0, TIME, [f"tell r1/1 failed: {TIMEOUT}", "delete 1"]),
        # the route and the record of the first hold nobody up
        (4.5, deleted(1), ["DELETE route 1 a-rmr", "save e2 2 uncompleted r1/2?"]),
    )


def test_more_at_once_when_configured() -> None:
    details = tuple(Detail(n, content(bytes([n]))) for n in (1, 2, 3))
    script = Script(Controls(max_ongoing=2))
    script.play(
        (0.0, post(request(*details)), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?", "save e2 2 uncompleted r1/2?"]),
    )


def test_new_settings_are_for_new_procedures() -> None:
    script = asked(wanted=request(Detail(1, content()), Detail(2, content(b"\x09"))))
    script.node.controls = Controls(subscribe_timeout=7.0, subscribe_tries=5)
    script.play(
        (2.0, TIME, ["subscribe 1 again"]),
        (4.0, TIME, [f"tell r1/1 failed: {TIMEOUT}", "delete 1"]),
        (4.1, deleted(1), ["DELETE route 1 a-rmr", "save e2 2 uncompleted r1/2?"]),
    )
    assert script.node.deadline == 8.1
    script.play(
        (4.2, routed, ["erase e2 1"]),
        (4.2, saved, ["POST route 2 a-rmr"]),
        (4.2, routed, ["subscribe 2"]),
        (4.2, saved, []),
        (11.2, TIME, ["subscribe 2 again"]),
    )
