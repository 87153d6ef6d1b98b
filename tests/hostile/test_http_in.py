# SPDX-License-Identifier: Apache-2.0
"""Whatever a client of the HTTP listeners sends, the other clients are answered and the daemon stays within bounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.hostile.ordeal import Attack
from support.hostile.site import Site
from support.hostile.table import HTTP_IN
from support.processes.daemon import Daemon, Neighbourhood, detail


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A daemon with subscriptions enough for a list of some 100 kB."""
    with Neighbourhood() as around, Site(around) as site:
        fill(site.daemon, around, 300)
        yield site


def fill(daemon: Daemon, around: Neighbourhood, subscriptions: int) -> None:
    for number in range(subscriptions):
        daemon.subscribe(around.request("gnb_1", detail(1, [number % 256, number // 256])))
    assert around.xapp.wait(subscriptions)


@pytest.mark.parametrize("attack", HTTP_IN, ids=lambda attack: attack.name)
def test_others_do_not_notice(site: Site, attack: Attack) -> None:
    site.endure(attack)
