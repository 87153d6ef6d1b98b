# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gevent
import pytest
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from submgr.platform import time_limit
from submgr.platform.time_limit import TimeLimit
from tests.support.waiting import turns_until

SOON = 0.002
LATE = 60.0


def test_what_is_over_in_time_is_left_alone() -> None:
    for _ in range(3):
        with TimeLimit(LATE) as limit:
            gevent.sleep(0)
        assert limit.late is None


def test_what_takes_longer_is_ended_and_knows_by_which_limit() -> None:
    with pytest.raises(gevent.Timeout) as raised, TimeLimit(LATE) as outer, TimeLimit(SOON) as inner:
        Event().wait()
    assert raised.value is inner.late
    assert raised.value.seconds == SOON
    assert outer.late is None


def test_a_quiet_one_ends_its_body_only() -> None:
    with TimeLimit(SOON, quiet=True) as limit:
        Event().wait()
    assert limit.late is not None
    with pytest.raises(gevent.Timeout), TimeLimit(LATE, quiet=True):
        raise gevent.Timeout(1)


def test_each_of_many_is_ended_in_the_order_in_which_they_began() -> None:
    ended: list[int] = []

    def task(number: int, stays: bool) -> None:
        try:
            with TimeLimit(SOON):
                if stays:
                    Event().wait()
        except gevent.Timeout:
            ended.append(number)

    for number in range(20):
        gevent.spawn(task, number, number % 3 == 0)
    turns_until(lambda: len(ended) == 7)
    assert ended == sorted(ended)
    gevent.sleep(0)
    with pytest.raises(gevent.Timeout), TimeLimit(SOON):  # the row goes on
        Event().wait()


def test_who_waits_for_the_place_of_one_that_is_late_is_late_too(monkeypatch: pytest.MonkeyPatch) -> None:
    place, had = BoundedSemaphore(1), []
    began = time_limit.monotonic()

    def task(number: int) -> None:
        with TimeLimit(SOON, quiet=True), place:
            had.append(number)
            Event().wait()

    with monkeypatch.context() as at_once:  # on a busy machine one of them might begin later than the others
        at_once.setattr(time_limit, "monotonic", lambda: began)
        tasks = [gevent.spawn(task, number) for number in range(5)]
        gevent.sleep(0)
    gevent.joinall(tasks)
    assert had == [0]


def test_one_that_was_killed_is_not_ended_again() -> None:
    def task() -> None:
        with TimeLimit(SOON):
            Event().wait()

    killed = gevent.spawn(task)
    gevent.sleep(0)
    killed.kill()
    with pytest.raises(gevent.Timeout), TimeLimit(SOON):
        Event().wait()
    assert isinstance(killed.value, gevent.GreenletExit)


def test_lengths_that_nobody_uses_any_more_are_forgotten() -> None:
    lengths = [SOON + number * 1e-6 for number in range(50)]
    again = TimeLimit(lengths[0])
    for seconds in lengths:
        with TimeLimit(seconds):
            pass
    turns_until(lambda: not set(lengths) & set(time_limit._rows))
    with pytest.raises(gevent.Timeout), again:  # also one that was made before
        Event().wait()
