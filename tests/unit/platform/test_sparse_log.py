# SPDX-License-Identifier: Apache-2.0
import logging

from submgr.platform.sparse_log import LibraryBound, Outage, Sparsely


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


def test_each_peer_is_told_once_a_minute_at_most(caplog):
    now = [0.0]
    sparsely = Sparsely(logging.getLogger("peers"), clock=lambda: now[0])
    for _ in range(3):
        sparsely.warning("frame", "10.0.0.1", "length 0; connection closed")
        sparsely.warning("frame", "10.0.0.2", "length 0; connection closed")
    now[0] = 60
    sparsely.warning("frame", "10.0.0.1", "length 0; connection closed")
    assert [(record.peer, getattr(record, "times", None)) for record in caplog.records] == [
        ("10.0.0.1", None), ("10.0.0.2", None), ("10.0.0.1", 3)
    ]  # fmt: skip


def test_a_percent_sign_in_a_peers_words_formats_nothing(caplog):
    Sparsely(logging.getLogger("percent")).log(logging.WARNING, "a", "sent %s and %d")
    assert caplog.messages == ["sent %s and %d"]


def test_the_lines_of_a_library_are_bounded_and_ours_are_not():
    now = [0.0]
    bound = LibraryBound(burst=2, interval=60, clock=lambda: now[0])

    def passed(name: str, level: int = logging.WARNING) -> tuple[bool, int | None]:
        record = logging.makeLogRecord({"name": name, "levelno": level, "msg": "undecodable"})
        return bound.filter(record), getattr(record, "times", None)

    assert [passed("pycrate.asn1rt") for _ in range(4)] == [(True, None)] * 2 + [(False, None)] * 2
    assert passed("pycrate.asn1rt", logging.ERROR) == (True, None)
    assert passed("redis") == (True, None)
    assert [passed("submgr.rest.errors")[0] for _ in range(50)] == [True] * 50
    now[0] = 60
    assert passed("pycrate.asn1rt") == (True, 3)


def test_a_burst_of_a_kind_is_logged_and_all_kinds_together_have_a_bound(caplog):
    now = [0.0]
    sparsely = Sparsely(logging.getLogger("burst"), clock=lambda: now[0], burst=3, most=5)
    for kind in ("a", "b", "c"):
        for _ in range(4):
            sparsely.log(logging.WARNING, kind, kind)
    assert "".join(record.message for record in caplog.records) == "aaabb"
    now[0] = 61.0
    caplog.clear()
    sparsely.log(logging.WARNING, "c", "c")
    sparsely.log(logging.WARNING, "a", "a")
    told = [(record.message, getattr(record, "times", None)) for record in caplog.records]
    assert told == [("6 more lines of kinds of their own were left out", None), ("c", 5), ("a", 2)]
