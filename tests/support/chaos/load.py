# SPDX-License-Identifier: Apache-2.0
"""A mixed load: xApps that subscribe, send again, update and delete, over REST and over RMR."""

from __future__ import annotations

import copy
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

import gevent

from submgr.e2ap.messages import Action, ActionType, RequestId, SubscriptionRequest
from submgr.platform.http.errors import HttpError
from submgr.runtime.ports import MType
from support.processes.daemon import NODES, Neighbourhood, detail

XAPPS = 3
REQUESTS = 5


class Requests(Protocol):
    """Where requests go: a daemon, or whatever is before several."""

    @property
    def rmr_port(self) -> int: ...
    def post(self, body: Any) -> tuple[int, Any]: ...
    def unsubscribe(self, subscription_id: str) -> None: ...


class Client:
    """One xApp with one request: sends it, sends it again, updates it, deletes it, in any order, one after the other.

    `subscription_id` is what the last answer said; None when it has none, or a DELETE may have been taken. One that
    `keeps` never deletes. `pace`: seconds at most between two requests. `until_told` waits for what it has to be told
    before its next request, in vain when it says False.
    """

    keeps = False
    pace = 0.05
    until_told: Callable[[Client], bool] | None = None

    def __init__(self, body: dict[str, Any], daemon: Requests, rng: random.Random) -> None:
        self.body = body
        self.daemon = daemon
        self.rng = rng
        self.subscription_id: str | None = None
        self.begin()
        self.stop = False

    def begin(self) -> None:
        """What was before does not count any more."""
        self.accepted: Counter[str] = Counter()
        """POSTs that were answered with 201, by the SubscriptionId of the answer."""
        self.unheard = 0
        """POSTs whose answer was lost."""
        self.history: list[str] = []
        """When, and how, each of them was answered."""
        self.patient = True
        """Each time it was told before its next request."""

    def run(self) -> None:
        while not self.stop:
            known, dice = self.subscription_id is not None, self.rng.random()
            try:
                if known and dice < 0.3 and not self.keeps:
                    self.delete()
                elif known and dice < 0.5 and self.is_policy:
                    self.update()
                else:
                    self.send()
            except HttpError:
                gevent.sleep(0.01)
            if self.until_told is not None:
                self.patient &= self.until_told(self)
            gevent.sleep(self.rng.random() * self.pace)

    def send(self) -> bool:
        """The identical request never gets a second id while the first one is not deleted."""
        status, answer = self._post(self.body)
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
        status, answer = self._post(changed)
        assert status in (201, 409, 503), answer
        assert status != 201 or answer["SubscriptionId"] == self.subscription_id

    def _post(self, body: dict[str, Any]) -> tuple[int, Any]:
        began = time.monotonic()
        try:
            status, answer = self.daemon.post(body)
        except HttpError as error:
            self.unheard += 1
            self.history.append(f"{began:.3f} to {time.monotonic():.3f}: {error}")
            raise
        self.history.append(f"{began:.3f} to {time.monotonic():.3f}: {status}")
        if status == 201:
            self.accepted[answer["SubscriptionId"]] += 1
        return status, answer

    def delete(self) -> None:
        going, self.subscription_id = self.subscription_id, None
        self.daemon.unsubscribe(str(going))


class RmrClient:
    """An older xApp: subscribes over RMR to what others subscribe to as well, and deletes what it was told of.

    No two of its requests have the same xid.
    """

    pace = 0.05

    def __init__(self, around: Neighbourhood, daemon: Requests, rng: random.Random) -> None:
        self.xapp = around.xapp
        self.daemon = daemon
        self.rng = rng
        self.stop = False
        self.sent = 0

    def run(self) -> None:
        while not self.stop:
            meid, n = self.rng.choice(NODES), self.rng.randrange(4)
            self.sent += 1
            to = f"127.0.0.1:{self.daemon.rmr_port}"
            xid = str(self.sent).encode()
            told = [answer.sub_id for answer in self.xapp.answers if answer.mtype == MType.SUBSCRIBED]
            if told and self.rng.random() < 0.4:
                instance = self.rng.choice(told[-10:])
                self.xapp.unsubscribe(meid, RequestId(5, instance), 2, xid, to)
            else:
                action = Action(1, ActionType.REPORT, bytes([5, 6]))
                request = SubscriptionRequest(RequestId(5, 0), 2, bytes([n, 0]), (action,))
                self.xapp.subscribe(meid, request, xid, to)
            gevent.sleep(0.02 + self.rng.random() * self.pace)


def clients(around: Neighbourhood, daemon: Requests, rng: random.Random) -> list[Client]:
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
