# SPDX-License-Identifier: Apache-2.0
"""The process has as many descriptors as the kernel allows, and no part of it takes them all."""

import resource

import pytest

from submgr.platform.descriptors import part, raise_limit
from submgr.platform.outbox import Outbox


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "lane"),
    [
        (1024, resource.RLIM_INFINITY, 65536, 1024),
        (1024, 4096, 4096, 512),
        (1024, 1_000_000, 65536, 1024),
        (256, 256, 256, 32),
        (100_000, 1_000_000, 100_000, 1024),
    ],
)
def test_limits(monkeypatch, soft, hard, raised, lane):
    limits = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda which, wanted: limits.append(wanted))
    assert part(1024) == lane
    assert Outbox()._lane == lane
    raise_limit()
    assert limits[-1] == (raised, hard)
