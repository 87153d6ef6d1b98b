# SPDX-License-Identifier: Apache-2.0
"""What a load asks for, and when its deletes are over."""

from __future__ import annotations

import json
from typing import Any

import gevent
import pytest

from submgr.bench import load as module
from submgr.bench.children import BenchError
from submgr.bench.load import Load, body_of


class Around:
    """Neighbours that hold so many subscriptions and routes, one count for each look."""

    def __init__(self, subscriptions: list[int], endpoints: list[int]) -> None:
        self.subscriptions, self.endpoints = subscriptions, endpoints

    def node_subscriptions(self) -> int:
        return self.subscriptions.pop(0) if len(self.subscriptions) > 1 else self.subscriptions[0]

    def route_endpoints(self) -> int:
        return self.endpoints.pop(0) if len(self.endpoints) > 1 else self.endpoints[0]


class Subject:
    watched = ()
    xapp_address = ("127.0.0.1", 1)

    def __init__(self, around: Around, foreign: bool) -> None:
        self.neighbours: Any = around
        self.foreign = foreign


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes 10 ms."""
    now = [0.0]

    class Time:
        process_time = staticmethod(lambda: 0.0)
        monotonic = staticmethod(lambda: now[0])

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(module, "time", Time)
    monkeypatch.setattr(gevent, "sleep", sleep)


def test_a_phase_of_deletes_is_over_when_nobody_holds_anything() -> None:
    load = Load(Subject(Around([9, 5, 2], [9, 9, 9, 3]), foreign=False), None, 1)  # type: ignore[arg-type]
    figures = load.delete("delete", 0, [], (2, 3))
    assert figures.seconds == pytest.approx(0.05)
    assert load.remarks == []


def test_what_another_implementation_leaves_is_remarked_and_takes_no_time() -> None:
    load = Load(Subject(Around([9, 5, 2], [9, 7]), foreign=True), None, 1)  # type: ignore[arg-type]
    figures = load.delete("delete", 0, [], (2, 3))
    assert figures.seconds == pytest.approx(0.03)
    assert load.remarks == ["4 more than expected are left at the Routing Manager"]


def test_our_own_daemon_leaves_nothing() -> None:
    load = Load(Subject(Around([9], [0]), foreign=False), None, 1)  # type: ignore[arg-type]
    with pytest.raises(BenchError, match="deletes did not arrive at the E2 nodes within 120 s"):
        load.delete("delete", 0, [], (2, 3))


def test_distinct_numbers_have_distinct_contents() -> None:
    bodies = [json.loads(body_of([number], 8080, "gnb_1", host="127.0.0.2")) for number in (1, 65537)]
    assert bodies[0]["SubscriptionDetails"] != bodies[1]["SubscriptionDetails"]
    assert bodies[0]["ClientEndpoint"] == {"Host": "127.0.0.2", "HTTPPort": 8080, "RMRPort": 4560}


def test_the_first_error_ends_all_and_nothing_else_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    load = Load(Subject(Around([0], [0]), foreign=False), None, 1)  # type: ignore[arg-type]
    with pytest.raises(BenchError, match="nothing answers at"):
        load.delete("delete", 3, ["a", "b"], (0, 0))
    assert capsys.readouterr().err == ""
