# SPDX-License-Identifier: Apache-2.0
import logging

from submgr.platform.sparse_log import Outage, Sparsely


def test_sparsely_logs_the_first_and_then_counts(caplog):
    now = [0.0]
    sparsely = Sparsely(logging.getLogger("flood"), interval=60, max_kinds=2, clock=lambda: now[0])
    for _ in range(5):
        sparsely.log(logging.WARNING, "a", "unknown answer", meid="x")
    sparsely.log(logging.WARNING, "b", "other")
    now[0] = 61
    sparsely.log(logging.WARNING, "a", "unknown answer", meid="y")
    assert [(r.message, getattr(r, "meid", None), getattr(r, "times", None)) for r in caplog.records] == [
        ("unknown answer", "x", None), ("other", None, None), ("unknown answer", "y", 5)
    ]  # fmt: skip
    sparsely.log(logging.WARNING, "c", "third kind forgets the oldest")
    sparsely.log(logging.WARNING, "b", "other")
    assert caplog.records[-1].message == "other"


def test_an_outage_is_told_at_once_then_after_growing_pauses_and_once_at_its_end(caplog):
    caplog.set_level(logging.INFO)
    now = [0.0]
    outage = Outage(logging.getLogger("outage"), first=10, longest=40, clock=lambda: now[0])
    outage.over("well")
    for second in range(151):
        now[0] = float(second)
        outage.goes_on(f"refused {second}", "refused")
    told = [record.message for record in caplog.records]
    assert told == [f"refused {second}" for second in (0, 10, 30, 70, 110, 150)]
    assert [getattr(record, "times", None) for record in caplog.records] == [None, 10, 20, 40, 40, 40]
    outage.over("well again")
    outage.over("well again")
    assert [record.message for record in caplog.records][6:] == ["well again"]


def test_an_outage_that_comes_and_goes_is_not_told_each_time(caplog):
    caplog.set_level(logging.INFO)
    now = [0.0]
    outage = Outage(logging.getLogger("outage"), first=10, clock=lambda: now[0])
    for _ in range(9):
        outage.goes_on("away")
        outage.over("back")
        now[0] += 1
    assert [record.message for record in caplog.records] == ["away", "back"]
    outage.goes_on("away, for another reason")
    assert caplog.records[-1].message == "away, for another reason"
    outage.over("back")
    now[0] = 1000
    caplog.clear()
    outage.goes_on("away")
    assert [(record.message, getattr(record, "times", None)) for record in caplog.records] == [("away", None)]


def test_an_outage_with_ever_new_words_does_not_flood_the_log(caplog):
    outage = Outage(logging.getLogger("outage"), clock=lambda: 0.0)
    for number in range(1000):
        outage.goes_on(f"request {number} failed")
    assert len(caplog.records) == 20
