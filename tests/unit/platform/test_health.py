# SPDX-License-Identifier: Apache-2.0
import pytest
from gevent.event import Event

from submgr.platform.health import Health


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


def test_a_resting_loop_is_not_stuck_and_a_working_one_is_after_its_time(clock):
    health = Health(clock=lambda: clock[0])
    worker = health.heartbeat("worker gnb_1", 10)
    clock[0] += 1000
    assert health.alive() == (True, [])
    worker.beat()
    clock[0] += 10
    assert health.alive() == (True, [])
    clock[0] += 0.1
    assert health.alive() == (False, ["worker gnb_1 has been stuck for 10 s"])
    worker.beat()
    assert health.alive() == (True, [])
    clock[0] += 11
    worker.rest()
    assert health.alive() == (True, [])
    worker.beat()
    clock[0] += 11
    assert health.alive()[0] is False
    health.forget(worker)
    assert health.alive() == (True, [])


def test_two_heartbeats_of_one_name_are_a_mistake():
    health = Health()
    health.heartbeat("a", 1)
    with pytest.raises(ValueError, match="a already"):
        health.heartbeat("a", 1)


def test_a_stuck_event_loop_is_told_for_a_while_after_it(clock):
    health = Health(clock=lambda: clock[0], interval=1000)
    health.start()
    clock[0] += 1004.9
    assert health.alive() == (True, [])
    assert health.longest_stall == pytest.approx(4.9)
    clock[0] += 1005
    assert health.alive() == (False, ["the event loop was stuck for 5.0 s"])
    clock[0] += 4.9
    assert health.alive()[0] is False
    clock[0] += 0.2
    assert health.alive() == (True, [])
    assert health.longest_stall == pytest.approx(5.0)
    health.stop()
    clock[0] += 100_000
    assert health.alive() == (True, [])


def test_the_watch_sees_a_stall_by_itself(clock):
    looked = Event()

    def read_clock() -> float:
        looked.set()
        return clock[0]

    health = Health(clock=read_clock, interval=0.001)
    health.start()
    looked.clear()
    clock[0] += 0.2  # what nothing here may take
    assert looked.wait(5)
    health.stop()
    assert health.longest_stall == pytest.approx(0.199)


def test_readiness_collects_reasons_and_warnings_apart():
    health = Health()
    state: dict[str, str | None] = {"db": "unreachable", "routes": None}
    health.require("database", lambda: state["db"])
    health.require("routes", lambda: state["routes"])
    health.warn("xApp routes", lambda: "none for 12010")
    got = health.ready()
    assert (got.ready, got.reasons, got.warnings) == (
        False, ["database: unreachable"], ["xApp routes: none for 12010"]
    )  # fmt: skip
    state["db"] = None
    assert health.ready().ready is True
    assert health.ready().warnings == ["xApp routes: none for 12010"]
