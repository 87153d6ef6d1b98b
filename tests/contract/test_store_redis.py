# SPDX-License-Identifier: Apache-2.0
"""The store over a real redis that is late, restarted, hung, full or read-only."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.processes.sentinel import Sentinel
from support.waiting import eventually

from submgr.platform.store.base import Change, StoreError, StoreRefusesWrites, StoreTimeout, StoreUnavailable
from submgr.platform.store.dbaas import VARIABLES
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_client import SdlSettings

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

NS = "submgr_e2SubsDb"


def quick(environment: dict[str, str], timeout: float = 0.6) -> SdlStore:
    return SdlStore(SdlSettings(environment, connect_timeout=timeout, operation_timeout=timeout), probe_interval=0.1)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer(durable=True) as server:
        yield server


@pytest.fixture
def store(server: RedisServer) -> Iterator[SdlStore]:
    store = quick(server.environment)
    store.start()
    store.read_all(NS)  # as a service does at its start; else each new key is read before it is written
    yield store
    store.stop()


def settled(store: SdlStore) -> None:
    eventually(lambda: store.reachable() and not store.stats().repairs_pending)


def removal(*keys: str) -> Change:
    return Change(NS, remove=frozenset(keys))


def test_records_are_where_every_user_of_sdl_looks(server: RedisServer, store: SdlStore) -> None:
    store.write(Change(NS, {"1": b'{"Valid":true}'}))
    assert server.command("GET", "{submgr_e2SubsDb},1") == b'$14\r\n{"Valid":true}\r\n'
    server.command("SET", "{submgr_restSubsDb},abc", "{}")
    server.command("SADD", "{submgr_restSubsDb},a set", "x")
    server.command("SET", b"{submgr_restSubsDb},\xff", "not text")
    assert store.read_all("submgr_restSubsDb") == {"abc": b"{}"}


def test_down_at_the_start() -> None:
    server = RedisServer()
    store = quick(server.environment)
    store.start()
    try:
        assert not store.reachable()
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{server.port}"):
            store.read_all(NS)
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{server.port}"):
            store.write(Change(NS, {"1": b"x"}))
        with pytest.raises(StoreUnavailable):
            store.write(Change(NS, {"2": b"x"}), persistent=True)
        with server:
            eventually(store.reachable)
            settled(store)
            store.write(Change(NS, {"3": b"x"}))
            assert store.read_all(NS) == {"2": b"x", "3": b"x"}
    finally:
        store.stop()


def test_a_restart_loses_nothing(server: RedisServer, store: SdlStore) -> None:
    """Every change is acknowledged and there, or failed and not there, but for the persistent removal."""
    acknowledged: dict[str, bytes] = {}
    failed = 0

    def work(worker: int) -> None:
        nonlocal failed
        for number in range(100):
            key, value = f"{worker}-{number}", b"%d" % number
            try:
                store.write(Change(NS, {key: value}))
                acknowledged[key] = value
            except StoreError:
                failed += 1
                gevent.sleep(0.01)

    store.write(Change(NS, {"gone": b"x"}))
    workers = [gevent.spawn(work, worker) for worker in range(10)]
    eventually(lambda: len(acknowledged) > 100)
    server.kill()
    eventually(lambda: failed > 20)
    with pytest.raises(StoreError):
        store.write(removal("gone"), persistent=True)
    server.start()
    gevent.joinall(workers, raise_error=True)
    settled(store)
    assert len(acknowledged) + failed == 1000
    assert failed < 1000
    assert store.read_all(NS) == acknowledged
    assert server.get(NS, "gone") is None


def test_a_hung_database_brings_nothing_back(server: RedisServer, store: SdlStore) -> None:
    """What was sent to it while it hung is not what it holds after it went on."""
    store.write(Change(NS, {"old": b"before", "removed": b"before"}))
    server.suspend()
    told: list[tuple[str, StoreError | None]] = []
    late = Change(NS, {"old": b"late", "new": b"late"}, frozenset({"removed"}))
    store.submit(late, lambda error: told.append(("late", error)))
    eventually(lambda: not store.reachable())
    store.submit(Change(NS, {"new": b"unsent"}), lambda error: told.append(("unsent", error)))
    store.submit(removal("old"), lambda error: told.append(("removal", error)), persistent=True)
    eventually(lambda: len(told) == 3)
    assert [name for name, _ in told] == ["late", "unsent", "removal"]
    assert isinstance(told[0][1], StoreTimeout)
    assert isinstance(told[1][1], StoreUnavailable)
    server.resume()
    settled(store)
    assert store.read_all(NS) == {"removed": b"before"}
    assert [server.get(NS, key) for key in ("old", "new", "removed")] == [None, None, b"before"]
    store.write(Change(NS, {"new": b"after"}))
    assert server.get(NS, "new") == b"after"


def test_connections_that_cannot_be_ended_bring_nothing_back_either(server: RedisServer, store: SdlStore) -> None:
    server.command("ACL", "SETUSER", "default", "-client|list")
    store.write(Change(NS, {"old": b"before"}))
    for _ in range(3):
        server.suspend()
        with pytest.raises(StoreTimeout):
            store.write(Change(NS, {"old": b"late", "new": b"late"}))
        server.resume()
        settled(store)
        assert server.get(NS, "old") == b"before"
        assert server.get(NS, "new") is None


class SlowWay:
    """A way to the database on which the connections of one moment can be made to deliver much later."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._server = StreamServer(("127.0.0.1", 0), self._carry)
        self._free: list[Event] = []
        self.delivered = Event()

    def __enter__(self) -> SlowWay:
        self._server.start()
        self.environment = {"DBAAS_SERVICE_HOST": "127.0.0.1", "DBAAS_SERVICE_PORT": str(self._server.server_port)}
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def hold(self) -> None:
        """What is sent from now on over the connections of now is kept; new connections are fast."""
        for free in self._free:
            free.clear()

    def deliver(self) -> None:
        for free in self._free:
            free.set()

    def _carry(self, near: socket.socket, _address: object) -> None:
        free = Event()
        free.set()
        self._free.append(free)
        with socket.create_connection(self._target) as far:
            back = gevent.spawn(self._copy, far, near, None)
            self._copy(near, far, free)
            back.kill()

    def _copy(self, source: socket.socket, target: socket.socket, free: Event | None) -> None:
        try:
            while data := source.recv(65536):
                held = free is not None and not free.is_set()
                if free is not None:
                    free.wait()
                try:
                    target.sendall(data)
                finally:
                    if held:
                        self.delivered.set()
        except OSError:
            return


