# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from gevent.event import Event

from submgr.rmr import mtypes
from submgr.rmr.counters import Counters
from submgr.rmr.message import Message, Status
from submgr.rmr.receiver import Receiver
from submgr.rmr.transport import TransportConfig


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
    application.receiver.queue.put([Message(1), Message(2)], 10)
    application.receiver.stop()
    assert application.counters.dropped == {"stopped": 2}


def test_a_bug_of_a_sender_does_not_reach_the_transport() -> None:
    application = Application()

    def failed(reason: str) -> None:
        raise KeyError(reason)

    application.receiver.tell(failed, "no connection")
    assert [str(bug) for bug in application.bugs] == ["'no connection'"]
