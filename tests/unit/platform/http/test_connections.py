# SPDX-License-Identifier: Apache-2.0
"""A full server makes room: who loses a connection, and who loses the bytes that are held for it."""

from __future__ import annotations

import time

import gevent
from gevent import event

from submgr.platform.http import connections as module
from submgr.platform.http.connections import Connections, HttpLimits
from submgr.platform.http.error_formats import json_errors


class Client:
    def __init__(self, connections: Connections, host: str = "10.0.0.1") -> None:
        self._connections = connections
        self.host = host
        self.greenlet = gevent.spawn(event.Event().wait)
        self.ended = False
        self.crowded_out = False

    def hang_up(self) -> None:
        self.ended = True
        self._connections.leave(self)
        self.greenlet.kill(block=False)

    def crowd_out(self) -> None:
        self.crowded_out = True
        self.hang_up()


class Clock:
    """In place of the module `time`."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


PLACES = 19
"""Of 20: one is the reserve."""


def server(**limits: int) -> Connections:
    return Connections("test", HttpLimits(**{"connections": PLACES + 1, **limits}), json_errors)


def full(*hosts: str) -> tuple[Connections, list[Client]]:
    """A server without a free place, whose first clients are of these hosts, in an application; the rest likewise."""
    connections = server()
    clients = [Client(connections, host) for host in hosts]
    clients += [Client(connections, f"10.1.0.{n}") for n in range(PLACES - len(hosts))]
    for client in clients:
        assert connections.enter(client)
    return connections, clients


def ended(clients: list[Client]) -> list[int]:
    return [n for n, client in enumerate(clients) if client.ended]


def test_the_connection_idle_for_longest_makes_room():
    connections, clients = full("a", "a", "a")
    connections.idle(clients[1])
    connections.idle(clients[2])
    assert connections.enter(Client(connections, "b"))
    assert ended(clients) == [1]
    assert len(connections) == PLACES


def test_a_full_server_whose_clients_all_wait_for_it_has_a_reserve():
    connections, clients = full("a")
    connections.idle(clients[0])
    connections.slow(clients[0])
    connections.works(clients[0])
    first, second = Client(connections, "b"), Client(connections, "c")
    assert not connections.enter(first)
    assert len(connections) == PLACES + 1
    assert not connections.enter(second)
    assert (first.ended, second.ended) == (True, False), "the one that has been there longest makes room"
    assert len(connections) == PLACES + 1
    connections.slow(clients[0])
    assert connections.enter(Client(connections, "d"))
    assert ended(clients) == [0]


def test_that_clients_are_refused_is_said_once(caplog):
    connections, _ = full("a")
    for host in ("b", "c"):
        assert not connections.enter(Client(connections, host))
    assert [record.message for record in caplog.records] == ["requests are refused: too many connections"]
    assert (caplog.records[0].server, caplog.records[0].peer) == ("test", "b")


def test_the_host_with_most_unfinished_requests_makes_room():
    connections, clients = full("few", "many", "many", "many")
    for client in clients[:4]:
        connections.slow(client)
    assert connections.enter(Client(connections, "other"))
    assert connections.enter(Client(connections, "many")), "also for a new client of that host"
    assert ended(clients) == [1, 2]


def test_one_that_is_slow_for_long_makes_room_before_an_idle_one_and_that_before_one_that_has_just_begun(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    connections, clients = full("a", "a", "a")
    connections.slow(clients[0])
    clock.now = 5
    connections.idle(clients[1])
    connections.slow(clients[2])
    order = []
    for _ in range(3):
        before = ended(clients)
        assert connections.enter(Client(connections, "b"))
        order += [n for n in ended(clients) if n not in before]
    assert order == [0, 1, 2]


def test_a_client_that_has_just_come_keeps_its_place_in_a_flood_of_others_that_begin_requests(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    connections, clients = full(*(f"flood {n}" for n in range(PLACES)))
    for client in clients:
        connections.slow(client)
    clock.now = 0.1
    newcomer = Client(connections, "new")
    assert connections.enter(newcomer)
    connections.idle(newcomer)
    for n in range(PLACES - 2):
        flood = Client(connections, f"more {n}")
        assert connections.enter(flood)
        connections.slow(flood)
    assert not newcomer.ended


def test_one_with_two_clients_is_no_crowd_in_a_flood_from_many_addresses(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    connections = server(connections=100)
    flood = [Client(connections, f"10.2.0.{n}") for n in range(93)]
    honest = [Client(connections, "honest") for _ in range(2)]
    for client in (*flood, *honest):
        assert connections.enter(client)
        connections.slow(client)
        clock.now += 0.001
    for n in range(90):
        late = Client(connections, f"10.3.0.{n}")
        assert connections.enter(late)
        connections.slow(late)
    assert ended(flood) == list(range(90))
    assert ended(honest) == []


def test_one_host_cannot_take_all_places():
    connections = server()
    share = connections.limits.per_host
    clients = [Client(connections, "a") for _ in range(share)]
    other = Client(connections, "b")
    for client in (other, *clients):
        assert connections.enter(client)
    connections.idle(other)
    assert not connections.enter(Client(connections, "a")), "others keep their places"
    connections.slow(clients[3])
    assert connections.enter(Client(connections, "a"))
    assert ended(clients) == [3]
    assert not other.ended
    assert connections.enter(Client(connections, "b"))


def test_over_the_bytes_in_flight_the_slow_ones_of_the_host_that_holds_most_lose_first():
    connections = server(requests=100)
    small, first, second, works = (Client(connections, host) for host in ("a", "b", "b", "b"))
    for client in (small, first, second, works):
        connections.enter(client)
        connections.slow(client)
    connections.works(works)
    assert connections.received(works, 30)
    assert connections.received(small, 5)
    assert connections.received(first, 20)
    assert connections.received(second, 40)
    assert connections.received(small, 10)
    assert [client.crowded_out for client in (small, first, second, works)] == [False, True, False, False]
    assert connections.held == 85
    assert connections.received(small, 16)
    assert [client.crowded_out for client in (small, second, works)] == [False, True, False]
    assert not connections.received(small, 40), "nobody else is slow"
    connections.release(small)
    assert connections.held == 30


def test_an_answer_for_several_clients_counts_once_and_until_the_last_has_it():
    connections = server(answers=100)
    clients = [Client(connections, str(n)) for n in range(3)]
    answer = bytes(60)
    for client in clients:
        connections.enter(client)
        connections.slow(client)
        assert connections.sends(client, answer)
    assert connections.held == 60
    assert connections.sends(clients[0], b"the next piece")
    connections.leave(clients[1])
    assert connections.held == 60 + 14
    connections.release(clients[2])
    assert connections.held == 14
    assert not any(client.ended for client in clients)


def made(count: int) -> tuple[Connections, list[Client]]:
    connections = server()
    clients = [Client(connections) for _ in range(count)]
    for client in clients:
        assert connections.enter(client)
    return connections, clients


def test_draining_ends_idle_clients_at_once_and_busy_ones_after_the_grace():
    connections, (idle, busy) = made(2)
    connections.idle(idle)
    began = time.monotonic()
    connections.drain(0.05)
    assert 0.04 < time.monotonic() - began < 5
    assert [idle.ended, busy.ended] == [True, False]
    assert busy.greenlet.dead


def test_draining_ends_when_the_last_request_does():
    connections, (busy,) = made(1)
    gevent.spawn_later(0.01, connections.leave, busy)
    began = time.monotonic()
    connections.drain(30)
    assert time.monotonic() - began < 5


def test_a_client_that_turns_idle_while_the_server_stops_is_ended():
    connections, (client,) = made(1)
    connections.stopping = True
    connections.idle(client)
    assert client.ended


def test_a_small_request_always_finds_room_and_loses_nothing():
    connections = server(requests=100)
    works, small, probe, large = (Client(connections, host) for host in ("a", "b", "b", "c"))
    for client in (works, small, probe, large):
        connections.enter(client)
        connections.slow(client)
    connections.works(works)
    assert connections.received(works, 99)
    assert connections.limits.small == 5
    assert connections.received(small, 5)
    assert connections.received(probe, 1)
    assert not connections.received(large, 6)
    assert not small.ended and not probe.ended
