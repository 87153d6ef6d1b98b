# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from typing import Any

import gevent
import pytest
from gevent import socket

from submgr.platform.readable import silence, wait_until_readable, wait_until_readable_within

LIMIT = 0.001
WITHIN = [partial(wait_until_readable_within, seconds=seconds) for seconds in (10.0, inf)]
WAITS = pytest.mark.parametrize("wait", [wait_until_readable, *WITHIN])

Wait = Callable[[Any], None]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, peers = socket.socketpair()
    with ours, peers:
        yield ours, peers


@WAITS
def test_a_socket_with_something_to_read_is_not_waited_for(
    wait: Wait, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, peers = pair
    peers.send(b"x")
    wait(ours)
    assert ours.recv(9) == b"x"


@WAITS
def test_a_closed_socket_fails_as_when_it_is_read(wait: Wait, pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair
    ours.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        wait(ours)
        ours.recv(9)


@WAITS
def test_closing_a_socket_ends_the_wait_for_it(wait: Wait, pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair
    gevent.spawn(ours.close)
    with pytest.raises(OSError, match="closed"):
        wait(ours)


@pytest.mark.parametrize("own", [True, False], ids=["its own", "given"])
def test_a_wait_ends_with_its_time(own: bool, pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair
    ours.settimeout(LIMIT)
    with pytest.raises(TimeoutError):
        if own:
            wait_until_readable(ours)
        else:
            wait_until_readable_within(ours, LIMIT)


def test_a_connection_is_silent_as_long_as_there_is_nothing_to_read_on_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, peers = pair
    silent = silence(ours)
    assert silent()
    peers.send(b"x")
    assert not silent()
    ours.recv(9)
    assert silent()
    peers.close()
    assert not silent()
