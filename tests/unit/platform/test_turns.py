# SPDX-License-Identifier: Apache-2.0
"""Long work gives the others their turn, and two long ones never work in the same turn of the event loop."""

from __future__ import annotations

import time

import gevent

from submgr.platform.turns import SLICE, in_turns, pause, turn


def work() -> None:
    end = time.monotonic() + SLICE * 1.2
    while time.monotonic() < end:
        pass


def iteration() -> int:
    return int(gevent.get_hub().loop.iteration)


def test_others_run_between_two_slices() -> None:
    turns = 0

    def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            turn()

    greenlet = gevent.spawn(other)
    seen = []
    for _ in in_turns(range(4)):
        seen.append(turns)
        work()
    greenlet.kill()
    assert seen == sorted(set(seen)), "no turn between two slices"


def test_short_work_is_not_interrupted() -> None:
    before = iteration()
    assert list(in_turns(range(1000))) == list(range(1000))
    assert iteration() - before <= 1


def test_two_long_ones_take_turns() -> None:
    when: dict[str, list[int]] = {"a": [], "b": [], "c": []}

    def long(name: str) -> None:
        for _ in in_turns(range(4)):
            when[name].append(iteration())
            work()

    gevent.joinall([gevent.spawn(long, name) for name in when], raise_error=True)
    # the first slice of each is before anybody can know that it is long
    later = [turn for turns in when.values() for turn in turns[1:]]
    assert len(later) == 9 and len(set(later)) == len(later)


def test_long_ones_go_on_in_the_order_in_which_they_paused() -> None:
    """Not the one that has just gone on again and again, while the others wait for its end."""
    order: list[str] = []

    def long(name: str) -> None:
        for _ in range(5):
            pause()
            order.append(name)

    gevent.joinall([gevent.spawn(long, name) for name in "abc"], raise_error=True)
    assert "".join(order) == "abc" * 5


def test_one_that_is_killed_in_its_pause_holds_up_nobody() -> None:
    first, second, third = (gevent.spawn(pause) for _ in range(3))
    gevent.spawn(first.kill)
    gevent.spawn(second.kill)
    third.get(timeout=5)
