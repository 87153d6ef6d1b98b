# SPDX-License-Identifier: Apache-2.0
"""The E2 connection is back and `onE2Loss` is restore: what was established is asked for again."""

from __future__ import annotations

import pytest
from support.core.charts import DROP, LOST, RESTORE, UP, established_under
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete,
    deleted,
    post,
    refused,
    routed,
    saved,
    sent_201,
    unencodable,
)
from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.model import Detail


def broken() -> Script:
    script = established_under(RESTORE)
    script.play((1.0, LOST, ["save e2 1 completed to restore r1/1 (later)"]))
    return script


def test_restored_with_its_own_id_and_nobody_hears() -> None:
    script = broken()
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (2.1, admitted(1), ["save e2 1 completed r1/1 (later)"]),
    )
    assert script.last_send.message.request_id.instance == 1
    assert script.last_send.resend is False
    assert script.finished()[-1] == ("resubscribe", "success")
    assert list(script.node.subscriptions.rest) == ["r1"]


def test_several_are_restored_one_at_a_time() -> None:
    script = established_under(RESTORE)
    script.subscribed(request(Detail(1, content(b"\x09"))))
    script.step(1.0, LOST)
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (2.1, admitted(1), ["save e2 1 completed r1/1 (later)", "subscribe 2"]),
        (2.2, admitted(2), ["save e2 2 completed r2/1 (later)"]),
    )


def test_a_flap_that_nobody_saw_is_restored_too() -> None:
    script = established_under(RESTORE)
    script.play((2.0, UP, ["save e2 1 completed to restore r1/1 (later)", "subscribe 1"]))


def test_the_second_send_of_a_restore() -> None:
    script = broken()
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (4.0, TIME, ["subscribe 1 again"]),
        (4.1, admitted(1), ["save e2 1 completed r1/1 (later)"]),
    )


@pytest.mark.parametrize("how", ["refused", "silent", "unencodable"])
def test_a_restore_that_fails_is_told_and_torn_down(how: str) -> None:
    script = broken()
    script.step(2.0, UP)
    if how == "refused":
        lines = script.step(2.1, refused(1))
        words = "E2Node RICSubscriptionFailure. E2NodeCause: "
    elif how == "silent":
        script.step(4.0, TIME)
        lines = script.step(6.0, TIME)
        words = "SUBMGR E2-Timeout E2 RICSubscriptionResponse timeout"
    else:
        lines = script.step(2.1, unencodable)
        words = "ASN1 17 actions, at most 16"
    assert lines[0].startswith(f"tell r1/1 failed: {words}")
    assert lines[1:] == ["save rest r1 (later)", "save e2 1 uncompleted to restore r1/1"]
    script.play(
        (6.0, saved, ["delete 1"]),
        (6.1, deleted(1), ["DELETE route 1 a-rmr"]),
        (6.2, routed, ["erase e2 1"]),
        (6.3, saved, []),
    )
    # the REST subscription stays until its DELETE
    assert list(script.node.subscriptions.rest) == ["r1"] and not script.node.subscriptions.e2


def test_lost_again_during_the_restore() -> None:
    script = broken()
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (2.1, LOST, []),
        (3.0, UP, ["subscribe 1"]),
        (3.1, admitted(1), ["save e2 1 completed r1/1 (later)"]),
    )
    assert not any(isinstance(x, c.Notify) and x.failure for x in script.all)


def test_a_delete_while_it_is_away() -> None:
    script = broken()
    script.play(
        (1.5, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (1.5, saved, ["204", "DELETE route 1 a-rmr"]),
        (1.6, routed, ["erase e2 1"]),
        (1.7, saved, ["erase rest r1"]),
        (2.0, UP, []),
    )
    assert script.node.idle


def test_a_delete_when_it_is_back_but_not_yet_restored() -> None:
    """Not subscribed anew for nothing."""
    script = established_under(RESTORE)
    script.subscribed(request(Detail(1, content(b"\x09"))))
    script.step(1.0, LOST)
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (2.1, delete("r2"), ["drop notifications r2", "save rest r2 1=2 deleted"]),
        (2.2, saved, ["204"]),
        (2.3, admitted(1), ["save e2 1 completed r1/1 (later)", "delete 2"]),
    )


def test_a_new_holder_joins_while_it_waits_for_its_restore() -> None:
    script = established_under(RESTORE)
    script.subscribed(request(Detail(1, content(b"\x09"))))
    script.step(1.0, LOST)
    script.step(2.0, UP)
    other = request(Detail(1, content(b"\x09")), host="service-ricxapp-b-http")
    script.play(
        (2.1, post(other), ["save rest r3 ongoing"]),
        (2.1, saved, ["201 r3"]),
        (2.1, sent_201, []),
        (2.2, admitted(1), ["save e2 1 completed r1/1 (later)", "subscribe 2"]),
        (2.3, admitted(2), ["save e2 2 completed r2/1 (later)", "save e2 2 completed r2/1 r3/1?"]),
    )


def test_the_setting_in_force_at_the_loss_decides() -> None:
    script = broken()
    script.node.controls = DROP
    script.play((2.0, UP, ["subscribe 1"]), (2.1, admitted(1), ["save e2 1 completed r1/1 (later)"]))


def test_a_subscription_that_waits_for_its_restore_gets_it_though_the_setting_has_changed_meanwhile() -> None:
    world = World(Controls(on_e2_loss=OnE2Loss.RESTORE))
    world.subscribed(request())
    world.lose()
    world.settle()
    world.node.controls = Controls(on_e2_loss=OnE2Loss.DROP)
    world.connect()
    world.settle()
    world.check_quiet()
    assert len(world.node.subscriptions.e2) == 1


def test_a_request_that_never_left_is_tried_again_and_nobody_loses_anything() -> None:
    """The E2 Termination is new, and there is no RMR route to the node yet."""
    script = broken()
    script.play(
        (2.0, UP, ["subscribe 1"]),
        (2.0, e.NotSent(1, "no route"), []),
        (4.0, TIME, ["subscribe 1 again"]),
        (4.0, e.NotSent(1, "no route"), []),
        (6.0, TIME, []),
        (16.0, TIME, ["subscribe 1"]),
        (16.1, admitted(1), ["save e2 1 completed r1/1 (later)"]),
    )
    assert [outcome for name, outcome in script.finished() if name == "resubscribe"] == ["timeout", "success"]
