# SPDX-License-Identifier: Apache-2.0
"""The daemon while the name service is silent about everything that strangers name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.name_server import NameServer
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.rmr.frames import frame
from support.rmr.peer import Link
from support.waiting import eventually

from submgr.e2ap.codec import encode
from submgr.e2ap.messages import Action, ActionType, RequestId, SubscriptionRequest

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

SOON = 2.0
"""Seconds. A name that hangs is given up after three."""


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    with NameServer() as server:
        yield server


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with RedisServer(durable=True) as redis, Neighbourhood(redis) as around:
        yield around


@pytest.fixture(scope="module")
def daemon(around: Neighbourhood, names: NameServer) -> Iterator[Daemon]:
    environment = {
        "GEVENTARES_SERVERS": "127.0.0.1",
        "GEVENTARES_UDP_PORT": str(names.port),
        "DBAAS_SERVICE_HOST": "localhost",
    }
    with Daemon(around, environment) as daemon:
        yield daemon


def from_host(around: Neighbourhood, host: str, *details: dict[str, Any]) -> dict[str, Any]:
    body = around.request("gnb_1", *details)
    body["ClientEndpoint"]["Host"] = host
    return body


def bad_hosts_subscribe(around: Neighbourhood, daemon: Daemon, names: NameServer, group: str) -> None:
    """Thirty xApps, whose notifications have nowhere to go from now on."""
    for number in range(30):
        daemon.subscribe(from_host(around, f"hang-{group}-{number}.example.", detail(trigger=[number])))
    eventually(lambda: sum(name.startswith(f"hang-{group}-") for name in names.asked) == 30)


def bad_sources_ask(daemon: Daemon, names: NameServer, group: str) -> list[Link]:
    """Ten RMR peers, of which the first five wait for the answer, and the others are gone when it comes."""
    pdu = encode(SubscriptionRequest(RequestId(77, 0), 2, b"\1", (Action(1, ActionType.REPORT, b"\5\6"),)))
    links = [Link.to(daemon.rmr_port) for _ in range(10)]
    for number, link in enumerate(links):
        source = f"hang-{group}-{number}.example.:4560".encode()
        link.send(frame(pdu, mtype=12010, meid=b"gnb_2", src=source, xid=str(number).encode()))
        if number >= 5:
            link.close()
    return links[:5]


def test_a_good_host_is_notified_and_a_large_request_taken(
    around: Neighbourhood, daemon: Daemon, names: NameServer
) -> None:
    bad_hosts_subscribe(around, daemon, names, "notified")
    begin = time.monotonic()
    daemon.subscribe(from_host(around, "localhost", detail(12345, trigger=[200])))
    assert around.xapp.wait(1)
    assert around.xapp.instances()[0]["XappEventInstanceId"] == 12345
    assert time.monotonic() - begin < SOON

    begin = time.monotonic()
    large = from_host(around, "localhost", detail(2, trigger=[201]))
    large["Comment"] = "x" * 200_000
    daemon.subscribe(large)
    assert time.monotonic() - begin < SOON


def test_sources_of_rmr_messages_are_answered_on_their_own_connections(daemon: Daemon, names: NameServer) -> None:
    begin = time.monotonic()
    links = bad_sources_ask(daemon, names, "asking")
    eventually(lambda: all(link.got for link in links))
    assert time.monotonic() - begin < SOON
    assert {link.got[0].mtype for link in links} == {12011}
    assert {name for name in names.asked if name.startswith("hang-asking")} <= {
        f"hang-asking-{number}.example" for number in range(5, 10)
    }, "nobody who waits for the answer on the connection is looked up"
    for link in links:
        link.close()


def test_redis_is_connected_again(around: Neighbourhood, daemon: Daemon, names: NameServer) -> None:
    assert around.redis is not None
    around.redis.kill()
    eventually(lambda: not daemon.is_ready())
    around.redis.start()
    bad_sources_ask(daemon, names, "redis")
    begin = time.monotonic()
    eventually(daemon.is_ready)
    assert time.monotonic() - begin < 3 * SOON, "a try each second, and none waits for a thread"
