# SPDX-License-Identifier: Apache-2.0
"""Connections take turns in the receive queue, and readers wait for room without waiting for others' messages."""

from __future__ import annotations

from time import monotonic

import gevent
import pytest
from support.waiting import turns_until

from submgr.rmr.message import Message
from submgr.rmr.receive_queue import ReceiveQueue

A_TURN = 0.002


def batch(*numbers: int) -> list[Message]:
    return [Message(number) for number in numbers]


def work(seconds: float = A_TURN) -> None:
    until = monotonic() + seconds
    while monotonic() < until:
        continue


def test_readers_are_held_back_until_half_is_handled() -> None:
    queue = ReceiveQueue(max_messages=4, max_bytes=1000)
    queue.put(batch(1, 2), 10)
    assert not queue.full()
    queue.put(batch(3, 4, 5), 10)
    seen: list[tuple[int, bool]] = []

    def handle(message: Message) -> None:
        seen.append((message.mtype, queue.full()))
        work()
        if message.mtype == 5:
            queue.stop()

    queue.run(handle)
    assert seen == [(1, True), (2, True), (3, True), (4, False), (5, False)]


def test_bytes_fill_the_queue_too() -> None:
    queue = ReceiveQueue(max_messages=4, max_bytes=1000)
    queue.put(batch(1), 1000)
    assert queue.full()


def test_connections_take_turns_and_each_keeps_its_order() -> None:
    queue = ReceiveQueue(max_messages=100, max_bytes=1000)
    queue.put(batch(*range(10, 15)), 10, "flood")
    queue.put(batch(20, 21), 10, "other")
    handled: list[int] = []

    def handle(message: Message) -> None:
        handled.append(message.mtype)
        work()
        if message.mtype == 14:
            queue.stop()

    queue.run(handle)
    assert handled == [10, 20, 11, 21, 12, 13, 14]


def test_who_has_nothing_waiting_is_read_although_others_fill_the_queue() -> None:
    queue = ReceiveQueue(max_messages=4, max_bytes=1000)
    queue.put(batch(1, 2, 3, 4), 10, "flood")
    assert queue.full()
    assert queue.wait_for_room("other") is False
    held_back = gevent.spawn(queue.wait_for_room, "flood")
    gevent.sleep(0)
    assert not held_back.ready()


def test_who_has_everything_handled_is_read_although_others_fill_the_queue() -> None:
    queue = ReceiveQueue(max_messages=4, max_bytes=1000)
    queue.put(batch(9), 10, "other")
    queue.put(batch(1, 2, 3, 4), 10, "flood")
    waited = gevent.spawn(queue.wait_for_room, "other")
    seen: list[tuple[int, bool]] = []

    def handle(message: Message) -> None:
        seen.append((message.mtype, waited.ready()))
        gevent.sleep(0)
        if message.mtype == 1:
            queue.stop()

    gevent.sleep(0)
    queue.run(handle)
    assert seen[0] == (9, False)
    assert queue.full() and waited.get(timeout=5) is True


def test_bytes_that_fill_the_queue_hold_back_who_has_begun_a_frame() -> None:
    queue = ReceiveQueue(max_messages=100, max_bytes=1000)
    queue.put(batch(1), 1000, "flood")
    assert queue.wait_for_room("other", begun=False) is False
    held_back = gevent.spawn(queue.wait_for_room, "other", begun=True)
    running = gevent.spawn(queue.run, lambda message: None)
    turns_until(held_back.ready)
    assert held_back.value is True and not queue.full()
    running.kill()


def test_a_handler_that_stops_the_queue_handles_the_last_message() -> None:
    queue = ReceiveQueue(max_messages=10, max_bytes=1000)
    queue.put(batch(1, 2, 3), 10)
    handled: list[int] = []

    def handle(message: Message) -> None:
        handled.append(message.mtype)
        if message.mtype == 2:
            queue.stop()

    queue.run(handle)
    assert (handled, len(queue)) == ([1, 2], 1)


def test_after_an_exception_the_next_message_is_handled() -> None:
    queue = ReceiveQueue(max_messages=10, max_bytes=1000)
    queue.put(batch(1, 2), 10)
    handled: list[int] = []

    def handle(message: Message) -> None:
        handled.append(message.mtype)
        if message.mtype == 1:
            raise ZeroDivisionError
        queue.stop()

    with pytest.raises(ZeroDivisionError):
        queue.run(handle)
    queue.run(handle)
    assert handled == [1, 2]
