# SPDX-License-Identifier: Apache-2.0
"""JSON from elsewhere is read within bounds, and what cannot be stored or passed on is no JSON."""

from __future__ import annotations

import time

import gevent
import msgspec
import pytest
from support.waiting import turns_until

from submgr.platform.http.json_body import (
    MOST_BRACKETS,
    MOST_ELEMENTS,
    MOST_NAMES,
    NotJson,
    read_json,
    read_json_as,
    take_turn,
)
from submgr.platform.turns import pause, turn

LARGEST = 1 << 20


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, null]}', {"a": [1, None]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b" 7 ", 7),
    ],
)
def test_what_is_read(body: bytes, value: object) -> None:
    assert read_json(body) == value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b"NaN", "is not JSON"),
        (b"-Infinity", "is not JSON"),
        (b"[1e999]", "is not JSON"),
        (b"-1e400", "is not JSON"),
        (b"9" * 5000, "is not JSON"),
        (b'"\\ud800"', "is not JSON"),
        (b'"\xff"', "is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "is not JSON"),
        (b"[" * 100_000, "has too many parts"),
        (b"[" * 50_000, "is nested too deeply"),
        (b"{" + b'"a":1,' * (MOST_NAMES + 1) + b'"b":1}', "has too many parts"),
        (b"[" + b"{}," * (MOST_BRACKETS + 1) + b"1]", "has too many parts"),
        (b"[" + b"1," * (MOST_ELEMENTS + 1) + b"1]", "has too many parts"),
    ],
)
def test_what_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(NotJson, match=f"^{why}"):
        read_json(body)


def test_a_value_of_a_known_form() -> None:
    decoder = msgspec.json.Decoder(dict[str, int])
    assert read_json_as(decoder, b'{"a": 1}') == {"a": 1}
    with pytest.raises(NotJson, match=r"Expected `int`, got `str`"):
        read_json_as(decoder, b'{"a": "x"}')


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b",".join([b'{"a":[]}'] * (MOST_BRACKETS // 2 - 1)) + b"]",
        b"{" + b",".join(b'"%x":1' % number for number in range(MOST_NAMES)) + b"}",
        b"[" + b"1," * (LARGEST // 2 - 1) + b"1]",
        b'"' + b"x" * LARGEST + b'"',
    ],
    ids=["lists", "names", "numbers", "a string"],
)
def test_what_passes_is_read_in_milliseconds(body: bytes) -> None:
    best = min(_seconds(body) for _ in range(3))
    assert best < 0.1


def _seconds(body: bytes) -> float:
    begun = time.process_time()
    read_json(body)
    return time.process_time() - begun


def test_our_own_long_work_does_not_queue_behind_large_bodies() -> None:
    read = 0

    def client() -> None:
        nonlocal read
        while True:
            take_turn(1 << 20)
            until = time.monotonic() + 0.0005
            while time.monotonic() < until:
                pass
            read += 1
            turn()

    clients = [gevent.spawn(client) for _ in range(30)]
    try:
        turns_until(lambda: read > 60)
        pause()
        before = read
        for _ in range(4):
            pause()
        assert 0 < read - before < 4 * 30  # else each pause has waited for all of them
    finally:
        gevent.killall(clients)