def test_what_is_delivered_after_the_database_answered_again_is_not_done(server: RedisServer) -> None:
    """A command given up may still be on its way when a new connection already works."""
    with SlowWay(server.port) as way:
        store = quick(way.environment)
        store.start()
        try:
            store.read_all(NS)
            store.write(Change(NS, {"old": b"before"}))
            way.hold()
            with pytest.raises(StoreTimeout):
                store.write(Change(NS, {"old": b"late", "new": b"late"}))
            settled(store)
            way.deliver()
            assert way.delivered.wait(5)
            gevent.sleep(0.05)
            assert store.read_all(NS) == {"old": b"before"}
            assert (server.get(NS, "old"), server.get(NS, "new")) == (b"before", None)
        finally:
            store.stop()


def test_a_hung_database_is_noticed_without_being_used(server: RedisServer, store: SdlStore) -> None:
    server.suspend()
    eventually(lambda: not store.reachable())
    assert "127.0.0.1" in str(store.stats().error)
    with pytest.raises(StoreUnavailable):
        store.read(NS, {"1"})
    server.resume()
    eventually(store.reachable)


def test_a_hung_database_does_not_hold_up_the_process(server: RedisServer, store: SdlStore) -> None:
    """Without monkey-patching: the connections wait in the hub by themselves."""
    server.suspend()
    waiting = [gevent.spawn(store.write, Change(NS, {f"{n}": b"x"})) for n in range(20)]
    waiting += [gevent.spawn(store.read, NS, {"1"}) for _ in range(20)]
    turns = 0
    while not all(each.ready() for each in waiting):
        gevent.sleep(0.01)
        turns += 1
    server.resume()
    assert turns >= 10
    assert all(isinstance(each.exception, StoreError) for each in waiting)
    settled(store)


