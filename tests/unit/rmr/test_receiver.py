# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from gevent.event import Event

from submgr.rmr import mtypes
from submgr.rmr.counters import Counters
from submgr.rmr.message import Message, Status
from submgr.rmr.receiver import ReceiveQueue, Receiver
from submgr.rmr.transport import TransportConfig


def batch(*numbers: int) -> list[Message]:
    return [Message(number) for number in numbers]


def test_readers_are_held_back_until_half_is_handled() -> None:
    queue = ReceiveQueue(max_messages=4, max_bytes=1000)
    queue.put(batch(1, 2), 10)
    assert not queue.full()
    queue.put(batch(3, 4, 5), 10)
    seen: list[tuple[int, bool]] = []

    def handle(message: Message) -> None:
        seen.append((message.mtype, queue.full()))
        if message.mtype == 6:
            queue.stop()
        elif message.mtype == 5:
            queue.put(batch(6), 10)

    queue.run(handle)
    assert seen == [(1, True), (2, True), (3, True), (4, True), (5, True), (6, False)]


def test_bytes_fill_the_queue_too() -> None:
    queue = ReceiveQueue(max_messages=4, max_bytes=1000)
    queue.put(batch(1), 1000)
    assert queue.full()


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


class Application:
    """A handler whose first message is a bug, with its receiver."""

    def __init__(self) -> None:
        self.handled: list[int] = []
        self.bugs: list[BaseException] = []
        self.counters = Counters()
        self.over = Event()
        self.receiver = Receiver(TransportConfig(), self.counters, self._handle, self.bugs.append, self._answer)

    def _handle(self, message: Message) -> None:
        if not self.bugs:
            raise ZeroDivisionError
        self.handled.append(message.mtype)
        self.over.set()

    def _answer(self, check: Message) -> Status:
        return Status.NOENDPT if check.src else Status.OK


def test_bugs_are_told_and_health_checks_answered_in_their_turn() -> None:
    application = Application()
    check = mtypes.RIC_HEALTH_CHECK_REQ
    application.receiver.queue.put([Message(1), Message(check), Message(check, src="gone:1"), Message(2)], 10)
    application.receiver.start()
    assert application.over.wait(timeout=5)
    application.receiver.stop()
    assert [type(bug) for bug in application.bugs] == [ZeroDivisionError]
    assert application.handled == [2]
    assert (application.counters.received, application.counters.handler_errors) == (4, 1)
    assert application.counters.dropped == {"health_check": 1}


def test_what_is_left_at_a_stop_is_counted() -> None:
    application = Application()
    application.receiver.queue.put(batch(1, 2), 10)
    application.receiver.stop()
    assert application.counters.dropped == {"stopped": 2}


def test_a_bug_of_a_sender_does_not_reach_the_transport() -> None:
    application = Application()

    def failed(reason: str) -> None:
        raise KeyError(reason)

    application.receiver.tell(failed, "no connection")
    assert [str(bug) for bug in application.bugs] == ["'no connection'"]
