# SPDX-License-Identifier: Apache-2.0
"""What a test reads from a `World`, and two ways to let it go on."""

from __future__ import annotations

import random

from submgr.core import commands as c
from submgr.core.errors import Source
from support.core.world import World


def sent(world: World, kind: type) -> list[c.SendToE2]:
    return [x for x in world.log if isinstance(x, c.SendToE2) and isinstance(x.message, kind)]


def route_commands(world: World) -> list[str]:
    kinds = (c.CreateRoute, c.UpdateRoute, c.DeleteRoute)
    return [type(x).__name__ for x in world.log if isinstance(x, kinds)]


def outcomes(world: World) -> list[tuple[int, int, Source | None]]:
    """(XappEventInstanceId, instance id, ErrorSource) of each notification."""
    return [(n.xapp_event_instance_id, n.instance_id, n.failure.source if n.failure else None) for n in world.told]


def finish(world: World) -> None:
    world.settle()
    world.check_quiet()


def one_step(world: World, rng: random.Random) -> None:
    steps = [
        (world.writes, world.write_next),
        (world.to_answer, lambda: world.answered(world.to_answer[0])),
        (world.route_calls, world.route_next),
        (world.to_node, world.node_next),
        (world.from_node, world.answer_next),
        (world.notifications, world.notify_next),
    ]
    ready = [step for waiting, step in steps if waiting]
    if ready:
        rng.choice(ready)()


def counted(world: World, what: c.Note) -> int:
    return sum(command.n for command in world.log if isinstance(command, c.Noted) and command.what is what)
