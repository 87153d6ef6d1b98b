# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gevent

from submgr.platform.mailbox import Mailbox


def test_items_come_in_order_whenever_they_were_put() -> None:
    box: Mailbox[int] = Mailbox()
    taken: list[int] = []

    def take() -> None:
        while len(taken) < 6:
            box.wait()
            taken.append(box.items.popleft())

    box.put(0)
    taker = gevent.spawn(take)
    for number in (1, 2, 3):
        gevent.spawn(box.put, number)
    for number in (4, 5):
        gevent.spawn_later(0.002 * number, box.put, number)
    taker.join(10)
    assert taken == [0, 1, 2, 3, 4, 5]
    assert len(box.items) == 0


def test_many_that_are_put_at_once_are_one_wait() -> None:
    box: Mailbox[int] = Mailbox()
    looks = []

    def take() -> None:
        while sum(looks) < 10:
            box.wait()
            looks.append(len(box.items))
            for _ in range(len(box.items)):
                box.items.popleft()

    taker = gevent.spawn(take)
    gevent.sleep(0)
    for number in range(10):
        box.put(number)
    taker.join(10)
    assert looks == [10]


def test_who_was_ended_in_its_wait_holds_up_nobody() -> None:
    box: Mailbox[int] = Mailbox()
    ended = gevent.spawn(box.wait)
    gevent.sleep(0)
    ended.kill()
    box.put(1)
    box.put(2)
    with gevent.Timeout(10):
        box.wait()
    assert [*box.items] == [1, 2]


def test_who_is_ended_when_something_has_just_come_leaves_it() -> None:
    box: Mailbox[int] = Mailbox()
    ended = gevent.spawn(box.wait)
    gevent.sleep(0)
    box.put(1)
    ended.kill()
    assert len(box.items) == 1
    with gevent.Timeout(10):
        box.wait()
