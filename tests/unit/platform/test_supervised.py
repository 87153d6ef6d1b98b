# SPDX-License-Identifier: Apache-2.0
"""A background loop goes on whatever its steps raise, and says when they keep failing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from itertools import count

import gevent
import pytest
from gevent.event import Event

from submgr.platform import supervised
from submgr.platform.health import Health
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import SLICE, pause, turn
from tests.support.waiting import turns_until


class Steps:
    """Each step takes the next of `fates`: an exception is raised, anything else returned; then the steps wait."""

    def __init__(self, *fates: object) -> None:
        self.fates = list(fates)
        self.begun = 0
        self.over = Event()

    def __call__(self) -> bool | None:
        self.begun += 1
        if self.fates:
            fate = self.fates.pop(0)
            if isinstance(fate, BaseException):
                raise fate
            return fate is not False
        self.over.wait()
        return None


@pytest.fixture
def looping() -> Iterator[Callable[..., SupervisedLoop]]:
    made: list[SupervisedLoop] = []

    def start(step: Callable[[], bool | None], name: str = "a loop") -> SupervisedLoop:
        loop = SupervisedLoop(name, step, longest_pause=0.001)
        made.append(loop)
        loop.start()
        return loop

    yield start
    for loop in made:
        loop.stop()


@pytest.mark.parametrize(
    "error",
    [ValueError("no"), RecursionError(), MemoryError(), gevent.Timeout(1.0)],
)
def test_whatever_a_step_raises_the_next_one_is_made(
    looping: Callable[..., SupervisedLoop], error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    before, steps = supervised.failures["odd"], Steps(error, True, error)
    loop = looping(steps, "odd")
    turns_until(lambda: steps.begun == 4)
    assert loop.running
    assert supervised.failures["odd"] == before + 2
    assert type(error).__name__ in caplog.text


def test_a_flood_of_failures_is_one_line(
    looping: Callable[..., SupervisedLoop], caplog: pytest.LogCaptureFixture
) -> None:
    steps = Steps(*(ZeroDivisionError() for _ in range(20)))
    with caplog.at_level(logging.ERROR):
        looping(steps, "flood")
        turns_until(lambda: steps.begun == 21)
    assert sum(record.message.startswith("flood") for record in caplog.records) == 1
    assert "Traceback" in caplog.text


def test_readiness_names_a_loop_that_keeps_failing_until_a_step_goes_well(
    looping: Callable[..., SupervisedLoop],
) -> None:
    health, gate = Health(), Event()

    def step() -> None:
        gate.wait()
        gate.clear()
        if failing:
            raise ValueError("still wrong")

    failing = True
    loop = looping(step, "watcher")
    for _ in range(supervised.KEEPS_FAILING):
        assert health.ready().warnings == []
        gate.set()
        turns_until(lambda: not gate.is_set())
    turns_until(lambda: loop.trouble is not None)
    assert health.ready().ready
    (warning,) = health.ready().warnings
    assert warning.startswith("background: watcher failed 2 times in a row")
    assert "ValueError: still wrong" in warning
    failing = False
    gate.set()
    turns_until(lambda: loop.trouble is None)
    assert health.ready().warnings == []


def test_the_pause_grows_to_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(supervised.gevent, "sleep", pauses.append)
    steps = Steps(*(ValueError() for _ in range(5)), True, ValueError(), False)
    loop = SupervisedLoop("a loop", steps, longest_pause=0.5)
    loop.start()
    loop.join()
    assert pauses == [0.1, 0.2, 0.4, 0.5, 0.5, 0.1]


def test_a_step_that_returns_false_is_the_last_until_the_next_start(looping: Callable[..., SupervisedLoop]) -> None:
    steps = Steps(None, False, None, False)
    loop = looping(steps)
    loop.join()
    assert (steps.begun, loop.running) == (2, False)
    loop.start()
    loop.join()
    assert steps.begun == 4


def test_a_step_that_never_waits_does_not_hold_up_others(looping: Callable[..., SupervisedLoop]) -> None:
    looping(lambda: None)
    passed = Event()
    gevent.spawn_later(0.0005, passed.set)
    assert passed.wait(10)


def test_a_step_that_has_waited_gives_no_turn_on_top_of_it(
    looping: Callable[..., SupervisedLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it has waited: the others have had their turn meanwhile."""
    given: list[str] = []
    monkeypatch.setattr(supervised, "turn", lambda: given.append("a turn"))
    monkeypatch.setattr(time, "monotonic", count(step=1).__next__)  # each look at the clock is a second later
    steps = 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        turn()
        return steps < 5

    looping(step).join()
    assert (steps, given) == (5, [])


def test_stop_ends_a_step_and_a_pause(looping: Callable[..., SupervisedLoop]) -> None:
    waiting, failing = Steps(), Steps(*(ValueError() for _ in range(100000)))
    for steps in (waiting, failing):
        loop = looping(steps)
        turns_until(lambda: steps.begun > 0)  # noqa: B023
        loop.stop()
        begun = steps.begun
        gevent.sleep(0.001)
        assert (steps.begun, loop.running, loop.trouble) == (begun, False, None)


def test_a_step_may_stop_its_own_loop(looping: Callable[..., SupervisedLoop]) -> None:
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        loop.stop()

    loop = looping(step)
    turns_until(lambda: steps == 1)
    gevent.sleep(0.001)
    assert (steps, loop.running) == (1, False)


def test_a_loop_does_not_queue_behind_the_long_work_of_others(looping: Callable[..., SupervisedLoop]) -> None:
    """A step that has waited has used up its slice of time, too: the loop gives one turn, and no more."""
    others, after = [], []

    def other() -> None:
        pause()
        others.append(1)

    def step() -> bool:
        until = time.monotonic() + 2 * SLICE
        while time.monotonic() < until:
            pass
        after.append(len(others))
        return len(after) < 3

    crowd = [gevent.spawn(other) for _ in range(200)]
    turns_until(lambda: others)
    loop = looping(step)
    turns_until(lambda: not loop.running)
    assert after[-1] < 100, "three steps took as long as the work of all others"
    gevent.joinall(crowd)
