# SPDX-License-Identifier: Apache-2.0
"""Two daemons on one redis that loses all it has: nothing is forgotten, and nobody takes over for it."""

from __future__ import annotations

import gevent
import pytest
from support.processes.daemon import Neighbourhood
from support.processes.pair import LEASE, MOST, Pair, at_node_and_listed, subscribed
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]


def test_an_emptied_database_is_filled_again_and_nobody_takes_over(
    around: Neighbourhood, pair: Pair, redis: RedisServer
) -> None:
    active, standby = pair.both
    subscribed(around, active)
    stored = active.stored()
    redis.command("FLUSHALL")
    eventually(lambda: active.stored() == stored)
    gevent.sleep(2 * LEASE)
    assert active.is_ready()
    assert "standby of submgr-0" in pair.says(standby)
    active.kill()
    assert pair.until_ready(standby) < MOST
    assert len(at_node_and_listed(around, standby)[1]) == 3


@pytest.mark.parametrize("away", [0.5, LEASE + 2.0])
def test_a_database_that_comes_back_empty_costs_nothing(
    around: Neighbourhood, pair: Pair, redis: RedisServer, away: float
) -> None:
    active, standby = pair.both
    subscribed(around, active)
    redis.kill()
    gevent.sleep(away)
    redis.start()
    around.tell_rnib()
    pair.until_ready(active, 3 * LEASE)
    assert len(at_node_and_listed(around, active)[1]) == 3
    gevent.sleep(2 * LEASE)
    assert active.is_ready()
    assert "standby of submgr-0" in pair.says(standby)


def test_a_database_that_comes_back_empty_without_the_active_one_is_filled_by_the_standby(
    around: Neighbourhood, pair: Pair, redis: RedisServer
) -> None:
    active, standby = pair.both
    ids = subscribed(around, active)
    redis.kill()
    active.kill()
    redis.start()
    around.tell_rnib()
    pair.until_ready(standby, 4 * LEASE)
    assert at_node_and_listed(around, standby)[1] == set(ids)
    assert set(standby.stored()["submgr_restSubsDb"]) == set(ids)
