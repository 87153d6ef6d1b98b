# SPDX-License-Identifier: Apache-2.0
"""A large answer is made once for all who ask at the same time, and never before one of them has asked."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event
from support.waiting import turns_until

from submgr.platform.http.shared_answers import SharedAnswers
from submgr.platform.turns import turn


class Maker:
    """Makes answers with a number, each within some turns."""

    def __init__(self) -> None:
        self.begun = 0
        self.running = 0
        self.most = 0

    def make(self) -> bytes:
        self.begun += 1
        mine = self.begun
        self.running += 1
        self.most = max(self.most, self.running)
        for _ in range(3):
            turn()
        self.running -= 1
        return b"answer %d" % mine


def test_those_who_ask_at_the_same_time_get_the_same_object():
    answers, maker = SharedAnswers[object](), Maker()
    free, asked = Event(), 0

    def ask() -> object:
        nonlocal asked
        asked += 1
        return answers.get(maker.make)

    gevent.spawn(answers.get, free.wait, "another, which is being made")
    asking = [gevent.spawn(ask) for _ in range(50)]
    turns_until(lambda: asked == 50)
    free.set()
    gevent.joinall(asking)
    assert maker.begun == 1
    assert len({id(greenlet.value) for greenlet in asking}) == 1


def test_who_asks_while_one_is_being_made_gets_one_that_is_begun_afterwards():
    answers, maker = SharedAnswers[bytes](), Maker()
    first = gevent.spawn(answers.get, maker.make)
    while not maker.begun:
        turn()
    late = [gevent.spawn(answers.get, maker.make) for _ in range(10)]
    gevent.joinall([first, *late])
    assert first.value == b"answer 1"
    assert {greenlet.value for greenlet in late} == {b"answer 2"}
    assert maker.most == 1


def test_answers_of_different_names_are_made_one_after_the_other():
    answers, maker = SharedAnswers[bytes](), Maker()
    asking = [gevent.spawn(answers.get, maker.make, f"{n % 5}") for n in range(20)]
    gevent.joinall(asking)
    assert (maker.begun, maker.most) == (5, 1)
    assert len({greenlet.value for greenlet in asking}) == 5


def test_a_failure_is_told_to_all_who_wait_and_to_nobody_afterwards():
    def fails() -> bytes:
        raise ValueError("broken")

    answers = SharedAnswers[bytes]()
    told: list[str] = []

    def ask() -> None:
        with pytest.raises(ValueError, match="broken"):
            answers.get(fails)
        told.append("broken")

    gevent.joinall([gevent.spawn(ask) for _ in range(3)], raise_error=True)
    assert len(told) == 3
    assert answers.get(lambda: b"well") == b"well"


def test_the_others_do_not_wait_for_one_whose_greenlet_was_ended():
    answers, maker = SharedAnswers[bytes](), Maker()
    first = gevent.spawn(answers.get, maker.make)
    other = gevent.spawn(answers.get, maker.make)
    while not maker.begun:
        turn()
    first.kill()
    other.join(timeout=5)
    assert other.ready()
    assert answers.get(lambda: b"well") == b"well"
