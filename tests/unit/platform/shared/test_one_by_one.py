# SPDX-License-Identifier: Apache-2.0
"""Who changes the same record waits, who changes another one does not, and nothing is left behind."""

from __future__ import annotations

import gevent
from gevent.event import Event

from submgr.platform.shared.one_by_one import OneByOne
from submgr.platform.turns import turn


def test_the_same_record_one_after_the_other() -> None:
    records, order, go = OneByOne(), [], Event()

    def change(key: str, name: str) -> None:
        with records.turn(key):
            order.append(f"{name} begins")
            go.wait()
            order.append(f"{name} ends")

    changing = [gevent.spawn(change, key, name) for key, name in (("a", "one"), ("a", "two"), ("b", "three"))]
    for _ in range(5):
        turn()
    assert order == ["one begins", "three begins"]
    go.set()
    gevent.joinall(changing, raise_error=True)
    assert [each for each in order if "three" not in each] == ["one begins", "one ends", "two begins", "two ends"]
    assert records._records == {}


def test_who_fails_leaves_the_turn_to_the_next_one() -> None:
    records = OneByOne()
    for _ in range(2):
        try:
            with records.turn("a"):
                raise ValueError
        except ValueError:
            pass
    assert records._records == {}
