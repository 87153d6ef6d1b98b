# SPDX-License-Identifier: Apache-2.0
"""Whatever the configuration file has become, the daemon's clients do not wait, and a good one is taken after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.hostile.ordeal import Attack
from support.hostile.site import Site
from support.hostile.table import FILES
from support.processes.daemon import Neighbourhood
from support.waiting import eventually


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Neighbourhood() as around, Site(around) as site:
        yield site


@pytest.mark.parametrize("attack", FILES, ids=lambda attack: attack.name)
def test_others_do_not_notice(site: Site, attack: Attack) -> None:
    site.endure(attack)


def test_a_good_one_is_taken_after_them(site: Site) -> None:
    site.daemon.configure(controls={"ricRequestorId": 77})
    eventually(lambda: site.daemon.platform("GET", "config")[1]["controls"]["ricRequestorId"] == 77, 30.0)
    assert site.daemon.metric("submgr_config_reload_refused") == 0
