# SPDX-License-Identifier: Apache-2.0
"""The state of E2 nodes: the same checks over R-NIB in a real redis and in-process; then what only R-NIB has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import gevent
import pytest
from redis import Redis
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.adapters.rnib.connection_state import LocalNodeState, NodeState
from submgr.adapters.rnib.messages import CHANNEL, ConnectionState
from submgr.adapters.rnib.ran_functions import RanFunction
from submgr.adapters.rnib.rnib_nodes import RnibNodeState
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_client import SdlSettings

STATUS = {ConnectionState.CONNECTED: 1, ConnectionState.DISCONNECTED: 2, ConnectionState.UNDER_RESET: 7}
needs_redis = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]


def entry(name: str, status_field: int, state: ConnectionState) -> bytes:
    return b"\x0a" + bytes([len(name)]) + name.encode() + bytes([status_field << 3, STATUS[state]])


class E2Manager:
    """Writes R-NIB as E2 Manager does: the record first, then the event."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server

    def list(self, name: str, node_type: str = "GNB") -> None:
        self.server.command("SADD", f"{{e2Manager}},{node_type}", entry(name, 3, ConnectionState.CONNECTED))

    def unlist(self, name: str, node_type: str = "GNB") -> None:
        self.server.command("SREM", f"{{e2Manager}},{node_type}", entry(name, 3, ConnectionState.CONNECTED))

    def write(self, name: str, state: ConnectionState) -> None:
        self.server.command("SET", f"{{e2Manager}},RAN:{name}", entry(name, 5, state))

    def publish(self, payload: str) -> None:
        self.server.command("PUBLISH", f"{{e2Manager}},{CHANNEL}", payload)

    def change(self, name: str, state: ConnectionState) -> None:
        self.list(name)
        self.write(name, state)
        self.publish(f"{name}_{state}")


class Told(list[tuple[str, ConnectionState, bool]]):
    def __call__(self, meid: str, state: ConnectionState, again: bool) -> None:
        self.append((meid, state, again))


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer(durable=True) as server:
        yield server


@pytest.fixture
def manager(server: RedisServer) -> E2Manager:
    return E2Manager(server)


@pytest.fixture
def rnib(server: RedisServer) -> Iterator[Callable[..., RnibNodeState]]:
    started: list[RnibNodeState] = []

    def start(
        told: Told | None = None, interval: float = 30.0, count: Callable[[str], None] = lambda name: None
    ) -> RnibNodeState:
        settings = SdlSettings(server.environment, connect_timeout=0.5, operation_timeout=0.5)
        channel = SdlChannel(settings, retry_interval=0.05, health_interval=0.1)
        nodes = RnibNodeState(channel, interval=interval, retry=0.05, count=count)
        if told is not None:
            nodes.on_change(told)
        nodes.start()
        started.append(nodes)
        return nodes

    yield start
    for nodes in started:
        nodes.stop()


