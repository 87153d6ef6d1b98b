# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from submgr.adapters.journal.entries import Entry, Facts, Kind, Severity
from submgr.adapters.journal.tallies import KNOWN, REFUSING_FOR, SAMPLES, STEP, Sample, Tallies

FAILURE = Entry(1, 0.0, Kind.SUBSCRIPTION, Severity.WARNING, Facts("failed"))


class Clock:
    def __init__(self) -> None:
        self.now = 1000 * STEP

    def __call__(self) -> float:
        return self.now


def test_steps_are_samples_when_they_are_over_also_empty_ones() -> None:
    clock = Clock()
    tallies = Tallies(clock)
    for milliseconds in range(1, 101):
        tallies.subscribed("gnb_1", milliseconds / 1000, clock.now)
    tallies.deleted(clock.now)
    tallies.failed("gnb_1", "xapp", FAILURE, clock.now, refused=False)
    assert tallies.history() == (clock.now, [])
    clock.now += 2 * STEP
    newest, samples = tallies.history()
    assert newest == clock.now
    assert samples == [Sample(100, 1, 1, 0.051, 0.1), Sample()]


def test_an_hour_is_kept_and_a_long_silence_costs_nothing() -> None:
    clock = Clock()
    tallies = Tallies(clock)
    tallies.deleted(clock.now)
    clock.now += 10_000_000 * STEP
    _, samples = tallies.history()
    assert samples == [Sample()] * SAMPLES


def test_rates_are_of_the_last_minute() -> None:
    clock = Clock()
    tallies = Tallies(clock)
    for _ in range(50):
        tallies.deleted(clock.now)
    assert tallies.rates() == (0, 10, 0), "a step at least, so that a second's work is no rate"
    clock.now += 60
    assert tallies.rates()[1] == 50 / 60
    clock.now += STEP
    assert tallies.rates()[1] == 0


def test_a_minute_of_each_node() -> None:
    clock = Clock()
    tallies = Tallies(clock)
    assert tallies.of_node("gnb_1") is None
    tallies.subscribed("gnb_1", 0.1, clock.now)
    clock.now += STEP
    tallies.failed("gnb_1", "xapp", FAILURE, clock.now, refused=True)
    tally = tallies.of_node("gnb_1")
    assert tally is not None and (sum(tally.subscribes), sum(tally.failures)) == (1, 1)
    clock.now += 11 * STEP
    tally = tallies.of_node("gnb_1")
    assert tally is not None and (sum(tally.subscribes), sum(tally.failures)) == (0, 1)
    clock.now += STEP
    tally = tallies.of_node("gnb_1")
    assert tally is not None and (sum(tally.subscribes), sum(tally.failures)) == (0, 0)
    assert tally.last_failure is FAILURE


def test_refusals_are_forgotten_when_nobody_asks_any_more() -> None:
    clock = Clock()
    tallies = Tallies(clock)
    for _ in range(3):
        tallies.failed("gnb_1", "", FAILURE, clock.now, refused=True)
    tallies.failed("gnb_1", "", FAILURE, clock.now, refused=False)
    assert tallies.refused_in_a_row("gnb_1") == 3
    clock.now += REFUSING_FOR + 1
    assert tallies.refused_in_a_row("gnb_1") == 0
    assert tallies.refused_in_a_row("gnb_2") == 0


def test_so_many_nodes_and_xapps_are_known() -> None:
    clock = Clock()
    tallies = Tallies(clock)
    for number in range(KNOWN + 10):
        tallies.failed(f"gnb_{number}", f"xapp {number}", FAILURE, clock.now, refused=False)
    assert tallies.of_node("gnb_9") is None and tallies.of_node("gnb_10") is not None
    assert tallies.failure_of("xapp 9") is None and tallies.failure_of("xapp 10") is FAILURE
