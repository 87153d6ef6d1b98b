# SPDX-License-Identifier: Apache-2.0
"""Whatever a server answers that the daemon asks, the daemon's clients do not wait for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.hostile.http_out import Liar
from support.hostile.ordeal import Attack
from support.hostile.site import Site
from support.hostile.table import HTTP_OUT
from support.processes.daemon import Neighbourhood


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    liars = {name: Liar() for name in ("xapp", "rtmgr", "proxy")}
    mec = {"mecId": 5, "proxyUrl": f"http://127.0.0.1:{liars['proxy'].port}"}
    with Neighbourhood() as around, Site(around, rtmgr={"port": liars["rtmgr"].port}, mec=mec) as site:
        site.liars = liars
        yield site
    for liar in liars.values():
        liar.close()


@pytest.mark.parametrize("attack", HTTP_OUT, ids=lambda attack: attack.name)
def test_others_do_not_notice(site: Site, attack: Attack) -> None:
    site.endure(attack)
