# SPDX-License-Identifier: Apache-2.0
"""Events that concern very many subscriptions at once: how long they take, and how long other requests wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import msgspec
from msgspec import Struct

from submgr.bench.bed import Bed, BedOptions
from submgr.bench.children import BenchError
from submgr.bench.load import PATH, body_of
from submgr.bench.records import HOST, RMR_PORT, fill, open_store
from submgr.bench.xapps import Client, Listener

_EVERY = 0.005
_PATIENCE = 300.0


class Event(Struct, frozen=True):
    """One event and its figures; times in seconds.

    A health probe asks every 5 ms meanwhile. `waited` is the longest time that it waited for its answer: any other
    request may wait as long. It includes the scheduling of the machine.
    """

    name: str
    count: int
    seconds: float
    waited: float
    stall: float
    cpu: float
    megabytes: float = 0.0
    """Size of the answer, where the event is a query; else the memory of the process."""


class Probe:
    """Asks for the daemon's health every 5 ms during `with Probe(bed) as probe:`. `longest` is in seconds."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self.longest = 0.0

    def __enter__(self) -> Probe:
        self._greenlet = gevent.spawn(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._greenlet.kill()

    def _run(self) -> None:
        with Client(self._bed.platform_address) as client:
            while True:
                began = time.monotonic()
                client.request("GET", "/ric/v1/health/alive")
                self.longest = max(self.longest, time.monotonic() - began)
                gevent.sleep(_EVERY)


class Measure:
    """Measures events on one bed and collects them."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.events: list[Event] = []

    @contextmanager
    def event(self, name: str, count: int) -> Iterator[list[float]]:
        """Measures the `with` block. A block that queries puts the size of the answer (MB) into the list it gets."""
        said: list[float] = []
        cpu, began = self.bed.daemon.cpu(), time.monotonic()
        with Probe(self.bed) as probe:
            yield said
            gevent.sleep(_EVERY * 4)
            seconds = time.monotonic() - began - _EVERY * 4
        used = self.bed.daemon.cpu() - cpu
        stall = self.bed.metric("submgr_hub_stall_longest_seconds")
        size = said[0] if said else self.bed.daemon.resident_megabytes()
        self.events.append(Event(name, count, seconds, probe.longest, stall, used, size))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Looks every 100 ms until the condition holds. Raises BenchError when it takes too long."""
        end = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise BenchError(f"{what}: not over after {_PATIENCE:g} s")
            gevent.sleep(0.1)


def restart(store: str, count: int, nodes: int) -> list[Event]:
    """Starts the daemon with so many stored subscriptions, and queries all of them."""
    with Bed(BedOptions(store)) as bed, Listener() as listener:
        bed.stop_daemon()
        opened = open_store(store, bed.database, bed.environment)
        fill(opened, count, nodes, listener.port)
        opened.stop()
        began = time.monotonic()
        bed.start_daemon()
        seconds = time.monotonic() - began
        stall = bed.metric("submgr_hub_stall_longest_seconds")
        measure = Measure(bed)
        megabytes = bed.daemon.resident_megabytes()
        measure.events.append(Event("start until ready", count, seconds, 0.0, stall, bed.daemon.cpu(), megabytes))
        for name, path in (
            ("GET subscriptions", PATH),
            ("GET restsubscriptions", "/ric/v1/restsubscriptions"),
            ("GET metrics", "/ric/v1/metrics"),
        ):
            with measure.event(name, count) as said:
                status, body = bed.platform(path)
                said.append(len(body) / 1e6)
            if status != 200:
                raise BenchError(f"{path} was answered {status}")
        if len(msgspec.json.decode(bed.platform(PATH)[1])) != count:
            raise BenchError("not all subscriptions were restored")
        return measure.events


def loss(policy: str, count: int) -> list[Event]:
    """A node with so many subscriptions loses its E2 connection and gets it back. R-NIB needs redis."""
    name = "gnb_208_092_000000"
    with Bed(BedOptions("redis", node_state=True, on_e2_loss=policy)) as bed, Listener() as listener:
        bed.stop_daemon()
        bed.neighbours.set_node(name, "connected")
        opened = open_store("redis", bed.database, bed.environment)
        fill(opened, count, 1, listener.port)
        opened.stop()
        # the removal of a route that is not there confirms nothing: it would be tried again and again
        bed.neighbours.add_routes(range(1, count + 1), HOST, RMR_PORT)
        bed.start_daemon()
        measure = Measure(bed)
        with measure.event(f"node lost, {policy}", count):
            bed.neighbours.set_node(name, "disconnected")
            if policy == "restore":
                measure.until(lambda: bed.metric("submgr_lost_node_subscriptions") == count, "loss")
            else:
                measure.until(lambda: bed.metric("submgr_instance_ids_in_use") == 0, "loss")
                measure.until(lambda: bed.metric("submgr_rest_subscriptions") == 0, "loss")
            if policy == "notify":
                measure.until(lambda: len(listener.came) == count, "notifications")
        with measure.event(f"node back, {policy}", count):
            bed.neighbours.set_node(name, "connected")
            if policy == "restore":
                measure.until(lambda: bed.neighbours.node_subscriptions() == count, "subscribing anew")
        return measure.events


def queued(store: str, count: int, details: int) -> list[Event]:
    """Subscribes so many details at one node, in requests of `details` each, and deletes them."""
    with Bed(BedOptions(store)) as bed, Listener() as listener:
        measure = Measure(bed)
        ids = []
        with measure.event("details queued and done", count), Client(bed.xapp_address) as client:
            for first in range(0, count, details):
                numbers = range(first, first + details)
                status, answer = client.request("POST", PATH, body_of(numbers, listener.port, "gnb_208_092_000000"))
                if status != 201:
                    raise BenchError(f"POST was answered {status}: {answer.decode(errors='replace')}")
                ids.append(msgspec.json.decode(answer)["SubscriptionId"])
            measure.until(lambda: bed.neighbours.node_subscriptions() == count, "subscribing")
            measure.until(lambda: bed.metric("submgr_notifications_waiting") == 0, "notifications")
        with measure.event("details deleted", count), Client(bed.xapp_address) as client:
            for subscription_id in ids:
                client.request("DELETE", f"{PATH}/{subscription_id}")
            measure.until(
                lambda: bed.neighbours.node_subscriptions() == 0 and bed.neighbours.route_endpoints() == 0, "deleting"
            )
        return measure.events
