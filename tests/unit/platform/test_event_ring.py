# SPDX-License-Identifier: Apache-2.0
"""The ring keeps the newest events of each severity, and knows what a reader has missed."""

from __future__ import annotations

from dataclasses import dataclass

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.waiting import turns_until

from submgr.platform.event_ring import EventRing

PLACES = {0: 4, 1: 2, 2: 3}


@dataclass(frozen=True, slots=True)
class Entry:
    number: int
    severity: int = 0


def ring(*severities: int) -> EventRing[Entry]:
    made: EventRing[Entry] = EventRing(PLACES, clock=lambda: 1000.0)
    for severity in severities:
        made.put(Entry(made.last + 1, severity))
    return made


@given(st.lists(st.sampled_from(sorted(PLACES))), st.integers(0, 40), st.sampled_from(sorted(PLACES)))
def test_the_newest_of_each_severity_are_kept(severities: list[int], number: int, least: int) -> None:
    made = ring(*severities)
    entries = [Entry(index + 1, severity) for index, severity in enumerate(severities)]
    kept = [
        entry
        for entry in entries
        if sum(other.severity == entry.severity for other in entries[entry.number :]) < PLACES[entry.severity]
    ]
    assert list(made.newest_first()) == kept[::-1]
    assert made.after(number) == [entry for entry in kept if entry.number > number]
    gone = [entry for entry in entries if entry not in kept and entry.number > number]
    told = made.missed(number, least)
    assert told == (len(gone) if any(entry.severity >= least for entry in gone) else 0)


def test_ids_are_known_to_be_of_this_run() -> None:
    made = ring(0)
    (entry,) = made.after(0)
    assert made.number_of(made.id_of(entry)) == 1
    assert made.number_of("zzz-1") is None
    for text in ("", "1", "-1", f"{made.run}-", f"{made.run}-x", f"{made.run}-\u0661", "A-1", f"{made.run}-{'1' * 19}"):
        with pytest.raises(ValueError, match="is no id of an event"):
            made.number_of(text)


def test_who_waits_is_told_of_the_next_event_and_of_the_end() -> None:
    made = ring(0)
    made.wait(0, 60.0)
    waiting = [gevent.spawn(made.wait, 1, 60.0) for _ in range(3)]
    gevent.idle()
    assert not any(each.ready() for each in waiting)
    made.put(Entry(2))
    turns_until(lambda: all(each.ready() for each in waiting))
    last = gevent.spawn(made.wait, 2, 60.0)
    gevent.idle()
    made.close()
    turns_until(last.ready)
    made.wait(2, 60.0)
