# SPDX-License-Identifier: Apache-2.0
"""What the real neighbours of a RIC write, as they write it, in the order in which they write it.

R-NIB: E2 Manager's writes against a real redis. E2 Manager keeps NbIdentity (a member of a set) and NodebInfo (a key)
of each node. It renews the member by SREM of the old one and SADD of the new one, at each health check and each change
of state; it writes the record and publishes the event in one step. NbIdentity carries the time of the health check, so
that the new member is another one than the old.
"""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from support.adapters.protobuf import number, octets
from support.processes.daemon import Daemon, Neighbourhood
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.simulators.rnib import CHANNEL, NAMES, node_key

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

CONNECTED, DISCONNECTED, UNDER_RESET = 1, 2, 7


class E2Manager:
    """Writes R-NIB step by step. A test looks at our daemon between two steps."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self._checked_at: dict[str, int] = {}

    def member(self, name: str, status: int) -> bytes:
        """NbIdentity: inventory_name, global_nb_id (plmn_id, nb_id), connection_status, health_check_timestamp_sent."""
        global_nb_id = octets(1, b"02F829") + octets(2, b"001100000011000000110000")
        checked = number(4, self._checked_at.get(name, 1_700_000_000_000))
        return octets(1, name.encode()) + octets(2, global_nb_id) + number(3, status) + checked

    def record(self, name: str, status: int) -> bytes:
        """NodebInfo: ran_name, ip, port, connection_status, node_type, gnb (RAN functions), associated E2T address."""
        function = number(1, 2) + octets(2, b"\x00" * 700) + number(3, 1) + octets(4, b"1.3.6.1.4.1.53148.1.2.2.2")
        gnb = octets(2, function) + number(3, 1)
        begin = octets(1, name.encode()) + octets(2, b"10.244.0.17") + number(3, 36422)
        return begin + number(5, status) + number(8, 2) + octets(12, gnb) + octets(15, b"10.244.0.9:38000")

    def srem(self, name: str, status: int = CONNECTED) -> None:
        self._redis.command("SREM", NAMES, self.member(name, status))

    def sadd(self, name: str, status: int = CONNECTED) -> None:
        self._checked_at[name] = self._checked_at.get(name, 1_700_000_000_000) + 20_000
        self._redis.command("SADD", NAMES, self.member(name, status))

    def save(self, name: str, status: int) -> None:
        self._redis.command("SET", node_key(name), self.record(name, status))

    def remove(self, name: str) -> None:
        self._redis.command("DEL", node_key(name))

    def publish(self, *events: str) -> None:
        self._redis.command("PUBLISH", CHANNEL, "___".join(events))

    def setup(self, name: str) -> None:
        """A node connects for the first time: record, member, event."""
        self.save(name, CONNECTED)
        self.sadd(name)
        self.publish(f"{name}_CONNECTED")

    def forget(self, name: str) -> None:
        for status in (CONNECTED, DISCONNECTED, UNDER_RESET):
            self.srem(name, status)
        self.remove(name)


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with RedisServer() as redis, Neighbourhood(redis) as around:
        yield around


@pytest.fixture
def manager(around: Neighbourhood) -> E2Manager:
    assert around.redis is not None
    return E2Manager(around.redis)


@pytest.fixture
def daemon(around: Neighbourhood) -> Iterator[Daemon]:
    around.reset()
    with Daemon(around) as daemon:
        yield daemon


def status(around: Neighbourhood, daemon: Daemon, name: str) -> int:
    """The answer to a POST for this node. The node is not behind our E2 Termination: only the answer counts."""
    return daemon.post(around.request(name))[0]


def connected(daemon: Daemon) -> list[str]:
    return list(daemon.platform("GET", "get_all_e2nodes")[1])


def reread(around: Neighbourhood, daemon: Daemon) -> None:
    """Makes our daemon read all of R-NIB, as it does every 30 s: by the loss of its subscription."""
    assert around.redis is not None
    around.redis.command("CLIENT", "KILL", "TYPE", "pubsub")
    channel = CHANNEL.encode()
    assert eventually(lambda: channel in around.redis.command("PUBSUB", "CHANNELS"))  # type: ignore[union-attr]
    gevent.sleep(0.7)  # two readings


def test_a_health_check_that_is_read_halfway(around: Neighbourhood, daemon: Daemon, manager: E2Manager) -> None:
    manager.setup("gnb_real_1")
    assert eventually(lambda: "gnb_real_1" in connected(daemon))
    manager.srem("gnb_real_1")
    reread(around, daemon)
    assert "gnb_real_1" in connected(daemon)
    assert status(around, daemon, "gnb_real_1") == 201
    manager.sadd("gnb_real_1")
    manager.forget("gnb_real_1")


def test_a_start_in_the_middle_of_a_health_check(around: Neighbourhood, manager: E2Manager) -> None:
    """E2 Manager has taken the member out: nothing but the record has the node."""
    manager.save("gnb_real_2", CONNECTED)
    around.reset()
    with Daemon(around) as daemon:
        assert status(around, daemon, "gnb_real_2") == 201
        assert "gnb_real_2" in connected(daemon)
    manager.forget("gnb_real_2")


def test_a_restart_in_the_middle_of_a_health_check_drops_nothing(around: Neighbourhood, manager: E2Manager) -> None:
    around.reset()
    with Daemon(around) as daemon:
        subscription_id = daemon.subscribe(around.request("gnb_1"))
        assert around.xapp.wait(1)
        (listed,) = daemon.listed()
        daemon.kill()
        assert around.redis is not None
        members = around.redis.command("SMEMBERS", NAMES)
        around.redis.command("RENAME", NAMES, "kept aside")
        try:
            daemon.start()
            assert daemon.listed() == [listed]
            assert around.holds("gnb_1") == {listed["SubscriptionId"]}
        finally:
            around.redis.command("RENAME", "kept aside", NAMES)
        assert around.redis.command("SMEMBERS", NAMES) == members
        daemon.unsubscribe(subscription_id)
        assert eventually(lambda: not around.holds("gnb_1") and not daemon.listed())


def test_a_node_that_connected_without_our_hearing_it(
    around: Neighbourhood, daemon: Daemon, manager: E2Manager
) -> None:
    assert status(around, daemon, "gnb_real_3") == 503
    manager.save("gnb_real_3", CONNECTED)
    manager.sadd("gnb_real_3")
    assert eventually(lambda: status(around, daemon, "gnb_real_3") == 201, 2.0), (
        "read again at the latest a second later"
    )
    manager.forget("gnb_real_3")


def test_a_loss_is_believed_from_an_event_and_from_two_readings(
    around: Neighbourhood, daemon: Daemon, manager: E2Manager
) -> None:
    for name in ("gnb_real_4", "gnb_real_5"):
        manager.setup(name)
    assert eventually(lambda: {"gnb_real_4", "gnb_real_5"} <= set(connected(daemon)))
    manager.save("gnb_real_4", DISCONNECTED)
    manager.publish("gnb_real_4_DISCONNECTED")
    manager.srem("gnb_real_4")
    assert eventually(lambda: status(around, daemon, "gnb_real_4") == 503, 2.0)
    manager.sadd("gnb_real_4", DISCONNECTED)
    manager.save("gnb_real_5", UNDER_RESET)  # its event is lost
    reread(around, daemon)
    code, answer = daemon.post(around.request("gnb_real_5"))
    assert (code, "under reset" in answer["message"]) == (503, True)
    for name in ("gnb_real_4", "gnb_real_5"):
        manager.forget(name)


def test_what_cannot_be_read_takes_nothing_with_it(around: Neighbourhood, daemon: Daemon, manager: E2Manager) -> None:
    """A member, a record, an event of several: the good ones beside them count. One line for each kind."""
    assert around.redis is not None
    for name in ("gnb_real_6", "gnb_real_7"):
        manager.setup(name)
    garbage = [b"\xff" * 9, b"\x0a\x7fshort", b"", *(b"\x08" + bytes([n]) for n in range(50))]
    around.redis.command("SADD", NAMES, *garbage)
    around.redis.command("SET", node_key("gnb_real_7"), b"\x0a\xff\xff\xff\xff\x7f")
    around.redis.command("SET", "{e2Manager},ENB", "not a set")
    try:
        reread(around, daemon)
        assert {"gnb_real_6", "gnb_real_7"} <= set(connected(daemon)), "what cannot be read stays as it was"
        manager.publish(
            "gnb_real_6", "_DISCONNECTED", "gnb_real_6_CONNECTED_SETUP_FAILED", "", "gnb_real_7_DISCONNECTED"
        )
        assert eventually(lambda: "gnb_real_7" not in connected(daemon))
        assert "gnb_real_6" in connected(daemon)
        for kind in ("member", "record", "event", "set"):
            assert len(daemon.logged(f"ignored an unknown {kind} of R-NIB")) == 1
    finally:
        around.redis.command("SREM", NAMES, *garbage)
        around.redis.command("DEL", "{e2Manager},ENB")
        for name in ("gnb_real_6", "gnb_real_7"):
            manager.forget(name)
