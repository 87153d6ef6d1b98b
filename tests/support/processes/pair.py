# SPDX-License-Identifier: Apache-2.0
"""Two daemons that share one redis: one is active, the other is its standby.

with RedisServer() as redis, Neighbourhood(redis) as around, Pair(around) as pair:
    pair.active.subscribe(around.request())
    pair.active.kill()
    pair.standby...
"""

from __future__ import annotations

import signal
import time
from types import TracebackType
from typing import Any

import gevent

from submgr.platform.http.errors import HttpError
from support.processes.children import START
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.waiting import eventually

LEASE = 2
MOST = LEASE + 2.0
"""Seconds until a standby acts when the active one has died."""


class Pair:
    """The first of them is active when the block begins, the second one its standby with a warm copy."""

    def __init__(self, around: Neighbourhood, *environments: dict[str, str], **sections: Any) -> None:
        """`environments`: of the first, and of the second one."""
        ha = {"enabled": True, "leaseSeconds": LEASE}
        self.both = [
            Daemon(around, environment, ha={**ha, "identity": f"submgr-{n}"}, **sections)
            for n, environment in enumerate((*environments, {}, {})[:2])
        ]

    def __enter__(self) -> Pair:
        first, second = self.both
        try:
            first.start()
            second.start(wait=False)
            self.until_standby(second)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def end(self, error: BaseException | None = None) -> None:
        for each in self.both:
            if each.running:
                each.process.send_signal(signal.SIGCONT)
            each.__exit__(type(error) if error is not None else None, error, None)

    @property
    def active(self) -> Daemon:
        """The one that is ready."""
        (one,) = [each for each in self.both if each.running and each.is_ready()]
        return one

    def other(self, one: Daemon) -> Daemon:
        return self.both[1 - self.both.index(one)]

    def until_standby(self, one: Daemon) -> None:
        """Waits until it follows the active one."""
        eventually(lambda: "standby of" in self.says(one), START, what=lambda: self.says(one))
        eventually(lambda: bool(one.logged("the records are followed")), START)

    def again(self, one: Daemon) -> None:
        """Starts it once more, as the standby."""
        one.log_file.write_text("")
        one.start(wait=False)
        self.until_standby(one)

    @staticmethod
    def says(one: Daemon) -> str:
        """What it answers when it is asked whether it is ready."""
        try:
            return str(one.platform("GET", "health/ready"))
        except HttpError as error:
            return str(error)

    @staticmethod
    def until_ready(one: Daemon, most: float = START) -> float:
        """Seconds until it is active."""
        began = time.monotonic()
        while not one.is_ready():
            assert time.monotonic() - began < most, Pair.says(one)
            gevent.sleep(0.01)
        return time.monotonic() - began


def subscribed(around: Neighbourhood, daemon: Daemon, count: int = 3) -> list[str]:
    """SubscriptionIds of so many subscriptions, whose xApp has been told and whose records say so."""
    ids = [daemon.subscribe(around.request("gnb_1", detail(xei=n, trigger=[n]))) for n in range(1, count + 1)]
    eventually(lambda: len(around.xapp.notifications) == count)
    eventually(lambda: all(each["Notified"] for each in daemon.stored()["submgr_e2SubsDb"].values()))
    return ids


def at_node_and_listed(around: Neighbourhood, daemon: Daemon) -> tuple[set[int], set[str]]:
    """The instance ids that the nodes have, once the list and the routes have the same; and the SubscriptionIds."""

    def agree() -> bool:
        listed = {int(each["SubscriptionId"]) for each in daemon.listed()}
        return listed == held() == {int(instance) for instance in around.rtmgr.routes}

    def held() -> set[int]:
        return {instance for meid in around.e2term.nodes for instance in around.holds(meid)}

    eventually(agree, what=lambda: (daemon.listed(), held(), around.rtmgr.routes))
    return held(), set(daemon.rests())
