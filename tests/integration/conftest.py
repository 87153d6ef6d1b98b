# SPDX-License-Identifier: Apache-2.0
"""What tests have that need nothing special: a redis, the neighbours on it, and two daemons; each test its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.processes.daemon import Neighbourhood
from support.processes.pair import Pair
from support.processes.redis_server import RedisServer


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """It keeps nothing over a restart, like that of a RIC."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def around(redis: RedisServer) -> Iterator[Neighbourhood]:
    with Neighbourhood(redis) as around:
        yield around


@pytest.fixture
def pair(around: Neighbourhood) -> Iterator[Pair]:
    with Pair(around) as pair:
        yield pair
