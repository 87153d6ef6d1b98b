# SPDX-License-Identifier: Apache-2.0
"""A frame before which none waits leaves at once; whatever hinders that is left to the queue."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

import gevent
import pytest
from gevent import socket
from msgspec.structs import replace
from support.waiting import turns_until

from submgr.rmr.counters import Counters
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.connection import Connection
from submgr.rmr.wire.endpoint import Endpoint
from submgr.rmr.wire.send_queue import Item, SendQueue

CONFIG = TransportConfig()


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def queue_of(config: TransportConfig = CONFIG) -> SendQueue:
    return SendQueue(config, Counters(), lambda failed, reason: failed(reason))


def item(frame: bytes) -> Item:
    return Item(frame, monotonic() + 10, None)


def come(theirs: Any) -> bytes:
    theirs.settimeout(0.0)
    try:
        return bytes(theirs.recv(1 << 16))
    except BlockingIOError:
        return b""


def test_a_frame_that_the_kernel_takes_is_over(pair: tuple[Any, Any]) -> None:
    queue = queue_of()
    assert queue.send_at_once(pair[0], item(b"first"))
    assert come(pair[1]) == b"first"
    assert len(queue) == 0 and queue._counters.transmitted == 1


def test_none_overtakes_those_that_wait(pair: tuple[Any, Any]) -> None:
    queue = queue_of()
    queue.put(item(b"first"))
    assert not queue.send_at_once(pair[0], item(b"second"))
    assert come(pair[1]) == b""


def test_none_leaves_while_nothing_may_be_sent(pair: tuple[Any, Any]) -> None:
    assert not queue_of(replace(CONFIG, may_send=lambda: False)).send_at_once(pair[0], item(b"first"))
    assert come(pair[1]) == b""


def test_what_the_kernel_did_not_take_follows_and_nothing_comes_twice(pair: tuple[Any, Any]) -> None:
    queue, frame = queue_of(), bytes(range(256)) * 16384
    large = item(frame)
    assert not queue.send_at_once(pair[0], large)
    queue.put(large)
    queue.put(item(b"second"))
    flushing = gevent.spawn(queue.flush, pair[0])
    expected, got = frame + b"second", bytearray()
    pair[1].settimeout(5.0)
    while len(got) < len(expected):
        got += pair[1].recv(1 << 16)
    flushing.get(timeout=5)
    assert got == expected and queue._counters.transmitted == 2


def test_a_broken_connection_is_met_by_the_flush(pair: tuple[Any, Any]) -> None:
    queue = queue_of()
    pair[1].close()
    first = item(b"first")
    assert not queue.send_at_once(pair[0], first)
    queue.put(first)
    with pytest.raises(OSError):
        queue.flush(pair[0])
    assert len(queue) == 1


class _Owner:
    config = CONFIG


def test_the_first_frame_of_a_turn_leaves_at_once_and_the_others_together(pair: tuple[Any, Any]) -> None:
    ours, theirs = pair
    endpoint = Endpoint("127.0.0.1:1", CONFIG, queue_of(), lambda sock, name: None, None)  # type: ignore[arg-type, return-value]
    endpoint.connection = Connection(ours, endpoint.name, _Owner())  # type: ignore[arg-type]
    try:
        for frame in (b"1", b"2", b"3"):
            assert endpoint.put(item(frame))
        assert come(theirs) == b"1" and endpoint.queued == 2
        turns_until(lambda: endpoint.queued == 0)
        assert come(theirs) == b"23" and endpoint.queued == 0
        endpoint.put(item(b"4"))
        assert come(theirs) == b"4"
    finally:
        endpoint._loop.stop()
