# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of a mixed load: after a start, resending and deleting, nothing is lost and nothing left.

CHAOS_KILLS is the number of kills for each database (a few by default; `make chaos` for many).
"""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gevent
import pytest
from gevent.pool import Group
from support.processes.daemon import NODES, Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.e2ap.messages import Action, ActionType, RequestId, SubscriptionRequest
from submgr.platform.http.errors import HttpError
from submgr.runtime.ports import MType

KILLS = int(os.environ.get("CHAOS_KILLS", "6"))
CHECK_EVERY = 3
XAPPS = 3
REQUESTS = 5

REDIS = pytest.param(True, id="redis", marks=pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING))


@pytest.fixture(params=[pytest.param(False, id="sqlite"), REDIS])
def around(request: pytest.FixtureRequest) -> Iterator[Neighbourhood]:
    if not request.param:
        with Neighbourhood(rmr=True) as neighbours:
            yield neighbours
        return
    with RedisServer(durable=True) as redis, Neighbourhood(redis, rmr=True) as neighbours:
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
            known, dice = self.subscription_id is not None, self.rng.random()
            try:
                if known and dice < 0.3:
                    self.delete()
                elif known and dice < 0.5 and self.is_policy:
                    self.update()
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

    @property
    def is_policy(self) -> bool:
        return bool(self.body["SubscriptionDetails"][0]["ActionToBeSetupList"][0]["ActionType"] == "policy")

    def update(self) -> None:
        """Other content for its POLICY, under its id."""
        changed = copy.deepcopy(self.body) | {"SubscriptionId": self.subscription_id}
        for wanted in changed["SubscriptionDetails"]:
            wanted["EventTriggers"] = [9, self.rng.randrange(256)]
        status, answer = self.daemon.post(changed)
        assert status in (201, 409, 503), answer
        assert status != 201 or answer["SubscriptionId"] == self.subscription_id

    def delete(self) -> None:
        going, self.subscription_id = self.subscription_id, None
        self.daemon.unsubscribe(str(going))


class RmrClient:
    """An older xApp: subscribes over RMR to what others subscribe to as well, and deletes what it was told of."""

    def __init__(self, around: Neighbourhood, daemon: Daemon, rng: random.Random) -> None:
        self.xapp = around.xapp
        self.to = f"127.0.0.1:{daemon.rmr_port}"
        self.rng = rng
        self.stop = False
        self.sent = 0

    def run(self) -> None:
        while not self.stop:
            meid, n = self.rng.choice(NODES), self.rng.randrange(4)
            self.sent += 1
            xid = str(self.sent).encode()
            told = [answer.sub_id for answer in self.xapp.answers if answer.mtype == MType.SUBSCRIBED]
            if told and self.rng.random() < 0.4:
                instance = self.rng.choice(told[-10:])
                self.xapp.unsubscribe(meid, RequestId(5, instance), 2, xid, self.to)
            else:
                action = Action(1, ActionType.REPORT, bytes([5, 6]))
                request = SubscriptionRequest(RequestId(5, 0), 2, bytes([n, 0]), (action,))
                self.xapp.subscribe(meid, request, xid, self.to)
            gevent.sleep(0.02 + self.rng.random() * 0.05)


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
