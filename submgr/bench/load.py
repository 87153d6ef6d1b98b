# SPDX-License-Identifier: Apache-2.0
"""The requests of a benchmark: subscriptions of distinct content, merges, deletes; and how long they take."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import gevent
import msgspec
from msgspec import Struct, field

from submgr.bench.bed import Bed
from submgr.bench.children import BenchError, Child
from submgr.bench.xapps import Client, Listener

PATH = "/ric/v1/subscriptions"
T = TypeVar("T")

_SETTLE = 120.0
"""Seconds that deletes may take to reach the E2 nodes and the Routing Manager."""
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
    cpu: dict[str, float] = field(default_factory=dict)
    """CPU seconds, by process."""

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    def cpu_ms(self, name: str) -> float:
        """CPU milliseconds of one process per operation."""
        return self.cpu.get(name, 0.0) * 1000 / self.count


def body_of(numbers: Iterable[int], http_port: int, meid: str, rmr_port: int = _RMR_PORTS[0]) -> bytes:
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
    endpoint = {"Host": "127.0.0.1", "HTTPPort": http_port, "RMRPort": rmr_port}
    return msgspec.json.encode(
        {"ClientEndpoint": endpoint, "Meid": meid, "RANFunctionID": 2, "SubscriptionDetails": details}
    )


class Load:
    """Subscribes, merges and deletes, spread over `nodes` E2 nodes."""

    def __init__(self, bed: Bed, listener: Listener, nodes: int) -> None:
        self.bed = bed
        self._listener = listener
        self._nodes = nodes
        self._numbers = itertools.count()
        self.resident = 0
        """How many subscriptions stay for the whole benchmark."""

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
            if status != 204:
                raise BenchError(f"DELETE was answered {status}")

        with self._measured(phase, clients, len(ids)) as measured:
            self._spread(clients, ids, work)
            self._wait_until(lambda: self.bed.node_subscriptions() <= left[0], "E2 nodes")
            self._wait_until(lambda: self.bed.route_endpoints() <= left[1], "Routing Manager")
        return measured.figures(answered, [])

    def _subscribe(self, phase: str, clients: int, bodies: Sequence[bytes], wait: bool) -> tuple[Figures, list[str]]:
        answered: list[float] = []
        begun: dict[str, float] = {}
        self._listener.forget()

        def work(client: Client, body: bytes) -> None:
            began = time.monotonic()
            status, answer = client.request("POST", PATH, body)
            answered.append(time.monotonic() - began)
            if status != 201:
                raise BenchError(f"POST was answered {status}: {answer.decode(errors='replace')}")
            subscription_id = msgspec.json.decode(answer)["SubscriptionId"]
            begun[subscription_id] = began
            if wait:
                self._listener.wait(subscription_id)

        with self._measured(phase, clients, len(bodies)) as measured:
            self._spread(clients, bodies, work)
            for subscription_id in begun:
                self._listener.wait(subscription_id)
        if self._listener.failures:
            raise BenchError(f"{len(self._listener.failures)} subscriptions failed: {self._listener.failures[0]}")
        told = [self._listener.came[subscription_id] - began for subscription_id, began in begun.items()]
        return measured.figures(answered, told), list(begun)

    def _body(self, number: int, joins: bool = False) -> bytes:
        meid = f"gnb_208_092_{number % self._nodes:06d}"
        return body_of([number], self._listener.port, meid, _RMR_PORTS[joins])

    def _spread(self, clients: int, items: Sequence[T], work: Callable[[Client, T], None]) -> None:
        """So many clients take the items one after the other. The first error ends all of them."""
        left: Iterator[T] = iter(items)

        def one() -> None:
            with Client(self.bed.xapp_address) as client:
                for item in left:
                    work(client, item)

        crew = [gevent.spawn(one) for _ in range(clients)]
        try:
            gevent.joinall(crew, raise_error=True)
        finally:
            gevent.killall(crew)

    def _wait_until(self, condition: Callable[[], bool], where: str) -> None:
        end = time.monotonic() + _SETTLE
        while not condition():
            if time.monotonic() > end:
                raise BenchError(f"deletes did not arrive at the {where} within {_SETTLE:g} s")
            gevent.sleep(0.01)

    def _measured(self, phase: str, clients: int, count: int) -> _Measured:
        watched: list[Child] = [self.bed.daemon, self.bed.e2term, self.bed.rtmgr]
        if self.bed.database_server is not None:
            watched.append(self.bed.database_server)
        return _Measured(phase, clients, count, watched)


class _Measured:
    """Wall clock and CPU of a `with` block."""

    def __init__(self, phase: str, clients: int, count: int, watched: Iterable[Child]) -> None:
        self._names = phase, clients, count
        self._watched = list(watched)

    def __enter__(self) -> _Measured:
        self._cpu = [child.cpu() for child in self._watched] + [time.process_time()]
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds = time.monotonic() - self._began
        after = [child.cpu() for child in self._watched] + [time.process_time()]
        self._used = [b - a for a, b in zip(self._cpu, after, strict=True)]

    def figures(self, answered: list[float], told: list[float]) -> Figures:
        names = [*(child.name for child in self._watched), "clients"]
        return Figures(
            *self._names, self._seconds, sorted(answered), sorted(told), dict(zip(names, self._used, strict=True))
        )
