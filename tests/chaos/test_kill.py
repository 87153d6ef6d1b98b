# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of a mixed load: after a start, resending and deleting, nothing is lost and nothing left.

CHAOS_KILLS is the number of kills for each database (a few by default; `make chaos` for many).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from daemon import NODES, Daemon, Neighbourhood, detail, eventually
from gevent.pool import Group
from redis_server import MISSING, REDIS_SERVER, RedisServer

from submgr.platform.http_client import HttpError

KILLS = int(os.environ.get("CHAOS_KILLS", "6"))
CHECK_EVERY = 3
XAPPS = 3
REQUESTS = 5

REDIS = pytest.param(True, id="redis", marks=pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING))


@pytest.fixture(params=[pytest.param(False, id="sqlite"), REDIS])
def around(request: pytest.FixtureRequest) -> Iterator[Neighbourhood]:
    if not request.param:
        with Neighbourhood() as neighbours:
            yield neighbours
        return
    with RedisServer(durable=True) as redis, Neighbourhood(redis) as neighbours:
        yield neighbours


class Client:
    """One xApp with one request: sends it, sends it again, updates it, deletes it, in any order, one after the other.

    `subscription_id` is what the last answer said; None when it has none, or a DELETE may have been taken.
    """

    def __init__(self, body: dict[str, Any], daemon: Daemon, rng: random.Random) -> None:
        self.body = body
        self.daemon = daemon
        self.rng = rng
        self.subscription_id: str | None = None
        self.stop = False

    def run(self) -> None:
        while not self.stop:
            try:
                if self.subscription_id is not None and self.rng.random() < 0.3:
                    self.delete()
                else:
                    self.send()
            except HttpError:
                gevent.sleep(0.01)
            gevent.sleep(self.rng.random() * 0.05)

    def send(self) -> bool:
        """The identical request never gets a second id while the first one is not deleted."""
        status, answer = self.daemon.post(self.body)
        if status != 201:
            assert status in (409, 503), answer
            return False
        given = answer["SubscriptionId"]
        assert self.subscription_id in (None, given), f"{self.body} had {self.subscription_id}, now {given}"
        self.subscription_id = given
        return True

    def delete(self) -> None:
        going, self.subscription_id = self.subscription_id, None
        self.daemon.unsubscribe(str(going))


def clients(around: Neighbourhood, daemon: Daemon, rng: random.Random) -> list[Client]:
    """REPORTs that several xApps share, INSERTs, POLICYs, requests of several details; on all nodes."""
    made = []
    for xapp in range(XAPPS):
        for n in range(REQUESTS):
            kind = ("report", "report", "insert", "policy", "report")[n]
            details = [detail(10 * xapp + i, [n, i], kind) for i in range(1 + n % 3)]
            body = around.request(NODES[n % len(NODES)], *details)
            body["ClientEndpoint"]["RMRPort"] = 4560 + xapp
            made.append(Client(body, daemon, rng))
    return made


def subscribed(daemon: Daemon) -> Callable[[Client], bool]:
    """Whether each detail of an xApp's request is subscribed."""
    rests = daemon.rests()
    return lambda xapp: len(rests[xapp.subscription_id]["InstanceIds"]) == len(xapp.body["SubscriptionDetails"])


def resend_then_delete(around: Neighbourhood, daemon: Daemon, xapps: list[Client]) -> None:
    for xapp in xapps:
        assert eventually(xapp.send), "accepted again after the start"
    assert eventually(lambda: all(map(subscribed(daemon), xapps)), 20.0)
    held = {item["SubscriptionId"] for item in daemon.listed()}
    assert eventually(lambda: {i for name in NODES for i in around.holds(name)} == held)
    assert eventually(lambda: set(around.rtmgr.routes) == held), (around.rtmgr.routes, held)
    for xapp in xapps:
        xapp.delete()
    for left in daemon.rests():
        daemon.unsubscribe(left)
    assert eventually(lambda: around.empty() and daemon.listed() == [] and not daemon.rests(), 20.0)


def test_nothing_is_lost_by_kills(around: Neighbourhood) -> None:
    seed = int(os.environ.get("CHAOS_SEED", "0")) or random.randrange(1 << 30)
    rng = random.Random(seed)
    around.node_does(delay=0.01)
    around.rtmgr_does(delay=0.003)
    with Daemon(around) as daemon:
        xapps = clients(around, daemon, rng)
        try:
            for kill in range(1, KILLS + 1):
                load(xapps, daemon, rng.random() * 0.6)
                daemon.start()
                if kill % CHECK_EVERY == 0 or kill == KILLS:
                    resend_then_delete(around, daemon, xapps)
        except AssertionError as failed:
            raise AssertionError(f"CHAOS_SEED={seed}: {failed}") from failed
        assert daemon.clean(), daemon.stored()


def load(xapps: list[Client], daemon: Daemon, seconds: float) -> None:
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
