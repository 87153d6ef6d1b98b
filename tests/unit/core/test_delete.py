# SPDX-License-Identifier: Apache-2.0
"""Delete: the DELETE is written down, then answered, then worked on: node, routes, record, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete,
    delete_refused,
    delete_required,
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
from submgr.core.context import NodeContext
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.events import RouteFailureKind
from submgr.core.model import Detail
from submgr.core.procedures.base import Procedure
from submgr.e2ap.messages import ActionType


def leaving(script: Script | None = None) -> Script:
    """Up to the delete request at the node, at 10 s."""
    script = script or Script()
    script.subscribed()
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (10.0, saved, ["204", "delete 1"]),
    )
    return script


def test_node_then_route_then_record() -> None:
    script = leaving()
    script.play(
        (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["erase e2 1"]),
        (10.3, saved, ["erase rest r1"]),
    )
    assert script.node.idle
    assert script.finished()[-1] == ("delete", "success")
    assert script.registry.ids.in_use() == 0
    assert script.registry.meids == {}


@pytest.mark.parametrize("answer", [deleted(1), delete_refused(1)], ids=["deleted", "refused"])
def test_either_answer_ends_it(answer: e.Event) -> None:
    """A node that refuses does not have it (user guide)."""
    script = leaving()
    script.play(
        (10.1, answer, ["DELETE route 1 a-rmr"]),
        (10.1, routed, ["erase e2 1"]),
        (10.1, saved, ["erase rest r1"]),
    )
    assert script.node.idle and not len(script.node.removals)


def test_the_second_send_is_answered() -> None:
    script = leaving()
    script.play(
        (12.0, TIME, ["delete 1 again"]),
        (12.1, deleted(1), ["DELETE route 1 a-rmr"]),
    )


def test_never_answered() -> None:
    script = leaving()
    script.play(
        (12.0, TIME, ["delete 1 again"]),
        (14.0, TIME, ["DELETE route 1 a-rmr"]),
        (14.0, routed, ["save removal 1 delete"]),
        (14.0, saved, ["erase e2 1"]),
        (14.0, saved, ["erase rest r1"]),
    )
    assert script.finished()[-1] == ("delete", "timeout")
    assert script.noted().count("delete never answered") == 1
    assert script.registry.ids.in_use() == 0
    # at its next connection it is told once more
    script.play(
        (20.0, e.NodeConnected(), ["delete 1 again"]),
        (20.1, deleted(1), ["erase removal 1"]),
    )
    assert script.node.idle


def test_the_timer_and_the_number_of_sends_are_the_configured_ones() -> None:
    script = leaving(Script(Controls(delete_timeout=0.5, delete_tries=3)))
    script.play(
        (10.5, TIME, ["delete 1 again"]),
        (11.0, TIME, ["delete 1 again"]),
        (11.5, TIME, ["DELETE route 1 a-rmr"]),
    )


def test_a_late_answer_to_the_subscribe_is_not_the_answer() -> None:
    script = leaving()
    script.play((10.1, admitted(1), []), (10.2, refused(1), []), (10.3, deleted(1), ["DELETE route 1 a-rmr"]))


def test_a_delete_that_cannot_be_encoded() -> None:
    script = leaving()
    script.play(
        (10.1, unencodable, ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["save removal 1 delete"]),
        (10.3, saved, ["erase e2 1"]),
        (10.4, saved, ["erase rest r1"]),
    )
    assert script.finished()[-1] == ("delete", "asn1")


def test_a_delete_that_never_left_is_tried_until_it_can() -> None:
    script = leaving()
    script.play(
        (10.0, e.NotSent(1, "no route"), []),
        (12.0, TIME, ["delete 1 again"]),
        (12.0, e.NotSent(1, "no route"), []),
        (14.0, TIME, ["DELETE route 1 a-rmr"]),
        (14.0, routed, ["save removal 1 delete"]),
        (14.0, saved, ["erase e2 1"]),
        (14.0, saved, ["erase rest r1"]),
        (24.0, TIME, ["delete 1 again"]),
        (24.0, e.NotSent(1, "no route"), []),
    )
    assert not script.node.idle
    script.step(26.0, TIME)
    due = script.node.deadline
    assert due == 46.0  # 10 s, then 20 s
    script.play((due, TIME, ["delete 1 again"]), (due, deleted(1), ["erase removal 1"]))
    assert script.node.idle


@pytest.mark.parametrize("answer", [deleted(9), delete_refused(9)], ids=repr)
def test_answers_for_another_instance_are_ignored(answer: e.Event) -> None:
    script = leaving()
    script.play((10.1, answer, ["ignored: unknown_instance"]), (10.2, deleted(1), ["DELETE route 1 a-rmr"]))


def test_an_answer_that_cannot_be_decoded_is_ignored() -> None:
    script = leaving()
    script.play(
        (10.1, e.Undecodable(1, "garbage"), ["ignored: undecodable"]),
        (10.2, deleted(1), ["DELETE route 1 a-rmr"]),
    )


# --- the Routing Manager fails


@pytest.mark.parametrize("kind", list(RouteFailureKind))
def test_a_route_that_cannot_be_removed_is_tried_again_and_pins_its_id(kind: RouteFailureKind) -> None:
    script = leaving()
    script.play(
        (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.2, route_failed(kind), ["save removal 1 a-rmr"]),
        (10.3, saved, ["erase e2 1"]),
        (10.4, saved, ["erase rest r1"]),
    )
    assert script.registry.ids.owner(1) == MEID
    script.play(
        (20.2, TIME, ["DELETE route 1 a-rmr"]),
        (20.2, route_failed(kind), []),
        (40.2, TIME, ["DELETE route 1 a-rmr"]),
        (40.3, routed, ["erase removal 1"]),
    )
    assert script.node.idle
    assert script.registry.ids.in_use() == 0


def test_a_routing_manager_port_that_never_says_anything() -> None:
    script = leaving()
    script.play(
        (10.0, deleted(1), ["DELETE route 1 a-rmr"]),
        (14.0, TIME, ["save removal 1 a-rmr"]),
    )


# --- the database fails


@pytest.mark.parametrize("how", [save_failed, save_unknown], ids=["failed", "unknown"])
def test_204_whatever_the_database_says(how) -> None:
    script = Script()
    script.subscribed()
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        # kept, written when the database is back
        (10.1, how, ["save rest r1 1=1 deleted (later)", "204", "delete 1"]),
    )


def test_204_also_when_the_store_port_never_says_anything() -> None:
    script = Script()
    script.subscribed()
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (14.0, TIME, ["save rest r1 1=1 deleted (later)", "204", "delete 1"]),
    )


def test_the_id_is_not_free_before_the_record_is_gone() -> None:
    script = leaving()
    script.play(
        (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["erase e2 1"]),
    )
    step = script.writes[0]
    script.play((10.3, save_failed, ["erase rest r1"]))
    assert script.registry.ids.owner(1) == MEID
    assert not script.node.idle
    # the store goes on trying, and says so when it has
    script.play((60.0, e.Saved(step), []))
    assert script.registry.ids.in_use() == 0
    assert script.node.idle


# --- repeated, unknown, in the middle of something


def test_unknown_and_repeated() -> None:
    script = Script()
    script.play((0.0, delete("never-was"), ["204"]))
    script = leaving()
    script.play(
        (10.1, delete("r1", 1001), ["204"]),
        (10.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.3, delete("r1", 1002), ["204"]),
        (10.4, routed, ["erase e2 1"]),
        (10.5, saved, ["erase rest r1"]),
        (10.6, delete("r1", 1003), ["204"]),
    )
    assert script.node.idle


def test_from_the_204_on_its_id_is_unknown() -> None:
    script = Script()
    script.subscribed()
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (10.0, post(subscription_id="r1"), ["404"]),
        (10.0, saved, ["204", "delete 1"]),
        (10.1, post(subscription_id="r1"), ["404"]),
    )


def test_the_same_content_again_is_a_new_one_which_waits_for_the_delete() -> None:
    script = leaving()
    script.play(
        (10.1, post(), ["save rest r2 ongoing"]),
        (10.1, saved, ["201 r2"]),
        (10.1, sent_201, []),
        (10.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.3, routed, ["erase e2 1"]),
        (10.4, saved, ["erase rest r1", "save e2 2 uncompleted r2/1?"]),
    )


def test_a_detail_that_has_not_started_is_dropped_untold_and_a_running_one_ends() -> None:
    details = tuple(Detail(n, content(bytes([n]))) for n in (1, 2, 3))
    script = Script()
    script.play(
        (0.0, post(request(*details)), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (0.0, routed, ["subscribe 1"]),
        (0.1, delete("r1"), ["drop notifications r1", "save rest r1 ongoing deleted"]),
        (0.2, saved, ["204"]),
        (0.3, admitted(1), ["save e2 1 completed r1/1?"]),
        (0.4, saved, ["tell r1/1 = 1", "save rest r1 1=1 deleted (later)", "delete 1"]),
        (0.5, deleted(1), ["DELETE route 1 a-rmr"]),
        (0.6, routed, ["erase e2 1"]),
        (0.7, saved, ["erase rest r1"]),
    )
    assert script.node.idle
    # the notification of the first is still on its way; the places of the others are free
    assert script.registry.quota.total() == 1


def test_the_digest_is_free_at_once() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.1, delete("r1"), ["drop notifications r1", "save rest r1 ongoing deleted"]),
        (0.1, post(), ["save rest r2 ongoing"]),
    )


@pytest.mark.parametrize("state", ["saving", "answering"])
def test_a_delete_before_the_work_has_begun(state: str) -> None:
    """Possible for whoever knows the id already: a request that names it, or repeats another."""
    script = Script()
    script.play((0.0, post(), ["save rest r1 ongoing"]))
    if state == "answering":
        script.play((0.0, saved, ["201 r1"]))
    lines = script.step(0.1, delete("r1"))
    assert lines == ["drop notifications r1", "404", "save rest r1 deleted"]
    while script.writes:
        lines = script.step(0.2, saved)
    assert lines == ["204", "erase rest r1"]
    assert script.step(0.3, sent_201) == []
    assert script.node.idle and script.registry.quota.total() == 0


def test_several_e2_subscriptions_go_one_by_one() -> None:
    details = tuple(Detail(n, content(bytes([n]))) for n in (1, 2))
    script = Script()
    script.subscribed(request(*details))
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 2=2 deleted"]),
        (10.0, saved, ["204", "delete 1"]),
        (10.1, deleted(1), ["DELETE route 1 a-rmr", "delete 2"]),
        (10.2, deleted(2), ["DELETE route 2 a-rmr"]),
        (10.3, routed, ["erase e2 1"]),
        (10.3, routed, ["erase e2 2"]),
        (10.4, saved, []),
        (10.5, saved, ["erase rest r1"]),
    )
    assert script.node.idle


def test_lost_in_the_middle() -> None:
    script = leaving()
    script.play(
        (10.1, e.NodeLost(""), ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["erase e2 1"]),
        (10.3, saved, ["erase rest r1"]),
    )
    assert script.node.idle
    assert script.finished()[-1] == ("delete", "e2_down")


def test_at_a_node_that_is_down_no_message_is_sent() -> None:
    script = Script(Controls(on_e2_loss=OnE2Loss.RESTORE))
    script.subscribed()
    script.step(5.0, e.NodeLost(""))
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (10.0, saved, ["204", "DELETE route 1 a-rmr"]),
        (10.1, routed, ["erase e2 1"]),
        (10.2, saved, ["erase rest r1"]),
    )


# --- the node, or an operator, wants it deleted


@pytest.mark.parametrize("event", [delete_required(1), e.Revoke((1,))], ids=["delete required", "operator"])
def test_revoked(event: e.Event) -> None:
    """The REST subscription stays and loses that instance. The record is marked first, so that a restart goes on."""
    script = Script()
    script.subscribed()
    script.play(
        (5.0, event, ["save rest r1 (later)", "save e2 1 uncompleted r1/1"]),
        (5.1, saved, ["delete 1"]),
        (5.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (5.3, routed, ["erase e2 1"]),
        (5.4, saved, []),
    )
    assert list(script.node.subscriptions.rest) == ["r1"] and script.node.subscriptions.rest["r1"].instances == {}
    assert script.registry.ids.in_use() == 0


def test_delete_required_of_several_some_unknown() -> None:
    script = Script()
    script.subscribed(request(Detail(1, content()), Detail(2, content(b"\x09"))))
    lines = script.step(5.0, delete_required(1, 77, 2))
    assert lines == ["ignored: unknown_instance", "save rest r1 2=2 (later)", "save e2 1 uncompleted r1/1"]
    script.play(
        (5.1, saved, ["delete 1"]),
        (5.2, deleted(1), ["DELETE route 1 a-rmr", "save rest r1 (later)", "save e2 2 uncompleted r1/2"]),
    )


def test_delete_required_of_what_is_being_deleted() -> None:
    script = leaving()
    script.play(
        (10.1, delete_required(1), []),
        (10.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.3, routed, ["erase e2 1"]),
        (10.4, saved, ["erase rest r1"]),
    )
    assert script.node.idle


def test_delete_required_of_what_is_being_subscribed() -> None:
    """It waits for the subscribe to end."""
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (0.0, routed, ["subscribe 1"]),
        (0.1, delete_required(1), []),
        (0.2, admitted(1), ["save e2 1 completed r1/1?"]),
        (
            0.3,
            saved,
            [
                "tell r1/1 = 1",
                "save rest r1 1=1 (later)",
                "save rest r1 (later)",
                "save e2 1 uncompleted r1/1?",
            ],
        ),
        (0.4, saved, ["delete 1"]),
    )


def test_delete_required_of_a_shared_one_takes_all_routes() -> None:
    script = Script()
    script.subscribed()
    script.subscribed(request(host="service-ricxapp-b-http"))
    script.play(
        (5.0, delete_required(1), ["save rest r1 (later)", "save rest r2 (later)", "save e2 1 uncompleted r1/1 r2/1"]),
        (5.1, saved, ["delete 1"]),
        (5.2, deleted(1), ["DELETE route 1 a-rmr"]),
        (5.3, routed, ["DELETE route 1 b-rmr"]),
        (5.4, routed, ["erase e2 1"]),
        (5.5, saved, []),
    )


def test_a_mark_that_cannot_be_written_holds_nothing_up() -> None:
    script = Script()
    script.subscribed()
    script.step(5.0, delete_required(1))
    script.play((5.1, save_failed, ["save e2 1 uncompleted r1/1 (later)", "delete 1"]))


def test_every_kind_of_subscription_goes_the_same_way() -> None:
    for kind in ActionType:
        script = Script()
        script.subscribed(replace(request(), details=(Detail(1, content(kind=kind)),)))
        script.play(
            (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
            (10.0, saved, ["204", "delete 1"]),
            (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
            (10.2, routed, ["erase e2 1"]),
            (10.3, saved, ["erase rest r1"]),
        )
        assert script.node.idle, kind
        assert sum(isinstance(x, c.EraseE2) for x in script.all) == 1


def test_a_plain_delete_feeds_and_arms_only_what_has_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Withdrawal: start, saved. Delete: start, answered by the node, route gone, record gone."""
    script = Script()
    script.subscribed()
    counts = {"feeds": 0, "timers": 0}

    def counted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any) -> Any:
            counts[name] += 1
            return method(*args)

        return count

    monkeypatch.setattr(Procedure, "feed", counted("feeds", Procedure.feed))
    monkeypatch.setattr(NodeContext, "new_step", counted("timers", NodeContext.new_step))
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (10.0, saved, ["204", "delete 1"]),
        (10.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.2, routed, ["erase e2 1"]),
        (10.3, saved, ["erase rest r1"]),
    )
    assert counts == {"feeds": 6, "timers": 4}
