# SPDX-License-Identifier: Apache-2.0
"""Idle connections are handed out again, last in first out, within their bounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gevent import socket
from support.waiting import turns_until

from submgr.platform.http.errors import Endpoint
from submgr.platform.http.idle_pool import IdlePool

A, B, C = (Endpoint("http", name, 80) for name in "abc")


class Pairs:
    """Connected sockets; `peer` is the other end of one."""

    def __init__(self) -> None:
        self._pairs: list[tuple[socket.socket, socket.socket]] = []

    def new(self) -> socket.socket:
        self._pairs.append(socket.socketpair())
        return self._pairs[-1][0]

    def peer(self, sock: socket.socket) -> socket.socket:
        return next(theirs for ours, theirs in self._pairs if ours is sock)

    def close(self) -> None:
        for pair in self._pairs:
            for sock in pair:
                sock.close()


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
    for sock in (good, ended, stray):
        pool.put(A, sock)
    pairs.peer(ended).close()
    pairs.peer(stray).sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert pool.take(A) is good
    assert [ended.fileno(), stray.fileno()] == [-1, -1]
    pool.close()


def test_above_a_bound_the_connection_idle_for_longest_is_closed(pairs):
    pool = IdlePool(2, 3, 10)
    socks = [pairs.new() for _ in range(5)]
    for endpoint, sock in zip((A, A, A, B, C), socks, strict=True):
        pool.put(endpoint, sock)
    assert [sock.fileno() == -1 for sock in socks] == [True, True, False, False, False]
    assert len(pool) == 3
    pool.close()
    assert all(sock.fileno() == -1 for sock in socks)


def test_old_connections_are_closed_and_not_handed_out(pairs):
    pool = IdlePool(3, 3, 1e-6)
    sock = pairs.new()
    pool.put(A, sock)
    turns_until(lambda: not len(pool))
    assert sock.fileno() == -1
    assert pool.take(A) is None
