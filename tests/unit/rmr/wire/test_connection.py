# SPDX-License-Identifier: Apache-2.0
"""What a connection has kept is let go of when it is closed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket
from support.rmr.frames import frame
from support.waiting import turns_until

from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.connection import Connection
from submgr.rmr.wire.send_queue import SendQueue

LARGE = 1 << 20
BEGUN = frame(bytes(LARGE - 334))[: LARGE // 16]


class Owner:
    """A transport that keeps nothing."""

    crowded = False

    def __init__(self, config: TransportConfig) -> None:
        self.config = config
        self.kept = 0
        """Bytes of unfinished frames."""

    def new_send_queue(self) -> SendQueue:
        raise NotImplementedError

    def wait_for_room(self, connection: Connection) -> bool:
        return False

    def partial(self, connection: Connection, change: int) -> None:
        self.kept += change

    def take(self, *_: Any) -> None:
        pass

    unreadable = broken = closed = take


@pytest.fixture
def no_collections() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def closed(owner: Owner) -> weakref.ref[Connection]:
    """A connection that was closed in the middle of a frame."""
    ours, theirs = socket.socketpair()
    connection = Connection(ours, "peer:1", owner)
    reader = gevent.spawn(connection.read)
    theirs.sendall(BEGUN)
    turns_until(lambda: connection.pending == len(BEGUN) or connection._framer.streaming)
    connection.close("closed by the test")
    reader.join()
    theirs.close()
    return weakref.ref(connection)


@pytest.mark.usefixtures("no_collections")
@pytest.mark.parametrize("stream_above", [LARGE, 4096], ids=["whole", "streamed"])
def test_an_unfinished_frame_goes_with_its_connection(stream_above: int) -> None:
    owner = Owner(TransportConfig(stream_above=stream_above))
    gone = closed(owner)
    assert gone() is None, "it is kept until the next garbage collection"
    assert owner.kept == 0