def test_a_full_database_refuses_values_and_takes_removals(server: RedisServer, store: SdlStore) -> None:
    store.write(Change(NS, {"1": b"x", "2": b"x"}))
    server.command("CONFIG", "SET", "maxmemory", "1")
    writes = [gevent.spawn(store.write, Change(NS, {f"new {n}": b"x"})) for n in range(5)]
    removals = [gevent.spawn(store.write, removal("1")), gevent.spawn(store.write, removal("2"))]
    gevent.joinall([*writes, *removals], raise_error=False)
    assert [each.exception for each in removals] == [None, None]
    assert all(type(each.exception) is StoreRefusesWrites and "maxmemory" in str(each.exception) for each in writes)
    with pytest.raises(StoreError):
        store.write(Change(NS, {"both": b"x"}, frozenset({"1"})), persistent=True)
    assert store.reachable()
    server.command("CONFIG", "SET", "maxmemory", "0")
    settled(store)
    assert store.read_all(NS) == {"both": b"x"}


def test_a_read_only_replica_is_readable(server: RedisServer, store: SdlStore) -> None:
    store.write(Change(NS, {"1": b"x"}))
    server.command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(StoreRefusesWrites, match=r"READONLY .*read.only"):
        store.write(Change(NS, {"1": b"y"}))
    with pytest.raises(StoreRefusesWrites, match=r"READONLY .*read.only"):
        store.write(removal("1"), persistent=True)
    assert server.get(NS, "1") == b"x"
    assert store.reachable()
    assert "takes no writes: redis refused" in str(store.trouble())
    server.command("REPLICAOF", "NO", "ONE")
    settled(store)
    assert server.get(NS, "1") is None
    eventually(lambda: store.trouble() is None)


def test_a_replica_that_answers_ok_has_not_written_anything(server: RedisServer) -> None:
    """It forgets what it took when it next follows its master: no success, and repaired when it is a master again."""
    store = SdlStore(SdlSettings(server.environment, connect_timeout=0.6, operation_timeout=0.6), probe_interval=60)
    store.start()
    try:
        store.write(Change(NS, {"1": b"x"}))
        server.command("CONFIG", "SET", "replica-read-only", "no")
        server.command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreTimeout, match=r"replica of 127.0.0.1:1"):
            store.write(Change(NS, {"1": b"y", "2": b"y"}))
        with pytest.raises(StoreError, match=r"replica of 127.0.0.1:1"):
            store.write(removal("3"), persistent=True)
    finally:
        store.stop()
    store = quick(server.environment)
    store.start()
    try:
        assert store.reachable()
        assert "replica of 127.0.0.1:1: it answers OK to writes" in str(store.trouble())
        assert set(store.read_all(NS)) == {"1", "2"}
        with pytest.raises(StoreRefusesWrites, match=r"replica of 127.0.0.1:1"):
            store.write(Change(NS, {"4": b"x"}), persistent=True)
        assert server.get(NS, "4") is None, "nothing is sent to a replica that is known to be one"
        server.command("REPLICAOF", "NO", "ONE")
        settled(store)
        assert store.trouble() is None
        assert server.get(NS, "4") == b"x"
    finally:
        store.stop()


def test_a_database_that_wants_a_password_says_so(server: RedisServer, store: SdlStore) -> None:
    server.command("CONFIG", "SET", "requirepass", "secret")
    store.stop()
    store.start()
    assert not store.reachable()
    assert "NOAUTH" in str(store.trouble())
    with pytest.raises(StoreUnavailable, match="NOAUTH"):
        store.write(Change(NS, {"1": b"x"}))


