# SPDX-License-Identifier: Apache-2.0
"""What concerns very many subscriptions comes in pieces, is the same in all, and asks for little at once."""

from __future__ import annotations

import gc

import pytest
from support.core.playbook import Script, brief, delete, deleted, routed, saved
from support.core.world import content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from submgr.core.handlers.recovery import by_node
from submgr.core.model import Detail, SubscribeRequest
from submgr.core.node import Node
from submgr.core.queue import SIDE_SLOTS
from submgr.core.registry import NotificationQuota, Registry
from submgr.core.slices import SLICE

MANY = 150
LARGEST = 10 * SLICE
"""Commands of one piece: a few for each thing it is about."""


def wanted(number: int) -> SubscribeRequest:
    return request(Detail(1, content(number.to_bytes(2, "big"))))


def many(controls: Controls | None = None) -> Script:
    script = Script(controls)
    for number in range(MANY):
        script.subscribed(wanted(number))
    return script


def lines(pieces: list[list[c.Command]]) -> list[str]:
    return [line for piece in pieces for command in piece if (line := brief(command))]


@pytest.mark.parametrize("policy", list(OnE2Loss))
def test_a_loss_in_pieces_is_the_same_as_at_once(policy: OnE2Loss) -> None:
    controls = Controls(on_e2_loss=policy)
    at_once, piece_by_piece = many(controls), many(controls)
    pieces = list(piece_by_piece.node.slices(e.NodeLost(""), 1.0))
    assert len(pieces) > MANY // SLICE
    assert max(map(len, pieces)) <= LARGEST
    assert lines(pieces) == at_once.step(1.0, e.NodeLost(""))


def test_a_restart_in_pieces_is_the_same_as_at_once() -> None:
    script = many()
    e2 = [sub.record() for sub in script.node.subscriptions.e2.values()]
    rest = [rest.record() for rest in script.node.subscriptions.rest.values()]
    (restored,) = by_node(e2, rest, (), lambda meid: True).values()
    nodes = [Node(script.node.meid, Registry(NotificationQuota(lambda: 1000)), Controls(), True) for _ in range(2)]
    pieces = list(nodes[0].slices(restored, 0.0))
    assert len(pieces) > 3 * MANY // SLICE
    assert lines(pieces) == lines([nodes[1].handle(restored, 0.0)])
    for node in nodes:
        assert [sub.record() for sub in node.subscriptions.e2.values()] == e2
        assert [rest.record() for rest in node.subscriptions.rest.values()] == rest


def test_little_is_asked_at_once_when_a_node_is_lost_and_nothing_is_left() -> None:
    script = many()
    script.step(1.0, e.NodeLost(""))
    at_once = []
    while script.writes or script.routes:
        at_once.append(len(script.writes) + len(script.routes))
        script.step(1.0, saved if script.writes else routed)
    assert max(at_once) == at_once[0] == SIDE_SLOTS
    # as long as there are enough of them, every one that has ended is followed by the next
    assert at_once.count(SIDE_SLOTS) > MANY
    assert script.node.idle
    assert script.registry.ids.in_use() == 0
    assert sum(isinstance(x, c.EraseRest) for x in script.all) == MANY


def test_a_lost_node_with_a_full_slot_queue_asks_for_little_at_once() -> None:
    """Deletes that wait for their turn at the node when it is lost need the node no more."""
    script = many()
    for number in range(MANY):
        script.step(1.0, delete(f"r{number + 1}"))
        script.step(1.0, saved)
    assert script.node.queue_depth == MANY
    script.writes.clear()
    script.step(1.1, e.NodeLost(""))
    assert len(script.writes) + len(script.routes) <= SIDE_SLOTS + 2


def test_what_has_ended_is_freed_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        script = many()
        for number in range(MANY):
            script.step(1.0, delete(f"r{number + 1}"))
            script.step(1.0, saved)
            while script.node.queue_depth:
                if script.writes:
                    script.step(1.0, saved)
                elif script.routes:
                    script.step(1.0, routed)
                else:
                    script.step(1.0, lambda s: deleted(s.last_send.message.request_id.instance))
        assert script.node.subscriptions.e2 == {}
        assert gc.collect() < 50
    finally:
        gc.enable()
