# SPDX-License-Identifier: Apache-2.0
"""A DELETE is written down, then answered 204, then worked on; it cannot fail for the xApp."""

from __future__ import annotations

import pytest
from support.core.charts import leaving
from support.core.observing import finish, outcomes
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete,
    deleted,
    post,
    routed,
    save_failed,
    save_unknown,
    saved,
    sent_201,
)
from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core.model import Detail
from submgr.e2ap.messages import ActionType

A, B = "service-ricxapp-a-http", "service-ricxapp-b-http"


def policy(octet: int) -> Detail:
    return Detail(1, content(bytes([octet]), ActionType.POLICY))


def updated(world: World, subscription_id: str, detail: Detail) -> None:
    token = world.post(request(detail, subscription_id=subscription_id))
    world.settle()
    assert isinstance(world.answers[token], c.Accept)


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


# --- with everything round the node


def test_again_after_a_delete_is_a_new_one(world: World) -> None:
    first = world.subscribed(request())
    world.delete(first)
    assert world.subscribed(request()) != first
    finish(world)


def test_subscribe_during_the_delete_of_the_same_content_is_made_anew(world: World) -> None:
    first = world.subscribed(request())
    world.delete(first)
    world.write_next()
    token = world.post(request(host=B))
    world.write_next()
    world.answered(token)
    finish(world)
    assert outcomes(world)[-1][1] == 2
    assert set(world.at_node) == {2}


def test_after_a_delete_every_digest_of_it_is_free() -> None:
    world = World()
    known = world.subscribed(request(policy(0)))
    for octet in (1, 2, 3):
        updated(world, known, policy(octet))
    world.delete(known)
    world.settle()
    assert not world.node.subscriptions.digests
    for octet in range(4):
        fresh = world.subscribed(request(policy(octet)))
        assert fresh != known
        world.delete(fresh)
        world.settle()
    world.check_quiet()


def test_a_repeated_delete_is_confirmed_no_sooner_than_the_first_one_is_written_down() -> None:
    world = World()
    known = world.subscribed(request())
    first, second = world.delete(known), world.delete(known)
    assert world.registry.meids[known], "whoever asks has to wait for the write"
    assert first not in world.answers
    assert second not in world.answers
    post = world.post(request(subscription_id=known))
    refused = world.answers[post]
    assert isinstance(refused, c.Refuse) and refused.status == 404
    world.write_next()
    assert isinstance(world.answers[first], c.ConfirmDelete)
    assert isinstance(world.answers[second], c.ConfirmDelete)
    assert known not in world.registry.meids
    world.settle()
    world.check_quiet()
