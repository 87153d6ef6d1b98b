# SPDX-License-Identifier: Apache-2.0
"""All peers together have one slice of each turn of the event loop, and who has worked little goes first."""

from __future__ import annotations

import time

import gevent
from gevent.event import Event

from submgr.platform.fair import LITTLE, SLICE, Share
from submgr.platform.turns import turn


def work(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        continue


def test_many_that_are_ready_at_once_do_not_share_one_turn():
    """Twenty greenlets with half a slice of work each: a whole turn for each two of them, and no more."""
    turns = 0
    done: list[int] = []

    def count() -> None:
        nonlocal turns
        while True:
            turn()
            turns += 1

    def serve(n: int) -> None:
        share = Share()
        share.spend()
        work(SLICE / 2)
        done.append(n)

    counter = gevent.spawn(count)
    gevent.joinall([gevent.spawn(serve, n) for n in range(20)])
    counter.kill()
    assert done == list(range(20))
    assert turns >= 5


def test_who_has_worked_little_goes_before_those_who_have_worked_much():
    order: list[str] = []
    began = Event()

    def much(n: int) -> None:
        share = Share()
        for _ in range(5):
            work(LITTLE * 2)
            began.set()
            share.spend()
            order.append(f"much {n}")

    def little() -> None:
        began.wait()
        share = Share()
        share.spend()
        order.append("little")

    gevent.joinall([*(gevent.spawn(much, n) for n in range(10)), gevent.spawn(little)])
    assert order.index("little") < 20, "of fifty: behind the first of each, and those before all had come"


def test_who_has_worked_much_goes_on_while_others_keep_coming():
    ended = Event()

    def comes_anew() -> None:
        share = Share()
        while not ended.is_set():
            share.renew()
            share.spend()
            work(SLICE / 5)

    def much() -> None:
        share = Share()
        for _ in range(5):
            share.spend()
            work(LITTLE * 2)
        ended.set()

    gevent.joinall([*(gevent.spawn(comes_anew) for _ in range(20)), gevent.spawn(much)], timeout=20)
    assert ended.is_set()


def test_alone_there_is_nobody_to_wait_for():
    share = Share()
    pieces = 0
    until = time.monotonic() + SLICE / 4
    while time.monotonic() < until:
        share.spend()
        pieces += 1
    assert pieces > 100


def test_one_that_is_ended_while_it_waits_holds_up_nobody():
    def spends() -> None:
        work(LITTLE * 2)
        share = Share()
        for _ in range(20):
            share.spend()
            work(SLICE)

    ended, goes_on = gevent.spawn(spends), gevent.spawn(spends)
    turn()
    ended.kill()
    goes_on.join(timeout=10)
    assert goes_on.ready()
