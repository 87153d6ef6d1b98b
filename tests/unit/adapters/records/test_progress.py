# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging

import pytest
from support.core.outside import Outside, report

from submgr.adapters.records.progress import LONG, RestoreProgress
from submgr.core.events import Restored
from submgr.core.handlers.recovery import by_node


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def restored(outside: Outside) -> dict[str, Restored]:
    return by_node(outside.e2.values(), outside.rest.values(), (), lambda _: True)


@pytest.fixture
def outside() -> Outside:
    """With three REST and three E2 subscriptions."""
    outside = Outside()
    for number in range(1, 4):
        outside.post("gnb_1", f"r{number}", report(number))
    return outside


def test_the_part_of_the_records_that_is_live(outside: Outside, caplog: pytest.LogCaptureFixture) -> None:
    clock, nodes = Clock(), [worker.node for worker in outside.dispatcher.workers]
    live = [nodes[:0]]
    progress = RestoreProgress(lambda: live[0], clock)
    progress.begin()
    assert (progress.part(), progress.words()) == (0.0, "the records are being read from the database")
    progress.loaded([*restored(outside).values(), *restored(outside).values()])
    assert (progress.part(), progress.words()) == (0.0, "0 of 12 records are restored")
    live[0] = nodes
    assert (progress.part(), progress.words()) == (0.5, "6 of 12 records are restored")
    clock.now += LONG + 1
    with caplog.at_level(logging.INFO):
        progress.complete()
    assert progress.part() == 1.0
    (line,) = caplog.records
    assert (line.getMessage(), vars(line)["records"]) == ("all subscriptions are restored", 12)


def test_a_short_restore_of_nothing_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    progress = RestoreProgress(list, Clock())
    progress.begin()
    progress.loaded([])
    assert progress.part() == 0.0
    with caplog.at_level(logging.INFO):
        progress.complete()
    assert (progress.part(), caplog.records) == (1.0, [])
