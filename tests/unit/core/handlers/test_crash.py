# SPDX-License-Identifier: Apache-2.0
"""Who is still owed an answer when a node's work ends by a bug."""

from __future__ import annotations

from support.core.world import World, content, request

from submgr.core.commands import Notify
from submgr.core.model import Detail


def owed(world: World) -> list[str]:
    """Whoever is told of a bug in the worker: at once, or when the records have been read."""
    at_once = [command for command in world.node.answer_waiting() if isinstance(command, Notify)]
    later = [(r.subscription_id, r.holder_key.xapp_event_instance_id) for r in world.node.started()]  # type: ignore[union-attr]
    return sorted(
        f"{i}/{xei}" for i, xei in [*((n.subscription_id, n.xapp_event_instance_id) for n in at_once), *later]
    )


def test_who_was_told_of_a_failure_that_is_still_being_undone_is_owed_nothing() -> None:
    world = World()
    token = world.post(request())
    world.write_next()
    world.answered(token)
    assert owed(world) == ["rest-0001/1"]
    world.write_next()
    world.route_next("timeout")
    assert world.notifications
    assert world.node.procedures_running
    assert owed(world) == []


def test_whose_201_is_being_written_is_owed_a_notification_of_each_detail() -> None:
    world = World()
    details = [Detail(n, content(bytes([n]))) for n in (1, 2)]
    first = world.post(request(*details))
    world.post(request(*details))
    assert owed(world) == [], "refused, not failed: it is not accepted yet"
    world.write_next()
    assert owed(world) == ["rest-0001/1", "rest-0001/2"]
    world.answered(first)
    world.answered(first + 1)
    assert owed(world) == ["rest-0001/1", "rest-0001/2"]
