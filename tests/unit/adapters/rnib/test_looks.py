# SPDX-License-Identifier: Apache-2.0
"""Readings of single nodes: one per node and second, shared by those who ask meanwhile, none while they fail."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from submgr.adapters.rnib.looks import INTERVAL, Looks
from submgr.platform.store.base import StoreError, StoreUnavailable
from submgr.platform.turns import turn


class Reader:
    def __init__(self) -> None:
        self.read: list[str] = []
        self.error: StoreError | None = None
        self.gate = Event()
        self.gate.set()
        self.now = 100.0
        self.looks = Looks(self, lambda: self.now)

    def __call__(self, meid: str) -> None:
        self.read.append(meid)
        self.gate.wait()
        if self.error is not None:
            raise self.error


@pytest.fixture
def reader() -> Reader:
    return Reader()


def test_a_node_is_read_once_a_second(reader: Reader) -> None:
    for _ in range(3):
        for meid in ("a", "b"):
            reader.looks.look(meid)
    assert reader.read == ["a", "b"]
    reader.now += INTERVAL
    reader.looks.look("a")
    assert reader.read == ["a", "b", "a"]


def test_who_asks_meanwhile_waits_for_the_same_reading(reader: Reader) -> None:
    reader.gate.clear()
    asking = [gevent.spawn(reader.looks.look, "a") for _ in range(5)]
    turn()
    assert not any(each.ready() for each in asking)
    reader.gate.set()
    gevent.joinall(asking, timeout=5, raise_error=True)
    assert reader.read == ["a"]


def test_after_a_failure_nobody_looks_for_a_second(reader: Reader) -> None:
    reader.error = StoreUnavailable("away")
    for meid in "abc":
        reader.looks.look(meid)
    assert reader.read == ["a"]
    reader.now += INTERVAL
    reader.looks.look("b")
    assert reader.read == ["a", "b"]


def test_a_limit_of_the_caller_is_the_caller_s(reader: Reader) -> None:
    reader.gate.clear()
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.001):
        reader.looks.look("a")
    reader.gate.set()
    reader.now += INTERVAL
    reader.looks.look("a")
    assert reader.read == ["a", "a"]


def test_many_names_are_not_remembered_for_ever(reader: Reader) -> None:
    for number in range(1001):
        reader.looks.look(f"{number}")
    reader.looks.look("1000")
    reader.looks.look("0")
    assert reader.read[1000:] == ["1000", "0"]
