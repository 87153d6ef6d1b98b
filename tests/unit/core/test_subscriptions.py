# SPDX-License-Identifier: Apache-2.0
"""No look-up on the path of a request looks at all subscriptions: the steps are counted, few and many resident."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from support.core.world import World, content, request

from submgr.core.model import Detail


def steps(work: Callable[[], Any]) -> int:
    """Lines of Python that the work takes."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def resident(number: int) -> World:
    """A world whose node holds so many subscriptions."""
    world = World()
    for start in range(0, number, 50):
        details = [Detail(n, content(n.to_bytes(4, "big"))) for n in range(start, start + 50)]
        world.subscribed(request(*details, host=f"service-ricxapp-{start}-http"))
    assert len(world.node.subscriptions.e2) == number
    return world


def once(world: World) -> dict[str, int]:
    """Steps of each kind of request, with the answers it needs."""
    log_before = world.log
    world.log = []
    fresh = request(Detail(1, content(b"fresh")), host="service-ricxapp-new-http")
    found = {"subscribe": steps(lambda: world.subscribed(fresh))}
    merging = request(Detail(7, content(b"fresh")), host="service-ricxapp-other-http")
    found["merge"] = steps(lambda: world.subscribed(merging))
    found["again"] = steps(lambda: world.subscribed(merging))
    for subscription_id in list(world.node.subscriptions.rest)[-2:]:
        found[f"delete {len(found)}"] = steps(lambda: (world.delete(subscription_id), world.settle()))  # noqa: B023
    world.log = log_before
    return found


def test_steps_do_not_grow_with_what_is_resident() -> None:
    few, many = once(resident(100)), once(resident(10_000))
    for name, number in few.items():
        assert many[name] == pytest.approx(number, rel=0.1), name
