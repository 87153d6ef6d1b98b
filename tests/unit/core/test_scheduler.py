# SPDX-License-Identifier: Apache-2.0
"""Which procedures of one node run at once, and which wait."""

from __future__ import annotations

from support.core.charts import TIMEOUT, asked
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete,
    deleted,
    over_rmr,
    post,
    routed,
    saved,
    sent_201,
)
from support.core.world import content, request

from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.model import Detail
from submgr.e2ap.messages import ActionType


def test_more_at_once_but_never_for_one_content() -> None:
    """`maxOngoingE2Procedures` 2: equal contents still wait for each other."""
    script = Script(Controls(max_ongoing=2))
    details = (Detail(1, content()), Detail(2, content()), Detail(3, content(b"\x09")), Detail(4, content(b"\x0a")))
    script.play(
        (0.0, post(request(*details)), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?", "save e2 2 uncompleted r1/3?"]),
    )


def test_more_at_once_but_never_for_one_instance() -> None:
    script = Script(Controls(max_ongoing=5))
    policy = content(kind=ActionType.POLICY)
    script.subscribed(request(Detail(1, policy)))
    script.play(
        (1.0, post(request(Detail(1, policy), subscription_id="r1")), ["save rest r1 1=1 ongoing"]),
        (1.0, saved, ["201 r1"]),
        (1.0, sent_201, ["save e2 1 completed updating r1/1"]),
        (1.1, saved, ["subscribe 1"]),
        # an operator deletes it meanwhile: that waits for the update, another content does not
        (1.2, e.Revoke((1,)), []),
        (1.2, over_rmr(50, content(b"\x0b")), ["save e2 2 uncompleted rmr/7?"]),
    )


def test_route_and_record_after_the_delete_hold_nobody_up() -> None:
    script = Script()
    script.subscribed(request(Detail(1, content()), Detail(2, content(b"\x09"))))
    script.play(
        (1.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 2=2 deleted"]),
        (1.0, saved, ["204", "delete 1"]),
        (1.1, deleted(1), ["DELETE route 1 a-rmr", "delete 2"]),
    )


def test_a_subscribe_holds_the_node_from_its_save_to_its_answer() -> None:
    script = Script()
    script.play(
        (0.0, over_rmr(1), ["save e2 1 uncompleted rmr/7?"]),
        (0.0, over_rmr(2, content(b"\x09"), xid=b"y"), []),
        (0.1, saved, ["POST route 1 old-rmr"]),
        (0.2, routed, ["subscribe 1"]),
        (0.3, admitted(1), ["save e2 1 completed rmr/7?", "save e2 2 uncompleted rmr/7?"]),
    )


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


def test_a_setting_that_allows_more_at_once_starts_who_waits() -> None:
    script = Script()
    script.play(
        (0.0, over_rmr(1), ["save e2 1 uncompleted rmr/7?"]),
        (0.0, over_rmr(2, content(b"\x09"), xid=b"y"), []),
    )
    script.node.controls = Controls(max_ongoing=2)
    script.play((0.1, saved, ["POST route 1 old-rmr", "save e2 2 uncompleted rmr/7?"]))
