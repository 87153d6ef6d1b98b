# SPDX-License-Identifier: Apache-2.0
"""What real neighbours made necessary."""

from __future__ import annotations

import pytest
from support.core.playbook import (
    TIME,
    Script,
    delete,
    delete_required,
    deleted,
    post,
    route_failed,
    routed,
    saved,
    sent_201,
)
from support.core.world import World, content, request

from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.events import RouteFailureKind
from submgr.core.model import Detail
from submgr.core.registry import FIRST, LAST, MARK_AHEAD, InstanceIds
from submgr.e2ap.messages import Cause

NOTHING_REMOVED = route_failed(RouteFailureKind.UNCONFIRMED, "204 No Content: nothing was removed")


# --- registry


def allocate(ids: InstanceIds, n: int = 1) -> list[int]:
    found = [ids.allocate("gnb") for _ in range(n)]
    assert None not in found
    return found  # type: ignore[return-value]


def test_a_start_goes_on_where_the_previous_run_ended() -> None:
    ids = InstanceIds()
    allocate(ids, 5)
    after = InstanceIds()
    after.go_on_at(ids.mark)
    assert allocate(after) == [6] and not after.reused(6)


def test_after_the_last_id_the_first_ones_are_used_again_also_over_a_start() -> None:
    ids = InstanceIds()
    ids.go_on_at(LAST)
    assert allocate(ids, 3) == [LAST, 1, 2]
    assert not ids.reused(LAST) and ids.reused(1) and ids.reused(2)
    after = InstanceIds()
    after.go_on_at(ids.mark)
    assert allocate(after, 2) == [3, 4] and after.reused(3)
    assert len({*allocate(after, LAST - 2), 3, 4}) == LAST
    assert after.allocate("gnb") is None


def test_ids_found_in_the_store_are_passed_over_wherever_the_start_goes_on() -> None:
    ids = InstanceIds()
    ids.go_on_at(7)
    ids.claim(7, "gnb")
    ids.claim(2, "gnb")
    assert allocate(ids) == [8]


@pytest.mark.parametrize("mark", [-1, 0, 1, 3 * LAST, 10**9])
def test_a_mark_that_makes_no_sense_begins_at_the_first(mark: int) -> None:
    ids = InstanceIds()
    ids.go_on_at(mark)
    assert allocate(ids) == [FIRST]


def test_the_mark_is_stored_ahead_of_the_ids_and_seldom() -> None:
    ids = InstanceIds()
    marks = []
    for n in range(1, 10 * MARK_AHEAD + 1):
        allocate(ids)
        mark = ids.next_mark()
        if mark is not None:
            marks.append(mark)
        assert marks[-1] > n, "a start after a kill never gives out an id of before"
    assert len(marks) == 10


# --- routes


def test_a_removal_that_removed_nothing_is_repeated_and_pins_the_id() -> None:
    script = Script()
    script.subscribed()
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (10.0, saved, ["204", "delete 1"]),
        (10.0, deleted(1), ["DELETE route 1 a-rmr"]),
        (10.0, NOTHING_REMOVED, ["save removal 1 a-rmr"]),
        (10.0, saved, ["erase e2 1"]),
        (10.0, saved, ["erase rest r1"]),
    )
    assert script.registry.ids.owner(1) is not None
    script.play(
        (20.0, TIME, ["DELETE route 1 a-rmr"]),
        (20.0, NOTHING_REMOVED, []),
        (40.0, TIME, ["DELETE route 1 a-rmr"]),
        (40.0, routed, ["erase removal 1"]),
    )
    assert script.registry.ids.owner(1) is None


def give_up(script: Script, kind: RouteFailureKind, until: float) -> None:
    script.subscribed()
    script.step(10.0, delete("r1"))
    script.step(10.0, saved)
    script.step(10.0, deleted(1))
    script.step(10.0, route_failed(kind))
    script.step(10.0, saved)
    script.step(10.0, saved)
    now = script.node.deadline
    while now is not None and now < until:
        script.step(now, TIME)
        script.step(now, route_failed(kind))
        now = script.node.deadline


def test_after_a_day_the_id_goes_to_the_very_end_and_its_route_is_made_exact() -> None:
    script = Script()
    give_up(script, RouteFailureKind.UNCONFIRMED, 200_000.0)
    assert script.node.deadline is None and not len(script.node.removals)
    assert "route removal given up unconfirmed" in script.noted()
    script.registry.ids.go_on_at(LAST)
    assert script.registry.ids.allocate("x") == LAST
    others = {script.registry.ids.allocate("x") for _ in range(LAST - 2)}
    assert 1 not in others and None not in others
    script.play(
        (200_000.0, post(), ["save rest r2 ongoing"]),
        (200_000.0, saved, ["201 r2"]),
        (200_000.0, sent_201, ["save e2 1 uncompleted r2/1?"]),
        (200_000.0, saved, ["PUT route 1 a-rmr"]),
        (200_000.0, routed, ["subscribe 1"]),
    )


