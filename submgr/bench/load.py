# SPDX-License-Identifier: Apache-2.0
"""The requests of a benchmark: subscriptions of distinct content, merges, deletes; and how long they take."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol, TypeVar

import gevent
import msgspec
from msgspec import Struct, field

from submgr.bench.children import BenchError, Watched
from submgr.bench.neighbours import Address, Neighbours
from submgr.bench.xapps import LOOPBACK, Client, Listener

PATH = "/ric/v1/subscriptions"
T = TypeVar("T")

_SETTLE = 120.0
"""Seconds that deletes may take to reach the E2 nodes and the Routing Manager."""
_NO_MORE = 5.0
"""Seconds without a change, after which a foreign subject is taken to be done."""
_RMR_PORTS = 4560, 4561
"""RMR ports of the xApp that subscribes first, and of the xApp that merges."""


class Figures(Struct, frozen=True):
    """The figures of one phase; times in seconds.

    `answered` has the times from request to answer, `told` those from request to notification.
    """

    phase: str
    clients: int
    count: int
    seconds: float
    answered: list[float]
    told: list[float]
    cpu: dict[str, float | None] = field(default_factory=dict)
    """CPU seconds, by process; None when nobody can tell."""

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    def cpu_ms(self, name: str) -> float | None:
        """CPU milliseconds of one process per operation; 0 when it does not run, None when nobody can tell."""
        used = self.cpu.get(name, 0.0)
        return None if used is None else used * 1000 / self.count

    @property
    def latencies(self) -> list[float]:
        """What an xApp waits for: the notification, where there is one, else the answer."""
        return self.told or self.answered


class Subject(Protocol):
    """What a load is aimed at, and the neighbours that have the ground truth."""

    neighbours: Neighbours
    foreign: bool
    """The bench has not started it: it may do some things in another way."""

    @property
    def xapp_address(self) -> Address: ...

    @property
    def watched(self) -> Sequence[Watched]:
        """The processes whose CPU is told."""


def node_name(number: int) -> str:
    """The name of the E2 node with this number."""
    return f"gnb_208_092_{number:06d}"


def body_of(
    numbers: Iterable[int], http_port: int, meid: str, rmr_port: int = _RMR_PORTS[0], host: str = LOOPBACK
) -> bytes:
    """A request with one detail per number; distinct numbers have distinct contents."""
    details = []
    for number in numbers:
        octets = list(number.to_bytes(4, "big"))
        action = {
            "ActionID": 1,
            "ActionType": "report",
            "ActionDefinition": [*octets, *range(28)],
            "SubsequentAction": {"SubsequentActionType": "continue", "TimeToWait": "w10ms"},
        }
        details.append(
            {"XappEventInstanceId": number % 65536, "EventTriggers": octets, "ActionToBeSetupList": [action]}
        )
    endpoint = {"Host": host, "HTTPPort": http_port, "RMRPort": rmr_port}
    return msgspec.json.encode(
        {"ClientEndpoint": endpoint, "Meid": meid, "RANFunctionID": 2, "SubscriptionDetails": details}
    )


class Load:
    """Subscribes, merges and deletes, spread over `nodes` E2 nodes."""

    def __init__(self, subject: Subject, listener: Listener, nodes: int) -> None:
        self._subject = subject
        self._listener = listener
        self._nodes = nodes
        self._numbers = itertools.count()
        self.resident = 0
        """How many subscriptions stay for the whole benchmark."""
        self.alive: set[str] = set()
        """The ids that were given and not deleted."""
        self.remarks: list[str] = []
        """What a foreign subject has done in another way."""
        self.around: Callable[[str], AbstractContextManager[object]] = lambda phase: nullcontext()
        """Entered for the requests of each phase, whose name it gets."""

    @property
    def directory(self) -> Path:
        """For files that go with the neighbours."""
        return self._subject.neighbours.directory

    def fill(self, count: int) -> None:
        """Makes subscriptions that stay for the rest of the benchmark."""
        self._subscribe("fill", 64, [self._body(n) for n in itertools.islice(self._numbers, count)], wait=False)
        self.resident += count

    def subscribe(self, clients: int, count: int, wait: bool) -> tuple[Figures, list[int], list[str]]:
        """Makes new subscriptions; returns the figures, the numbers of the contents (for `merge`) and the ids.

        With `wait` each client waits for the notification before it goes on, otherwise for the 201 only.
        """
        numbers = list(itertools.islice(self._numbers, count))
        name = "subscribe" if wait else "subscribe, burst"
        figures, ids = self._subscribe(name, clients, [self._body(n) for n in numbers], wait)
        return figures, numbers, ids

    def merge(self, clients: int, numbers: Sequence[int]) -> tuple[Figures, list[str]]:
        """Another xApp subscribes to the contents with these numbers. Returns the figures and the ids."""
        return self._subscribe("merge", clients, [self._body(n, joins=True) for n in numbers], wait=True)

    def delete(self, phase: str, clients: int, ids: Sequence[str], left: tuple[int, int]) -> Figures:
        """Deletes these subscriptions. The phase ends when the E2 nodes hold `left[0]` subscriptions and the Routing
        Manager has `left[1]` endpoints.
        """
        answered: list[float] = []

        def work(client: Client, subscription_id: str) -> None:
            began = time.monotonic()
            status, _ = client.request("DELETE", f"{PATH}/{subscription_id}")
            answered.append(time.monotonic() - began)
            if not 200 <= status < 300:
                raise BenchError(f"DELETE was answered {status}")
            self.alive.discard(subscription_id)

        around = self._subject.neighbours
        with self.around(phase), self._measured(phase, clients, len(ids)) as measured:
            self._spread(clients, ids, work)
            measured.idle += self._wait_until(around.node_subscriptions, left[0], "E2 nodes")
            measured.idle += self._wait_until(around.route_endpoints, left[1], "Routing Manager")
        return measured.figures(answered, [])

    def withdraw(self) -> None:
        """Deletes whatever is still there, and lets the E2 nodes hear of it. Raises BenchError."""

        def work(client: Client, subscription_id: str) -> None:
            client.request("DELETE", f"{PATH}/{subscription_id}")

        if self.alive:
            self._spread(16, list(self.alive), work)
            self.alive.clear()
            with gevent.Timeout(_NO_MORE, False):
                while self._subject.neighbours.node_subscriptions():
                    gevent.sleep(0.05)

    def _subscribe(self, phase: str, clients: int, bodies: Sequence[bytes], wait: bool) -> tuple[Figures, list[str]]:
        answered: list[float] = []
        begun: dict[str, float] = {}
        self._listener.forget()

        def work(client: Client, body: bytes) -> None:
            began = time.monotonic()
            status, answer = client.request("POST", PATH, body)
            answered.append(time.monotonic() - began)
            subscription_id = _accepted(status, answer)
            self.alive.add(subscription_id)
            begun[subscription_id] = began
            if wait:
                self._listener.wait(subscription_id)

        with self.around(phase), self._measured(phase, clients, len(bodies)) as measured:
            self._spread(clients, bodies, work)
            for subscription_id in begun:
                self._listener.wait(subscription_id)
        if self._listener.failures:
            raise BenchError(f"{len(self._listener.failures)} subscriptions failed: {self._listener.failures[0]}")
        told = [self._listener.came[subscription_id] - began for subscription_id, began in begun.items()]
        return measured.figures(answered, told), list(begun)

    def _body(self, number: int, joins: bool = False) -> bytes:
        meid = node_name(number % self._nodes)
        return body_of([number], self._listener.port, meid, _RMR_PORTS[joins], self._listener.host)

    def _spread(self, clients: int, items: Sequence[T], work: Callable[[Client, T], None]) -> None:
        """So many clients take the items one after the other. The first error ends all of them."""
        left: Iterator[T] = iter(items)

        errors: list[BenchError] = []

        def one() -> None:
            try:
                with Client(self._subject.xapp_address) as client:
                    for item in left:
                        work(client, item)
            except BenchError as failed:  # not for the event loop, which would print where it was raised
                errors.append(failed)
                gevent.killall(crew, block=False)

        crew = [gevent.spawn(one) for _ in range(clients)]
        try:
            gevent.joinall(crew, raise_error=True)
        finally:
            gevent.killall(crew)
        if errors:
            raise errors[0]

    def _wait_until(self, count: Callable[[], int], goal: int, where: str) -> float:
        """Waits until no more than `goal` are left. Returns the seconds at the end in which nothing happened.

        A foreign subject may leave some, which is remarked. Raises BenchError when it takes too long.
        """
        began = changed = time.monotonic()
        left = count()
        while left > goal:
            now = time.monotonic()
            if self._subject.foreign and now - changed > _NO_MORE:
                self.remarks.append(f"{left - goal} more than expected are left at the {where}")
                return now - changed
            if now - began > _SETTLE:
                raise BenchError(f"deletes did not arrive at the {where} within {_SETTLE:g} s")
            gevent.sleep(0.01)
            before, left = left, count()
            if left != before:
                changed = time.monotonic()
        return 0.0

    def _measured(self, phase: str, clients: int, count: int) -> _Measured:
        return _Measured(phase, clients, count, self._subject.watched)


def _accepted(status: int, answer: bytes) -> str:
    """The SubscriptionId of the answer to a POST. Raises BenchError when it is none."""
    if status in (200, 201, 202):
        try:
            return msgspec.json.decode(answer, type=_Accepted).SubscriptionId
        except msgspec.DecodeError:
            pass
    raise BenchError(f"POST was answered {status}: {answer.decode(errors='replace')[:500]}")


class _Accepted(msgspec.Struct):
    SubscriptionId: str


class _Measured:
    """Wall clock and CPU of a `with` block."""

    def __init__(self, phase: str, clients: int, count: int, watched: Iterable[Watched]) -> None:
        self._names = phase, clients, count
        self._watched = list(watched)
        self.idle = 0.0
        """Seconds of the block that do not count."""

    def __enter__(self) -> _Measured:
        self._cpu = [child.cpu() for child in self._watched] + [time.process_time()]
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds = time.monotonic() - self._began - self.idle
        after = [child.cpu() for child in self._watched] + [time.process_time()]
        self._used = [None if a is None or b is None else b - a for a, b in zip(self._cpu, after, strict=True)]

    def figures(self, answered: list[float], told: list[float]) -> Figures:
        names = [*(child.name for child in self._watched), "clients"]
        return Figures(
            *self._names, self._seconds, sorted(answered), sorted(told), dict(zip(names, self._used, strict=True))
        )
