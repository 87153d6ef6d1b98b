# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.cli.platform import Platform


@pytest.fixture
def daemon() -> Iterator[Platform]:
    platform = Platform()
    yield platform
    platform.http.stop(grace=0)
