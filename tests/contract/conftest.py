# SPDX-License-Identifier: Apache-2.0
"""What several contract tests have: a redis, and a measure of how long others wait."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import gevent
import pytest
from support.processes.redis_server import RedisServer


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Keeps nothing over a restart but what was saved by SAVE."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def longest_gap() -> Iterator[Callable[[], float]]:
    """The longest CPU time (s) between two turns of a greenlet: other processes and garbage collection do not count."""
    gaps = [0.0]
    gc.collect()
    gc.disable()

    def tick() -> None:
        last = time.process_time()
        while True:
            gevent.sleep(0.001)
            now = time.process_time()
            gaps.append(now - last)
            last = now

    ticking = gevent.spawn(tick)
    yield lambda: max(gaps)
    ticking.kill()
    gc.enable()
