# SPDX-License-Identifier: Apache-2.0
"""How much work one subscription and one delete are, in numbers that no slow machine changes.

The daemon runs as a process on redis, with a Routing Manager, an E2 Termination and an xApp. One xApp subscribes at one
E2 node, one subscription after the other, each when the daemon has done all work of the one before; then it deletes
them in the same way. A Routing Manager that is slow, silent or gone must not be more work than one that answers. The
tables are what a change of the daemon is to lower. One that raises a number has to say why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import gevent
import pytest
from support.processes import counting
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

Work = dict[str, int]

SUBSCRIPTION: Work = {
    # the 201
    "send: xApp REST": 1,
    "read: xApp REST": 1,
    # POST of the route
    "send: Routing Manager": 1,
    # RIC Subscription Request, and its response
    "send: E2 Termination": 1,
    "read: E2 Termination": 1,
    "send: notification": 1,
    "read: notification": 1,
    # groups of records: REST with its digest (before the 201); E2 uncompleted (before the request); E2 completed; REST
    # with the instance id; E2 notified
    "send: redis": 5,
    "read: redis": 5,
    # each group: a script that looks at the server's role and its marker, and sets the group with the next marker
    "redis: mset": 5,
    "redis: evalsha": 5,
    "redis: get": 5,
    "redis: role": 5,
    # see test_a_plain_subscription_feeds_and_arms_only_what_has_work
    "feed": 8,
    "timer": 6,
    # all that work on it were there before
    "greenlet": 0,
    "log line": 1,
}

DELETE: Work = {
    # the 204
    "send: xApp REST": 1,
    "read: xApp REST": 1,
    # DELETE of the route
    "send: Routing Manager": 1,
    # RIC Subscription Delete Request, and its response
    "send: E2 Termination": 1,
    "read: E2 Termination": 1,
    "send: notification": 0,
    "read: notification": 0,
    # groups of records: REST with its mark (before the 204); E2 erased; REST erased
    "send: redis": 3,
    "read: redis": 3,
    "redis: mset": 3,
    "redis: del": 2,
    "redis: evalsha": 3,
    "redis: get": 3,
    "redis: role": 3,
    # see test_a_plain_delete_feeds_and_arms_only_what_has_work
    "feed": 6,
    "timer": 4,
    "greenlet": 0,
    "log line": 1,
}

NOTHING_TO_READ: Work = {
    # a read that finds nothing, of a socket whose answer is still to come: these depend on who is faster, so that they
    # are bounds for the median of the subscriptions
    "read of nothing: xApp REST": 0,
    "read of nothing: Routing Manager": 0,
    "read of nothing: E2 Termination": 0,
    "read of nothing: notification": 0,
    "read of nothing: redis": 0,
}

NO_ROUTING_MANAGER: Work = {
    # one try, which ends at once; whoever wants a subscription tries again
    "connect: Routing Manager": 1,
    "send: Routing Manager": 0,
    # the 201, and a notification that says why
    "send: xApp REST": 1,
    "send: notification": 1,
    "connect: notification": 0,
    # the E2 node is not asked before there is a route
    "send: E2 Termination": 0,
    # groups of records: REST with its digest (before the 201); E2 uncompleted; E2 erased; REST without an instance id
    "send: redis": 4,
    "connect: redis": 0,
    # admission, subscribe, and its undoing
    "feed": 8,
    "timer": 5,
    # the subscribe that failed, and its undoing
    "log line": 2,
}

SILENT_ROUTING_MANAGER: Work = {
    # the request, and the removal of the route that it may have made: each on a connection of its own, which is given
    # up with it
    "connect: Routing Manager": 2,
    "send: Routing Manager": 2,
    "send: xApp REST": 1,
    "send: notification": 1,
    "send: E2 Termination": 0,
    "feed": 10,
    "timer": 7,
    "log line": 2,
}

COUNT = 16
FEW = 4
QUIET = 0.03
"""Seconds without any count that goes on: the work is done."""
ROUTE_TIMEOUT = 0.3
"""Seconds that the Routing Manager has for an answer."""
MEID = "gnb_1"


class Bench:
    """The daemon and its neighbours. `work(action)`: what the action has cost, until the daemon is quiet again."""

    def __init__(self, daemon: Daemon, around: Neighbourhood, redis: RedisServer, counts: Path) -> None:
        self.daemon = daemon
        self.around = around
        self._redis = redis
        self._counts = counts
        self._ids: list[str] = []
        self._made = 0
        self.quiet = QUIET

    def subscribe(self) -> None:
        """One subscription, of content that no other has. Returns when the xApp has been told of it."""
        self._made += 1
        number = self._made
        self._ids.append(self.daemon.subscribe(self.around.request(MEID, detail(number, [number]))))
        assert self.around.xapp.wait(number)

    def delete(self) -> None:
        """Deletes the oldest subscription. Returns when neither the node nor the Routing Manager knows it."""
        left = len(self._ids) - 1
        self.daemon.unsubscribe(self._ids.pop(0))
        eventually(lambda: len(self.around.holds(MEID)) == left and len(self.around.rtmgr.routes) == left)

    def work(self, action: Callable[[], None]) -> Work:
        before = self._look()
        action()
        after = self._look()
        return {name: after[name] - before[name] for name in after}

    def _look(self) -> Counter[str]:
        found: Counter[str] = Counter(self._settled())
        # a look is a command of redis itself, and none of the daemon's
        for line in self._redis.command("INFO", "commandstats").decode().splitlines():
            name, _, facts = line.partition(":calls=")
            if facts:
                found[f"redis: {name.removeprefix('cmdstat_')}"] = int(facts.partition(",")[0])
        found["log line"] = self.daemon.log_file.read_bytes().count(b"\n")
        return found

    def _settled(self) -> Work:
        before: Work = {}
        while (now := counting.read(self._counts)) != before:
            before = now
            gevent.sleep(self.quiet)
        return now


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    counts = tmp_path_factory.mktemp("counts") / "counts"
    with RedisServer() as redis, Neighbourhood(redis, (MEID,)) as around:
        settings = {"timeout_ms": int(ROUTE_TIMEOUT * 1000)}
        daemon = Daemon(around, program=counting.counting(counts), rtmgr=settings)
        e2term = int(around.e2term.endpoint.rpartition(":")[2])
        ports = daemon.xapp_port, around.xapp.http.port, around.rtmgr.http.port, redis.port, e2term, daemon.rmr_port
        daemon.environment.update(counting.environment(*ports))
        with daemon:
            yield Bench(daemon, around, redis, counts)


def test_one_subscription_and_one_delete_are_so_much_work(bench: Bench) -> None:
    bench.work(bench.subscribe)  # it opens connections, and starts those who work on all that follow
    subscriptions = [bench.work(bench.subscribe) for _ in range(COUNT)]
    deletes = [bench.work(bench.delete) for _ in range(COUNT)]
    assert usual(subscriptions, SUBSCRIPTION) == SUBSCRIPTION, told(subscriptions)
    assert usual(deletes, DELETE) == DELETE, told(deletes)
    vain = {name: median(work[name] for work in subscriptions) for name in NOTHING_TO_READ}
    assert all(vain[name] <= most for name, most in NOTHING_TO_READ.items()), told(subscriptions)


def test_a_slow_routing_manager_is_no_more_work(bench: Bench) -> None:
    bench.around.rtmgr_does(delay=0.02)
    bench.quiet = 0.06
    subscriptions = [bench.work(bench.subscribe) for _ in range(FEW)]
    deletes = [bench.work(bench.delete) for _ in range(FEW)]
    assert usual(subscriptions, SUBSCRIPTION) == SUBSCRIPTION, told(subscriptions)
    assert usual(deletes, DELETE) == DELETE, told(deletes)


def test_a_routing_manager_that_is_gone_is_tried_once_for_each(bench: Bench) -> None:
    bench.around.rtmgr.rules.clear()
    bench.around.rtmgr.stop()
    bench.quiet = QUIET
    bench.work(bench.subscribe)  # it may find a connection that was kept
    failed = [bench.work(bench.subscribe) for _ in range(FEW)]
    bench.around.rtmgr.start()
    assert usual(failed, NO_ROUTING_MANAGER) == NO_ROUTING_MANAGER, told(failed)


def test_a_routing_manager_that_never_answers_is_asked_once_for_each(bench: Bench) -> None:
    """The last one: what it leaves is tried again after ten seconds, whatever is counted then."""
    bench.around.rtmgr_does(hang=True)
    bench.quiet = 1.5 * ROUTE_TIMEOUT
    failed = [bench.work(bench.subscribe) for _ in range(2)]
    assert usual(failed, SILENT_ROUTING_MANAGER) == SILENT_ROUTING_MANAGER, told(failed)


def usual(works: list[Work], names: Work) -> Work:
    """What nearly each of them has cost. The daemon looks at redis from time to time, whoever subscribes or not."""
    found = {}
    for name in names:
        number, times = Counter(work.get(name, 0) for work in works).most_common(1)[0]
        found[name] = number if times * 4 >= len(works) * 3 else -1
    return found


def told(works: list[Work]) -> str:
    names = sorted({name for work in works for name, number in work.items() if number})
    return "\n" + "\n".join(f"{name:<36}" + " ".join(str(work.get(name, 0)) for work in works) for name in names)
