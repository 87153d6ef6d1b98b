# SPDX-License-Identifier: Apache-2.0
"""A full server makes room by ending the connection that has been idle for longest."""

from __future__ import annotations

import time

import gevent
from gevent import event

from submgr.platform.http.app import json_errors
from submgr.platform.http.connections import Connections, HttpLimits


class Client:
    def __init__(self, connections: Connections, host: str = "10.0.0.1") -> None:
        self._connections = connections
        self.host = host
        self.greenlet = gevent.spawn(event.Event().wait)
        self.ended = False

    def hang_up(self) -> None:
        self.ended = True
        self._connections.leave(self)
        self.greenlet.kill(block=False)


def made(count: int, limit: int = 3) -> tuple[Connections, list[Client]]:
    connections = Connections("test", HttpLimits(connections=limit), json_errors)
    clients = [Client(connections) for _ in range(count)]
    for client in clients:
        assert connections.enter(client)
    return connections, clients


def test_the_connection_idle_for_longest_makes_room():
    connections, (busy, first, second) = made(3)
    connections.idle(first)
    connections.idle(second)
    assert connections.enter(Client(connections))
    assert [busy.ended, first.ended, second.ended] == [False, True, False]
    assert len(connections) == 3


def test_a_server_full_of_busy_clients_takes_no_more():
    connections, (first, *_) = made(3)
    connections.idle(first)
    connections.busy(first)
    assert not connections.enter(Client(connections))
    assert len(connections) == 3


def crowded(*hosts: str) -> tuple[Connections, list[Client]]:
    """A full server whose clients, of these hosts, are all within a request."""
    connections = Connections("test", HttpLimits(connections=len(hosts)), json_errors)
    clients = [Client(connections, host) for host in hosts]
    for client in clients:
        assert connections.enter(client)
        connections.busy(client)
    return connections, clients


def test_the_host_with_most_unfinished_requests_makes_room_for_another_host():
    connections, clients = crowded("few", "many", "many", "many")
    assert connections.enter(Client(connections, "other"))
    assert [client.ended for client in clients] == [False, True, False, False]
    assert connections.enter(Client(connections, "few"))
    assert [client.ended for client in clients] == [False, True, True, False]
    assert not connections.enter(Client(connections, "few")), "one each"


def test_a_request_that_has_come_completely_is_not_cut_off():
    connections, clients = crowded("many", "many", "many")
    for client in clients:
        connections.complete(client)
    assert not connections.enter(Client(connections, "other"))
    connections.busy(clients[1])
    assert connections.enter(Client(connections, "other"))
    assert [client.ended for client in clients] == [False, True, False]


def test_an_idle_connection_makes_room_before_an_unfinished_request():
    connections, clients = crowded("many", "many", "few")
    connections.complete(clients[2])
    connections.idle(clients[2])
    assert connections.enter(Client(connections, "other"))
    assert [client.ended for client in clients] == [False, False, True]


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
