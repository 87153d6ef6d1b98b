# SPDX-License-Identifier: Apache-2.0
"""An answer of redis is read as soon as it is there, whatever long work of others is under way."""

from __future__ import annotations

import time
from types import SimpleNamespace

import gevent
from gevent import socket

from submgr.platform.store.sdl_answers import BoundedParser
from submgr.platform.turns import pause
from tests.support.waiting import turns_until

LONG = 20
"""Greenlets at long work."""


def test_an_answer_that_was_waited_for_does_not_queue_behind_long_work() -> None:
    ours, redis = socket.socketpair()
    parser = BoundedParser(socket_read_size=65536)
    parser.on_connect(SimpleNamespace(_sock=ours, socket_timeout=None, encoder=None))
    pauses = 0

    def long_work() -> None:
        nonlocal pauses
        while True:
            until = time.monotonic() + 0.0005
            while time.monotonic() < until:
                pass
            pauses += 1
            pause()

    working = [gevent.spawn(long_work) for _ in range(LONG)]
    try:
        reading = gevent.spawn(parser.read_response)
        turns_until(lambda: pauses > 2 * LONG)
        begun = pauses
        redis.sendall(b"+OK\r\n")
        turns_until(reading.ready)
        assert reading.get() == b"OK"
        assert pauses - begun < LONG / 2
    finally:
        gevent.killall(working)
        ours.close()
        redis.close()
