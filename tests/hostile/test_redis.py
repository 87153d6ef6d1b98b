# SPDX-License-Identifier: Apache-2.0
"""Whatever comes out of the database, the daemon's clients do not wait for it, and nothing in the daemon ends by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.hostile.ordeal import Attack
from support.hostile.redis import Relay
from support.hostile.site import Site
from support.hostile.table import REDIS
from support.processes.daemon import NODES, Neighbourhood
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with RedisServer() as redis, Neighbourhood(redis) as around:
        relay = Relay(redis.port)
        for name in NODES:
            around.e2term.disconnect(name)
            around.e2term.connect(name)
        with Site(around, {"DBAAS_SERVICE_PORT": str(relay.port)}) as site:
            site.relay = relay
            site.ports["redis"] = redis.port
            yield site
        relay.close()


@pytest.mark.parametrize("attack", REDIS, ids=lambda attack: attack.name)
def test_others_do_not_notice(site: Site, attack: Attack) -> None:
    site.endure(attack)
    still_watched(site)


def still_watched(site: Site) -> None:
    """What happens to an E2 node is seen within a second, as before."""
    site.around.e2term.disconnect("gnb_3")
    eventually(lambda: "gnb_3" not in site.daemon.platform("GET", "get_all_e2nodes")[1], 20.0)
    site.around.e2term.connect("gnb_3")
    eventually(lambda: "gnb_3" in site.daemon.platform("GET", "get_all_e2nodes")[1], 20.0)
