# SPDX-License-Identifier: Apache-2.0
"""The pieces of a stream, without a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pytest

from submgr.platform.event_ring import EventRing
from submgr.platform.http import event_stream
from submgr.platform.http.event_stream import EventStreams
from submgr.platform.http.open_stream import Listener

MANY = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    number: int
    severity: int = 0


@pytest.fixture
def ring() -> EventRing[Entry]:
    return EventRing({0: 10, 1: MANY}, clock=lambda: 1000.0)


def pieces(ring: EventRing[Entry], behind: int = 0) -> Iterator[bytes]:
    streams = EventStreams(ring, lambda entry: f"kind{entry.severity}", lambda entry: b"%d" % entry.number)
    lines = streams._lines(lambda entry: True, 0, behind, Listener({}))
    assert next(lines) == b": events\n\n"
    return lines


def told(piece: bytes) -> list[tuple[str, object]]:
    """The types and data of the events of a piece."""
    blocks = [
        dict(line.split(": ", 1) for line in block.splitlines()) for block in piece.decode().split("\n\n") if block
    ]
    return [(block["event"], json.loads(block["data"])) for block in blocks]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream.gevent, "sleep", lambda _: None)


def test_what_is_missing_is_told_once_although_the_severities_lose_theirs_at_different_numbers(
    ring: EventRing[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "_PIECE", 20)
    for number in range(1, 101):
        ring.put(Entry(number, number % 2))
    found = [told(piece) for piece in islice(pieces(ring), 3)]
    gaps = [data for piece in found for kind, data in piece if kind == "gap"]
    assert gaps == [{"Missed": 40}]
    numbers = [data for piece in found for kind, data in piece if kind != "gap"]
    assert numbers == [*range(1, 81, 2), *range(81, 101)]


def test_a_slow_client_is_told_what_it_missed_meanwhile(ring: EventRing[Entry]) -> None:
    ring.put(Entry(1))
    stream = pieces(ring)
    assert told(next(stream)) == [("kind0", 1)]
    for number in range(2, 32):
        ring.put(Entry(number))
    assert told(next(stream))[:2] == [("gap", {"Missed": 20}), ("kind0", 22)]
    for number in range(32, 52):
        ring.put(Entry(number))
    assert told(next(stream))[:2] == [("gap", {"Missed": 10}), ("kind0", 42)]


def test_a_piece_has_a_bound(ring: EventRing[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "_PIECE_BYTES", 500)
    for number in range(1, 101):
        ring.put(Entry(number, 1))
    found = list(islice(pieces(ring), 3))
    assert all(400 < len(piece) < 700 for piece in found)
    assert [data for piece in found for _, data in told(piece)] == list(range(1, 1 + sum(len(told(p)) for p in found)))


def test_a_stream_ends_when_the_ring_is_closed(ring: EventRing[Entry]) -> None:
    ring.put(Entry(1))
    stream = pieces(ring)
    next(stream)
    ring.close()
    assert list(stream) == []
