# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import gevent
import pytest
from gevent.event import Event

from submgr.platform.crew import Crew
from tests.support.waiting import turns_until


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew(idle=2)
    yield crew
    crew.stop()


def who(found: list[gevent.Greenlet]) -> Callable[[], None]:
    return lambda: found.append(gevent.getcurrent())


def test_one_greenlet_does_one_task_after_the_other(crew: Crew) -> None:
    found: list[gevent.Greenlet] = []
    for n in range(1, 4):
        crew.do(who(found))
        turns_until(lambda n=n: len(found) == n and not crew.working)
    assert len(set(found)) == 1


def test_no_task_waits_for_another(crew: Crew) -> None:
    gate, begun = Event(), []

    def task() -> None:
        begun.append(gevent.getcurrent())
        gate.wait()

    for _ in range(10):
        crew.do(task)
    turns_until(lambda: len(begun) == 10)
    assert crew.working == len(set(begun)) == 10
    gate.set()
    turns_until(lambda: not crew.working)
    turns_until(lambda: sum(not each.dead for each in begun) == 2)
    gate.clear()
    for _ in range(3):  # two that are idle, and a new one
        crew.do(task)
    turns_until(lambda: len(begun) == 13)
    assert len(set(begun)) == 11


def test_a_bug_in_a_task_ends_that_task(crew: Crew, caplog: pytest.LogCaptureFixture) -> None:
    found: list[gevent.Greenlet] = []
    with caplog.at_level(logging.ERROR):
        crew.do(lambda: found.append(gevent.getcurrent()) or 1 / 0)  # type: ignore[arg-type, func-returns-value]
        turns_until(lambda: not crew.working)
    assert "ZeroDivisionError" in caplog.text
    crew.do(who(found))
    turns_until(lambda: len(found) == 2)
    assert found[0] is found[1]


def test_what_is_under_way_at_the_end_is_ended() -> None:
    crew, ended = Crew(), []

    def task() -> None:
        try:
            Event().wait()
        finally:
            ended.append(1)

    crew.do(task)
    gevent.sleep(0)
    crew.stop()
    assert ended == [1]
    crew.do(lambda: ended.append(2))
    gevent.sleep(0)
    assert ended == [1]


def test_the_end_waits_for_what_is_nearly_done() -> None:
    crew, gate, ended = Crew(), Event(), []

    def task() -> None:
        gate.wait()
        ended.append(1)

    crew.do(task)
    gevent.spawn(gate.set)
    crew.stop(5.0)
    assert ended == [1]