class TestEveryNodeState:
    """`nodes` is started and knows nothing; `change` makes a node come into a state."""

    @pytest.fixture(params=["local", pytest.param("rnib", marks=needs_redis)])
    def kind(self, request: pytest.FixtureRequest) -> str:
        kind: str = request.param
        return kind

    @pytest.fixture
    def told(self) -> Told:
        return Told()

    @pytest.fixture
    def nodes(self, kind: str, told: Told, request: pytest.FixtureRequest) -> NodeState:
        if kind == "rnib":
            nodes: NodeState = request.getfixturevalue("rnib")(told)
        else:
            nodes = LocalNodeState()
            nodes.on_change(told)
            nodes.start()
        eventually(nodes.known)
        return nodes

    @pytest.fixture
    def change(
        self, kind: str, nodes: NodeState, request: pytest.FixtureRequest
    ) -> Callable[[str, ConnectionState], None]:
        if isinstance(nodes, LocalNodeState):
            return nodes.set
        manager: E2Manager = request.getfixturevalue("manager")
        return manager.change

    def test_nobody_is_known_at_first(self, nodes: NodeState, told: Told) -> None:
        assert nodes.state("gnb_1") is ConnectionState.UNKNOWN
        assert nodes.connected() == []
        assert not nodes.stale()
        assert told == []

    def test_changes_are_told_in_order(
        self, nodes: NodeState, change: Callable[[str, ConnectionState], None], told: Told
    ) -> None:
        change("gnb_b", ConnectionState.CONNECTED)
        change("gnb_a", ConnectionState.CONNECTED)
        eventually(lambda: nodes.connected() == ["gnb_a", "gnb_b"])
        change("gnb_b", ConnectionState.UNDER_RESET)
        change("gnb_a", ConnectionState.DISCONNECTED)
        eventually(lambda: len(told) == 4)
        assert nodes.connected() == []
        assert (nodes.state("gnb_a"), nodes.state("gnb_b")) == (
            ConnectionState.DISCONNECTED,
            ConnectionState.UNDER_RESET,
        )
        assert told == [
            ("gnb_b", ConnectionState.CONNECTED, False),
            ("gnb_a", ConnectionState.CONNECTED, False),
            ("gnb_b", ConnectionState.UNDER_RESET, False),
            ("gnb_a", ConnectionState.DISCONNECTED, False),
        ]

    def test_connected_once_more_is_told(
        self, nodes: NodeState, change: Callable[[str, ConnectionState], None], told: Told
    ) -> None:
        change("gnb_a", ConnectionState.CONNECTED)
        change("gnb_a", ConnectionState.CONNECTED)
        eventually(lambda: len(told) == 2)
        assert told == [("gnb_a", ConnectionState.CONNECTED, False), ("gnb_a", ConnectionState.CONNECTED, True)]


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
class TestRnib:
    def test_what_is_there_at_the_start(self, manager: E2Manager, rnib: Callable[..., RnibNodeState]) -> None:
        for name, node_type, state in (
            ("gnb_1", "GNB", ConnectionState.CONNECTED),
            ("gnb_2", "GNB", ConnectionState.DISCONNECTED),
            ("gnb_3", "GNB", ConnectionState.UNDER_RESET),
            ("enb_1", "ENB", ConnectionState.CONNECTED),
        ):
            manager.list(name, node_type)
            manager.write(name, state)
        manager.list("gnb_without_record")
        counted: list[str] = []
        told = Told()
        nodes = rnib(told, count=counted.append)
        eventually(nodes.known)
        assert nodes.connected() == ["enb_1", "gnb_1"]
        assert nodes.state("gnb_2") is ConnectionState.DISCONNECTED
        assert nodes.state("gnb_3") is ConnectionState.UNDER_RESET
        assert nodes.state("gnb_without_record") is ConnectionState.DISCONNECTED
        assert len(told) == 5
        assert counted == []
        assert nodes.ignored == 0

    def test_many_nodes(self, manager: E2Manager, rnib: Callable[..., RnibNodeState]) -> None:
        names = [f"gnb_{n:03}" for n in range(300)]
        members = [entry(name, 3, ConnectionState.CONNECTED) for name in names]
        manager.server.command("SADD", "{e2Manager},GNB", *members)
        pairs = [
            part for name in names for part in (f"{{e2Manager}},RAN:{name}", entry(name, 5, ConnectionState.CONNECTED))
        ]
        manager.server.command("MSET", *pairs)
        nodes = rnib()
        eventually(nodes.known)
        assert nodes.connected() == names

    def test_an_event_tells_of_a_node_that_is_not_listed(
        self, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        nodes = rnib(interval=0.05)
        eventually(nodes.known)
        manager.publish("gnb_new_CONNECTED")
        eventually(lambda: nodes.connected() == ["gnb_new"])
        manager.list("gnb_old")
        manager.write("gnb_old", ConnectionState.CONNECTED)
        eventually(lambda: nodes.state("gnb_old") is ConnectionState.CONNECTED)
        assert nodes.connected() == ["gnb_new", "gnb_old"], "readings leave it as it was told"

    def test_several_events_in_one_and_events_that_say_nothing(
        self, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        told = Told()
        counted: list[str] = []
        nodes = rnib(told, count=counted.append)
        eventually(nodes.known)
        manager.publish("gnb_1_CONNECTED_SETUP_FAILED")
        manager.publish("_CONNECTED")
        manager.publish("gnb_1_CONNECTED___gnb_2_CONNECTED___gnb_1_DISCONNECTED___gnb_2_UNDER_RESET")
        eventually(lambda: len(told) == 4)
        assert [(name, state) for name, state, _ in told] == [
            ("gnb_1", ConnectionState.CONNECTED),
            ("gnb_2", ConnectionState.CONNECTED),
            ("gnb_1", ConnectionState.DISCONNECTED),
            ("gnb_2", ConnectionState.UNDER_RESET),
        ]
        assert nodes.ignored == 2
        assert sorted(counted) == [
            "E2StateChangedToDown",
            "E2StateChangedToUnderReset",
            "E2StateChangedToUp",
            "E2StateChangedToUp",
        ]

    def test_a_change_without_an_event_is_found_by_reading(
        self, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        manager.change("gnb_1", ConnectionState.CONNECTED)
        nodes = rnib(interval=0.05)
        eventually(lambda: nodes.connected() == ["gnb_1"])
        manager.write("gnb_1", ConnectionState.DISCONNECTED)
        eventually(lambda: nodes.state("gnb_1") is ConnectionState.DISCONNECTED)

    def test_garbage_in_rnib_changes_nothing(self, manager: E2Manager, rnib: Callable[..., RnibNodeState]) -> None:
        manager.change("gnb_1", ConnectionState.CONNECTED)
        nodes = rnib(interval=0.05)
        eventually(lambda: nodes.connected() == ["gnb_1"])
        manager.server.command("SADD", "{e2Manager},GNB", b"\xff\xff")
        manager.server.command("SET", "{e2Manager},RAN:gnb_1", b"\x0a\xff garbage")
        manager.list("gnb_2")
        manager.server.command("SET", "{e2Manager},RAN:gnb_2", entry("another", 5, ConnectionState.CONNECTED))
        manager.list("gnb_3")
        manager.write("gnb_3", ConnectionState.CONNECTED)
        eventually(lambda: nodes.state("gnb_3") is ConnectionState.CONNECTED)
        assert nodes.connected() == ["gnb_1", "gnb_3"]
        assert nodes.state("gnb_2") is ConnectionState.UNKNOWN
        assert nodes.ignored >= 3

    def test_a_node_taken_out_of_rnib_is_unknown(self, manager: E2Manager, rnib: Callable[..., RnibNodeState]) -> None:
        manager.change("gnb_1", ConnectionState.CONNECTED)
        nodes = rnib(interval=0.05)
        eventually(lambda: nodes.connected() == ["gnb_1"])
        manager.unlist("gnb_1")
        manager.server.command("DEL", "{e2Manager},RAN:gnb_1")
        eventually(lambda: nodes.state("gnb_1") is ConnectionState.UNKNOWN)

    def test_a_node_between_srem_and_sadd_stays_connected(
        self, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        manager.change("gnb_1", ConnectionState.CONNECTED)
        told = Told()
        nodes = rnib(told, interval=0.02)
        eventually(lambda: nodes.connected() == ["gnb_1"])
        manager.unlist("gnb_1")
        manager.change("gnb_2", ConnectionState.CONNECTED)
        manager.write("gnb_2", ConnectionState.DISCONNECTED)
        eventually(lambda: nodes.state("gnb_2") is ConnectionState.DISCONNECTED)  # at least two readings
        assert nodes.connected() == ["gnb_1"]
        assert [name for name, _, _ in told] == ["gnb_1", "gnb_2", "gnb_2"]

    def test_a_change_to_worse_that_one_reading_found_is_no_change(
        self, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        """A member without a record, another record, no member and no record: found once, gone at the next look."""
        for name in ("gnb_1", "gnb_2", "gnb_3"):
            manager.change(name, ConnectionState.CONNECTED)
        told = Told()
        nodes = rnib(told, interval=0.3)
        eventually(lambda: len(nodes.connected()) == 3)
        told.clear()
        readings = nodes.readings
        eventually(lambda: nodes.readings > readings)
        manager.server.command("DEL", "{e2Manager},RAN:gnb_1", "{e2Manager},RAN:gnb_3")
        manager.unlist("gnb_3")
        manager.write("gnb_2", ConnectionState.DISCONNECTED)
        eventually(lambda: nodes.readings > readings + 1)
        for name in ("gnb_1", "gnb_2", "gnb_3"):
            manager.list(name)
            manager.write(name, ConnectionState.CONNECTED)
        eventually(lambda: nodes.readings > readings + 3)
        assert told == []
        assert nodes.connected() == ["gnb_1", "gnb_2", "gnb_3"]

    def test_a_node_that_was_between_its_two_steps_at_the_start_is_found_soon(
        self, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        manager.write("gnb_1", ConnectionState.CONNECTED)
        nodes = rnib()
        eventually(nodes.known)
        assert nodes.state("gnb_1") is ConnectionState.UNKNOWN
        manager.list("gnb_1")
        eventually(lambda: nodes.connected() == ["gnb_1"], seconds=1.0)

    def test_one_node_is_read_again_when_somebody_asks_for_it(
        self, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        manager.change("gnb_1", ConnectionState.DISCONNECTED)
        told = Told()
        nodes = rnib(told)
        eventually(lambda: nodes.readings > 1)
        manager.write("gnb_1", ConnectionState.CONNECTED)
        manager.write("gnb_2", ConnectionState.CONNECTED)
        for name in ("gnb_1", "gnb_2", "gnb_3", "gnb_\ud800", ""):
            nodes.look_again(name)
        assert nodes.connected() == ["gnb_1", "gnb_2"]
        assert [(name, state) for name, state, _ in told[1:]] == [
            ("gnb_1", ConnectionState.CONNECTED),
            ("gnb_2", ConnectionState.CONNECTED),
        ]
        manager.write("gnb_3", ConnectionState.CONNECTED)
        nodes.look_again("gnb_3")
        assert not nodes.knows("gnb_3"), "it was read a moment ago"

    def test_an_event_is_believed_until_the_next_reading(
        self, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        manager.change("gnb_1", ConnectionState.CONNECTED)
        nodes = rnib()
        eventually(lambda: nodes.readings > 1)
        manager.publish("gnb_1_DISCONNECTED")
        eventually(lambda: nodes.state("gnb_1") is ConnectionState.DISCONNECTED)
        nodes.look_again("gnb_1")
        assert nodes.state("gnb_1") is ConnectionState.DISCONNECTED

    def test_a_database_that_hangs_does_not_hold_up_who_asks(
        self, server: RedisServer, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        nodes = rnib()
        eventually(nodes.known)
        server.suspend()
        asking = [gevent.spawn(nodes.look_again, f"gnb_{number}") for number in range(50)]
        assert len(gevent.joinall(asking, timeout=1.0)) == 50
        server.resume()

    def test_a_set_that_is_no_set_does_not_hide_the_other_one(
        self, manager: E2Manager, rnib: Callable[..., RnibNodeState], caplog: pytest.LogCaptureFixture
    ) -> None:
        manager.server.command("SET", "{e2Manager},GNB", "text")
        manager.list("enb_1", "ENB")
        manager.write("enb_1", ConnectionState.CONNECTED)
        nodes = rnib(interval=0.02)
        eventually(lambda: nodes.readings > 3)
        assert nodes.connected() == ["enb_1"]
        assert nodes.ignored > 3
        assert nodes.trouble() is None
        manager.server.command("SADD", "{e2Manager},ENB", b"\xff")
        manager.server.command("SET", "{e2Manager},RAN:enb_1", b"\xff")
        eventually(lambda: nodes.trouble() == "2 entries of R-NIB cannot be read (enb_1)")
        assert nodes.connected() == ["enb_1"]
        assert caplog.text.count("WRONGTYPE") == 1

    def test_what_changed_while_redis_was_away_is_seen(
        self, server: RedisServer, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        manager.change("gnb_1", ConnectionState.CONNECTED)
        manager.change("gnb_2", ConnectionState.CONNECTED)
        told = Told()
        nodes = rnib(told)
        eventually(lambda: nodes.connected() == ["gnb_1", "gnb_2"])
        told.clear()
        manager.write("gnb_1", ConnectionState.DISCONNECTED)  # its event is missed
        server.stop()
        eventually(nodes.stale)
        assert nodes.connected() == ["gnb_1", "gnb_2"], "what was known stays"
        server.start()
        eventually(lambda: nodes.state("gnb_1") is ConnectionState.DISCONNECTED)
        eventually(lambda: not nodes.stale())
        manager.publish("gnb_2_UNDER_RESET")
        eventually(lambda: nodes.state("gnb_2") is ConnectionState.UNDER_RESET)
        assert told == [("gnb_1", ConnectionState.DISCONNECTED, False), ("gnb_2", ConnectionState.UNDER_RESET, False)]

    def test_a_redis_that_hangs(
        self,
        server: RedisServer,
        manager: E2Manager,
        rnib: Callable[..., RnibNodeState],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        manager.change("gnb_1", ConnectionState.CONNECTED)
        nodes = rnib(interval=0.1)
        eventually(lambda: nodes.connected() == ["gnb_1"])
        server.suspend()
        eventually(lambda: "R-NIB cannot be read" in caplog.text)
        assert nodes.stale()
        assert "R-NIB cannot be read, the nodes stay as they were: redis: " in str(nodes.trouble())
        assert nodes.connected() == ["gnb_1"]
        server.resume()
        eventually(lambda: not nodes.stale())
        manager.change("gnb_1", ConnectionState.DISCONNECTED)
        eventually(lambda: nodes.state("gnb_1") is ConnectionState.DISCONNECTED)

    def test_a_redis_that_comes_later(
        self, server: RedisServer, manager: E2Manager, rnib: Callable[..., RnibNodeState]
    ) -> None:
        manager.change("gnb_1", ConnectionState.CONNECTED)
        server.stop()
        nodes = rnib()
        gevent.sleep(0.2)
        assert not nodes.known()
        assert nodes.stale()
        assert nodes.state("gnb_1") is ConnectionState.UNKNOWN
        server.start()
        eventually(nodes.known)
        assert nodes.connected() == ["gnb_1"]
        assert not nodes.stale()

    def test_nothing_is_told_after_the_stop(self, manager: E2Manager, rnib: Callable[..., RnibNodeState]) -> None:
        told = Told()
        nodes = rnib(told, interval=0.02)
        eventually(nodes.known)
        nodes.stop()
        manager.change("gnb_1", ConnectionState.CONNECTED)
        gevent.sleep(0.1)
        assert told == []
        assert nodes.stale()


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
class TestNobodyIsHeldUp:
    def test_by_a_reading_of_thousands_of_nodes(
        self, rnib: Callable[..., RnibNodeState], server: RedisServer, longest_gap: Callable[[], float]
    ) -> None:
        filler = b"\x7a\x80\x08" + bytes(1024)  # a field that nobody here asks for
        names = [f"gnb_{number:06}" for number in range(3000)]
        with Redis(server.host, server.port) as redis:
            up = ConnectionState.CONNECTED
            redis.mset({f"{{e2Manager}},RAN:{name}": entry(name, 5, up) + filler for name in names})
            redis.sadd("{e2Manager},GNB", *(entry(name, 3, up) for name in names))
        nodes = rnib(interval=0.2)
        eventually(lambda: len(nodes.connected()) == len(names))
        before = nodes.readings
        eventually(lambda: nodes.readings > before + 2)
        assert longest_gap() < 0.1

    def test_by_a_flood_of_events(
        self, rnib: Callable[..., RnibNodeState], manager: E2Manager, longest_gap: Callable[[], float]
    ) -> None:
        told = Told()
        nodes = rnib(told)
        eventually(lambda: not nodes.stale())
        parts = [f"gnb_{number % 5}_{state}" for number in range(100) for state in ("CONNECTED", "DISCONNECTED")]
        flood = "___".join(parts)
        for _ in range(500):
            manager.publish(flood)
        # found by the events, or by a reading when the listener came too late for them
        for name in ("gnb_0", "last"):
            manager.change(name, ConnectionState.CONNECTED)
        eventually(lambda: nodes.connected() == ["gnb_0", "last"])
        assert longest_gap() < 0.1
        eventually(lambda: ConnectionState.DISCONNECTED in {state for name, state, _ in told if name == "gnb_1"})
        assert len(told) < 500 * len(parts) / 2


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
def test_ran_functions_are_read_with_the_states_and_forgotten_when_the_node_connects_anew(
    manager: E2Manager, rnib: Callable[..., RnibNodeState]
) -> None:
    function = b"\x08\x02" + b"\x12\x04c0fe" + b"\x18\x05" + b"\x22\x031.2"
    configuration = b"\x12" + bytes([len(function)]) + function
    record = entry("gnb_1", 5, ConnectionState.CONNECTED) + b"\x4a" + bytes([len(configuration)]) + configuration
    manager.list("gnb_1")
    manager.server.command("SET", "{e2Manager},RAN:gnb_1", record)
    nodes = rnib(interval=3600.0)
    eventually(lambda: nodes.functions("gnb_1"))
    assert nodes.functions("gnb_1") == (RanFunction(2, 5, "1.2", b"\xc0\xfe"),)
    assert nodes.functions("gnb_2") == ()
    manager.publish("gnb_1_CONNECTED")
    eventually(lambda: not nodes.functions("gnb_1"))


def test_a_simulator_says_what_a_node_offers() -> None:
    nodes = LocalNodeState()
    assert nodes.functions("gnb_1") == ()
    nodes.set_functions("gnb_1", (RanFunction(2, 5, "1.2", b""),))
    assert nodes.functions("gnb_1") == (RanFunction(2, 5, "1.2", b""),)
