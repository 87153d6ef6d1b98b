# SPDX-License-Identifier: Apache-2.0
"""Idle connections are handed out again, last in first out, within their bounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gevent import socket
from support.waiting import turns_until

from submgr.platform.http.buffered_socket import BufferedSocket
from submgr.platform.http.errors import Endpoint
from submgr.platform.http.idle_pool import IdlePool

A, B, C = (Endpoint("http", name, 80) for name in "abc")


class Pairs:
    """Connections; `peer` is the other end of one."""

    def __init__(self) -> None:
        self._pairs: list[tuple[BufferedSocket, socket.socket]] = []

    def new(self) -> BufferedSocket:
        ours, theirs = socket.socketpair()
        self._pairs.append((BufferedSocket(ours), theirs))
        return self._pairs[-1][0]

    def peer(self, connection: BufferedSocket) -> socket.socket:
        return next(theirs for ours, theirs in self._pairs if ours is connection)

    def close(self) -> None:
        for pair in self._pairs:
            for end in pair:
                end.close()


def closed(connection: BufferedSocket) -> bool:
    return connection.sock.fileno() == -1


@pytest.fixture
def pairs() -> Iterator[Pairs]:
    pairs = Pairs()
    yield pairs
    pairs.close()


def test_the_connection_put_back_last_is_taken_first(pairs):
    pool = IdlePool(3, 3, 10)
    first, second = pairs.new(), pairs.new()
    pool.put(A, first)
    pool.put(A, second)
    assert pool.take(B) is None
    assert [pool.take(A), pool.take(A), pool.take(A)] == [second, first, None]
    assert len(pool) == 0
    pool.close()


def test_a_connection_that_ended_or_has_stray_bytes_is_not_handed_out(pairs):
    pool = IdlePool(3, 3, 10)
    good, ended, stray = pairs.new(), pairs.new(), pairs.new()
    for connection in (good, ended, stray):
        pool.put(A, connection)
    pairs.peer(ended).close()
    pairs.peer(stray).sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert pool.take(A) is good
    assert closed(ended) and closed(stray)
    pool.close()


def test_above_a_bound_the_connection_idle_for_longest_is_closed(pairs):
    pool = IdlePool(2, 3, 10)
    connections = [pairs.new() for _ in range(5)]
    for endpoint, connection in zip((A, A, A, B, C), connections, strict=True):
        pool.put(endpoint, connection)
    assert [closed(connection) for connection in connections] == [True, True, False, False, False]
    assert len(pool) == 3
    pool.close()
    assert all(closed(connection) for connection in connections)


def test_old_connections_are_closed_and_not_handed_out(pairs):
    pool = IdlePool(3, 3, 1e-6)
    connection = pairs.new()
    pool.put(A, connection)
    turns_until(lambda: not len(pool))
    assert closed(connection)
    assert pool.take(A) is None