def test_a_database_that_cannot_save_refuses_even_ping_and_is_readable() -> None:
    with RedisServer() as server:
        server.command("SET", "{submgr_e2SubsDb},1", "x")
        server.lose_directory()
        server.command("CONFIG", "SET", "save", "3600 1")
        server.command("BGSAVE")
        store = quick(server.environment)
        store.start()
        try:
            eventually(lambda: "MISCONF" in str(store.trouble()))
            assert store.reachable()
            assert store.read_all(NS) == {"1": b"x"}
            with pytest.raises(StoreRefusesWrites, match="MISCONF"):
                store.write(Change(NS, {"1": b"y"}))
            server.command("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
            eventually(lambda: store.trouble() is None)
        finally:
            store.stop()


def test_a_database_with_too_few_replicas_takes_no_writes(server: RedisServer, store: SdlStore) -> None:
    store.write(Change(NS, {"1": b"x"}))
    server.command("CONFIG", "SET", "min-replicas-to-write", "1")
    eventually(lambda: store.trouble() is not None)
    assert "NOREPLICAS" in str(store.trouble())
    assert store.reachable()
    assert store.read_all(NS) == {"1": b"x"}
    server.command("CONFIG", "SET", "min-replicas-to-write", "0")
    eventually(lambda: store.trouble() is None)


def test_who_may_not_ask_for_the_role_may_still_write(server: RedisServer, store: SdlStore) -> None:
    server.command("ACL", "SETUSER", "default", "-role", "-set")
    for change in (Change(NS, {"1": b"x"}), Change(NS, {"2": b"x"}, frozenset({"1"})), removal("3")):
        store.write(change)
    eventually(lambda: store.trouble() is None)
    assert store.read_all(NS) == {"2": b"x"}


def test_more_readers_than_connections(server: RedisServer) -> None:
    # 50 MB in all, of which the last reader waits for most: seconds on a busy machine
    store = quick(server.environment, timeout=60.0)
    store.start()
    values = {f"{n}": bytes(2000) for n in range(500)}
    store.write(Change(NS, values))
    readers = [gevent.spawn(store.read_all, NS) for _ in range(50)]
    gevent.joinall(readers, raise_error=True)
    assert all(reader.value == values for reader in readers)
    clients = server.command("CLIENT", "LIST").count(b"name=submgr-")
    assert 1 <= clients <= 8
    store.stop()


def test_two_servers_share_the_namespaces(server: RedisServer) -> None:
    with RedisServer() as other:
        both = {
            "DBAAS_CLUSTER_ADDR_LIST": "127.0.0.1,127.0.0.1",
            "DBAAS_SERVICE_PORT": f"{server.reserve()},{other.reserve()}",
        }
        store = quick(both)
        store.start()
        names = [f"ns{n}" for n in range(20)]
        try:
            for name in names:
                store.write(Change(name, {"k": name.encode()}))
            assert [store.read_all(name) for name in names] == [{"k": name.encode()} for name in names]
            held = [[each.get(name, "k") for name in names] for each in (server, other)]
            assert [sum(value is not None for value in values) for values in held] != [20, 0]
            assert all((a is None) != (b is None) for a, b in zip(*held, strict=True))
            other.kill()
            eventually(lambda: not store.reachable())
        finally:
            store.stop()


def test_the_master_is_found_through_a_sentinel(server: RedisServer, tmp_path: Path) -> None:
    sentinel = Sentinel(tmp_path, server)
    store = quick(sentinel.environment)
    store.start()
    try:
        # more tries than there are places for connections
        eventually(lambda: store.stats().error is not None)
        gevent.sleep(0.6)
        assert not store.reachable()
        with sentinel:
            eventually(store.reachable)
            store.read_all(NS)
            store.write(Change(NS, {"1": b"before"}))
            assert server.get(NS, "1") == b"before"
            readers = [gevent.spawn(store.read, NS, {"1"}) for _ in range(50)]
            gevent.joinall(readers, raise_error=True)
            server.suspend()
            with pytest.raises(StoreTimeout):
                store.write(Change(NS, {"1": b"late"}))
            server.resume()
            settled(store)
            assert server.get(NS, "1") == b"before"
            unknown = quick({**sentinel.environment, "DBAAS_MASTER_NAME": "nobody"})
            unknown.start()
            assert "nobody" in str(unknown.stats().error)
            unknown.stop()
    finally:
        store.stop()


def test_a_change_of_the_master_is_followed(server: RedisServer, tmp_path: Path) -> None:
    with RedisServer() as other, Sentinel(tmp_path, server) as sentinel:
        store = quick(sentinel.environment)
        store.start()
        try:
            store.read_all(NS)
            store.write(Change(NS, {"1": b"x"}))
            sentinel.command("SENTINEL", "REMOVE", "dbaasmaster")
            sentinel.command("SENTINEL", "MONITOR", "dbaasmaster", "127.0.0.1", str(other.port), "1")
            server.command("REPLICAOF", "127.0.0.1", str(other.port))
            with pytest.raises(StoreUnavailable, match="not the master any more"):
                store.write(Change(NS, {"2": b"x"}), persistent=True)
            settled(store)
            store.write(Change(NS, {"3": b"x"}))
            assert [other.get(NS, key) for key in ("2", "3")] == [b"x", b"x"]
        finally:
            store.stop()


def test_wrong_variables_are_told_and_keep_nobody_from_starting(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """One address is good; each other entry of the lists is named in a warning of its own."""
    store = quick(
        {"DBAAS_CLUSTER_ADDR_LIST": f" no address ,127.0.0.1:{server.reserve()},,", "DBAAS_SERVICE_PORT": "http"}
    )
    store.start()
    try:
        assert store.reachable()
        store.write(Change(NS, {"1": b"x"}))
        assert server.get(NS, "1") == b"x"
    finally:
        store.stop()
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [
        "DBAAS_CLUSTER_ADDR_LIST: 'no address' is no address, it is left out",
        "DBAAS_CLUSTER_ADDR_LIST: an entry is empty",
        "DBAAS_CLUSTER_ADDR_LIST: an entry is empty",
        "DBAAS_SERVICE_PORT: 'http' is no port number, 6379 is taken",
    ]


def test_no_database_is_named(caplog: pytest.LogCaptureFixture) -> None:
    store = quick({"DBAAS_SERVICE_PORT": "1"})
    store.start()
    store.stop()
    assert "DBAAS_SERVICE_HOST is not set: localhost is taken" in caplog.text
    assert "localhost:1" in caplog.text


def test_one_sentinel_of_several_that_is_away_or_does_not_know_the_name(
    server: RedisServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisServer() as no_sentinel, Sentinel(tmp_path, server) as sentinel:
        ports = f"1,{no_sentinel.port},{sentinel.port}"
        environment = {**sentinel.environment, "DBAAS_CLUSTER_ADDR_LIST": "127.0.0.1,127.0.0.1,127.0.0.1"}
        store = quick({**environment, "DBAAS_SERVICE_SENTINEL_PORT": ports})
        store.start()
        try:
            eventually(store.reachable)
            for number in range(10):
                store.write(Change(f"ns{number}", {"k": b"x"}))
            assert [server.get(f"ns{number}", "k") for number in range(10)] == [b"x"] * 10
        finally:
            store.stop()
        assert "the Sentinel at 127.0.0.1:1 does not answer" in caplog.text
        assert f"the Sentinel at 127.0.0.1:{no_sentinel.port} does not answer: unknown command" in caplog.text


def test_sentinels_of_different_databases_do_not_stand_in_for_each_other(server: RedisServer, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with RedisServer() as other:
        sentinels = [Sentinel(tmp_path / "one", server), Sentinel(tmp_path / "two", other)]
        with sentinels[0], sentinels[1]:
            ports = ",".join(str(each.port) for each in sentinels)
            store = quick(
                {
                    **sentinels[0].environment,
                    "DBAAS_CLUSTER_ADDR_LIST": "127.0.0.1,127.0.0.1",
                    "DBAAS_SERVICE_SENTINEL_PORT": ports,
                }
            )
            store.start()
            try:
                eventually(store.reachable)
                sentinels[0].kill()
                server.kill()
                eventually(lambda: not store.reachable())
                gevent.sleep(0.3)
                assert not store.reachable()
                assert f"127.0.0.1:{sentinels[0].port}" in str(store.trouble())
            finally:
                store.stop()


def test_the_environment_of_the_process_is_left_alone(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBAAS_SERVICE_HOST", "unused.example")
    monkeypatch.delenv("DBAAS_SERVICE_PORT", raising=False)
    before = {name: os.environ.get(name) for name in VARIABLES}
    store = quick(server.environment)
    store.start()
    store.write(Change(NS, {"1": b"x"}))
    store.stop()
    assert {name: os.environ.get(name) for name in VARIABLES} == before
    assert server.get(NS, "1") == b"x"


def test_in_a_patched_process(server: RedisServer) -> None:
    """As in the daemon: the standard library is patched first."""
    program = textwrap.dedent("""
        from gevent import monkey; monkey.patch_all()
        import os, gevent
        from submgr.platform.store.sdl_client import SdlSettings
        from submgr.platform.store.base import Change
        from submgr.platform.store.redis import SdlStore
        store = SdlStore(SdlSettings(os.environ))
        store.start()
        def work(worker):
            for number in range(10):
                store.write(Change("ns", {f"{worker}": b"%d" % number}))
        gevent.joinall([gevent.spawn(work, worker) for worker in range(100)], raise_error=True)
        found = store.read_all("ns")
        assert found == {f"{worker}": b"9" for worker in range(100)}, found
        store.stop()
        print("done")
    """)
    environment = {**os.environ, **server.environment, "PYTHONWARNINGS": "error"}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
