# SPDX-License-Identifier: Apache-2.0
"""An orchestrator in a world in memory."""

from collections.abc import Iterator

import pytest

from tests.support.meo_world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    world.start()
    yield world
    world.stop()
