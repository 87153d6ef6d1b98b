# SPDX-License-Identifier: Apache-2.0
"""Whatever an RMR peer or a route manager sends, the daemon's clients do not wait for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.hostile.ordeal import Attack
from support.hostile.site import Site
from support.hostile.table import RMR
from support.ports import free_port
from support.processes.daemon import Neighbourhood


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    routes = free_port()
    with Neighbourhood() as around, Site(around, {"RMR_RTG_SVC": str(routes)}) as site:
        site.ports["routes"] = routes
        yield site


@pytest.mark.parametrize("attack", RMR, ids=lambda attack: attack.name)
def test_others_do_not_notice(site: Site, attack: Attack) -> None:
    site.endure(attack)
