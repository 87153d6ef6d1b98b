# SPDX-License-Identifier: Apache-2.0
"""The fixture of every test that plays with everything round a node."""

from __future__ import annotations

import pytest
from support.core.world import World


@pytest.fixture
def world() -> World:
    return World()
