# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of a mixed load: after a start, resending and deleting, nothing is lost and nothing left.

CHAOS_KILLS is the number of kills for each database (a few by default; `make chaos` for many).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence

import gevent
import pytest
from gevent.pool import Group
from support.chaos.load import Client, RmrClient, clients
from support.processes.daemon import NODES, Daemon, Neighbourhood
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

KILLS = int(os.environ.get("CHAOS_KILLS", "3"))
CHECK_EVERY = 3

REDIS = pytest.param(True, id="redis", marks=pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING))


@pytest.fixture(params=[pytest.param(False, id="sqlite"), REDIS])
def around(request: pytest.FixtureRequest) -> Iterator[Neighbourhood]:
    if not request.param:
        with Neighbourhood(rmr=True) as neighbours:
            yield neighbours
        return
    with RedisServer(durable=True) as redis, Neighbourhood(redis, rmr=True) as neighbours:
        yield neighbours


def subscribed(daemon: Daemon) -> Callable[[Client], bool]:
    """Whether each detail of an xApp's request is subscribed."""
    rests = daemon.rests()
    return lambda xapp: len(rests[xapp.subscription_id]["InstanceIds"]) == len(xapp.body["SubscriptionDetails"])


def resend_then_delete(around: Neighbourhood, daemon: Daemon, xapps: list[Client]) -> None:
    for xapp in xapps:
        eventually(xapp.send, what="accepted again after the start")
    eventually(lambda: all(map(subscribed(daemon), xapps)), 20.0)
    held = {item["SubscriptionId"] for item in daemon.listed()}
    eventually(lambda: {i for name in NODES for i in around.holds(name)} == held)
    eventually(lambda: set(around.rtmgr.routes) == held, what=lambda: (around.rtmgr.routes, held))
    for xapp in xapps:
        xapp.delete()
    for name in NODES:  # what is left is that of the older xApp, and of requests whose answer was lost
        status, _ = daemon.platform("DELETE", f"delete_all_e2node_subscriptions/{name}")
        assert status == 200
    eventually(lambda: around.empty() and daemon.listed() == [] and not daemon.rests(), 20.0)


def test_nothing_is_lost_by_kills(around: Neighbourhood) -> None:
    seed = int(os.environ.get("CHAOS_SEED", "0")) or random.randrange(1 << 30)
    rng = random.Random(seed)
    around.node_does(delay=0.01)
    around.rtmgr_does(delay=0.003)
    with Daemon(around) as daemon:
        xapps = clients(around, daemon, rng)
        older = RmrClient(around, daemon, rng)
        try:
            for kill in range(1, KILLS + 1):
                load([*xapps, older], daemon, rng.random() * 0.6)
                if rng.random() < 0.2:
                    killed_while_it_starts(daemon, rng.random())
                daemon.start()
                if kill % CHECK_EVERY == 0 or kill == KILLS:
                    resend_then_delete(around, daemon, xapps)
        except AssertionError as failed:
            raise AssertionError(f"CHAOS_SEED={seed}: {failed}") from failed
        eventually(daemon.clean, what=daemon.stored)


def killed_while_it_starts(daemon: Daemon, seconds: float) -> None:
    """Before, while or after it reads the database and sets right what was cut."""
    daemon.start(wait=False)
    gevent.sleep(seconds)
    daemon.kill()


def load(xapps: Sequence[Client | RmrClient], daemon: Daemon, seconds: float) -> None:
    """Everybody at once, for so long; then the daemon is killed."""
    group = Group()
    for xapp in xapps:
        xapp.stop = False
        group.spawn(xapp.run)
    gevent.sleep(seconds)
    daemon.kill()
    for xapp in xapps:
        xapp.stop = True
    group.join(timeout=10.0, raise_error=True)
