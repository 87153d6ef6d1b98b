# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from functools import partial

import gevent
from gevent.queue import Queue

from submgr.simulators.events import EventLog, remember


def test_numbers_go_on_and_the_oldest_go_away() -> None:
    log = EventLog(limit=3)
    for number in range(5):
        log.add("even" if number % 2 == 0 else "odd", number=number)
    assert [entry["n"] for entry in log.entries()] == [3, 4, 5]
    assert [entry["number"] for entry in log.entries(since=3)] == [3, 4]
    assert [entry["number"] for entry in log.entries(event="odd")] == [3]
    times = [entry["time"] for entry in log.entries()]
    assert times == sorted(times)
    log.clear()
    log.add("last")
    assert [entry["n"] for entry in log.entries()] == [6]


def test_waiting_ends_with_the_event_that_fulfils_the_condition() -> None:
    log = EventLog()
    looked: Queue[int] = Queue()

    def holds(count: int) -> bool:
        looked.put(count)
        return len(log.entries()) >= count

    waiters = [gevent.spawn(log.wait, partial(holds, count), 5.0) for count in (1, 2, 3)]
    assert {looked.get(timeout=5) for _ in waiters} == {1, 2, 3}
    log.add("one")
    log.add("two")
    gevent.joinall(waiters[:2], timeout=5)
    assert [waiter.value for waiter in waiters] == [True, True, None]
    log.add("three")
    waiters[2].join(timeout=5)
    assert waiters[2].value is True


def test_waiting_in_vain() -> None:
    log = EventLog()
    assert not log.wait(lambda: False, timeout=0.01)
    assert not log.wait(lambda: False, timeout=0)
    assert log.wait(lambda: True, timeout=0)


def test_what_is_remembered_is_bounded() -> None:
    items: list[int] = []
    for number in range(1000):
        remember(items, number, kept=100)
        assert len(items) <= 110
    assert items[-1] == 999 and items == list(range(items[0], 1000)) and len(items) >= 100
