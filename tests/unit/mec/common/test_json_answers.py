# SPDX-License-Identifier: Apache-2.0
"""Large JSON answers of peers are checked without holding up the event loop."""

import time

import gevent
import pytest

from mec.common.json_answers import MOST_ELEMENTS, check_json


@pytest.mark.parametrize("data", [b"{}", b' {"a": [1, "\xc3\xbc"]} ', b'"' + b"x" * 3_000_000 + b'"', b"null"])
def test_json_passes(data):
    check_json(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a": 1} {',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{",
        b"[" * 100_000,
        b"[" + b"1," * MOST_ELEMENTS + b"1]",
        b'{"a":' * 400_000,
    ],
)
def test_anything_else_does_not(data):
    with pytest.raises(ValueError):
        check_json(data)


@pytest.mark.parametrize("data", [b"[" + b'{"a":1},' * 1_900_000 + b"1]", b'"' + b"x" * 15_000_000 + b'"'])
def test_the_longest_step_is_short(data):
    longest = 0.0

    def watch() -> None:
        nonlocal longest
        before = time.thread_time()
        while True:
            gevent.sleep(0.0001)
            now = time.thread_time()
            longest, before = max(longest, now - before), now

    watcher = gevent.spawn(watch)
    checking = gevent.spawn(check_json, data)
    checking.join()
    watcher.kill()
    assert longest < 0.05