def test_a_removal_that_is_refused_is_never_given_up() -> None:
    script = Script()
    give_up(script, RouteFailureKind.REFUSED, 200_000.0)
    assert len(script.node.removals) == 1 and script.registry.ids.owner(1) is not None


# --- deleteWaits


def test_a_delete_at_a_silent_node_holds_up_nobody() -> None:
    script = Script(Controls(silent_nodes=("gnb_001_*",)))
    script.subscribed(request(Detail(1, content()), Detail(2, content(b"\x09"))))
    script.play(
        (1.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 2=2 deleted"]),
        (1.0, saved, ["204", "delete 1", "delete 2"]),
        (3.0, TIME, ["delete 1 again", "delete 2 again"]),
        (5.0, TIME, ["DELETE route 1 a-rmr", "DELETE route 2 a-rmr"]),
    )


# --- tellLoss


def test_an_xapp_is_told_that_the_node_required_the_delete_when_it_shall_be() -> None:
    script = Script(Controls(tell_loss=True))
    script.subscribed()
    lines = script.step(1.0, delete_required(1))
    cause = "RICSubscriptionDeleteRequired. E2NodeCause: ricRequest: function-resource-limit"
    assert lines[0] == f"tell r1/1 failed: E2Node {cause}"


def told_of(event: e.Event, controls: Controls) -> list[str]:
    script = Script(controls)
    script.subscribed()
    return [line for line in script.step(1.0, event) if line.startswith("tell")]


def test_an_operators_revocation_and_the_default_tell_nobody() -> None:
    assert told_of(delete_required(1), Controls()) == []
    assert told_of(e.Revoke((1,)), Controls(tell_loss=True)) == []
    assert len(told_of(e.Revoke((1,), Cause(1, 5)), Controls(tell_loss=True))) == 1


def test_a_drop_is_told_when_it_shall_be() -> None:
    assert told_of(e.NodeLost(""), Controls()) == []
    (line,) = told_of(e.NodeLost(""), Controls(tell_loss=True))
    assert "E2 interface down" in line


# --- merge


def test_equal_contents_are_not_merged_when_that_is_off() -> None:
    world = World(Controls(merge=False))
    world.subscribed(request())
    world.subscribed(request(host="service-ricxapp-b-http"))
    assert len(world.node.subscriptions.e2) == 2
    world.check_quiet()


def test_the_same_xapp_asking_again_still_shares_its_own() -> None:
    world = World(Controls(merge=False))
    world.subscribed(request())
    world.subscribed(request(http_port=9999))
    assert len(world.node.subscriptions.e2) == 1
    world.check_quiet()


def test_merging_can_be_off_for_one_ran_function() -> None:
    world = World(Controls(merge_by_function={2: False}))
    for function in (2, 3):
        for host in ("service-ricxapp-a-http", "service-ricxapp-b-http"):
            world.subscribed(request(Detail(1, content(function=function)), host=host))
    assert sorted(sub.content.ran_function_id for sub in world.node.subscriptions.e2.values()) == [2, 2, 3]
    world.check_quiet()


# --- restoreDelay


def test_a_node_that_came_back_has_a_moment_before_it_is_asked_anew() -> None:
    script = Script(Controls(on_e2_loss=OnE2Loss.RESTORE, restore_delay=0.5))
    script.subscribed()
    script.step(1.0, e.NodeLost(""))
    assert "subscribe 1" not in script.step(2.0, e.NodeConnected())
    script.play((2.5, TIME, ["subscribe 1"]))


def test_a_node_lost_again_within_the_moment_is_not_asked() -> None:
    script = Script(Controls(on_e2_loss=OnE2Loss.RESTORE, restore_delay=0.5))
    script.subscribed()
    script.step(1.0, e.NodeLost(""))
    script.step(2.0, e.NodeConnected())
    script.step(2.2, e.NodeLost(""))
    script.play((2.5, TIME, []))


def test_a_cleanup_whose_delete_did_not_leave_is_no_success() -> None:
    script = Script()
    script.subscribed()
    script.step(10.0, delete("r1"))
    script.step(10.0, saved)
    script.step(10.0, e.NotSent(1, "no route"))
    script.step(12.0, TIME)
    script.step(12.0, e.NotSent(1, "no route"))
    script.step(14.0, TIME)
    script.step(14.0, routed)
    script.step(14.0, saved)
    script.step(14.0, saved)
    script.step(24.0, TIME)
    script.step(24.0, e.NotSent(1, "no route"))
    script.step(26.0, TIME)
    assert script.finished()[-1] == ("cleanup", "failed")
