# SPDX-License-Identifier: Apache-2.0
"""A redis that answers nonsense for a while: nothing ends because of it, and nobody else is held up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.adapters.rnib.messages import CHANNEL, NAMESPACE
from submgr.adapters.rnib.rnib_nodes import RnibNodeState
from submgr.platform import supervised
from submgr.platform.store import sdl_answers
from submgr.platform.store.base import Change, StoreError
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_client import SdlSettings
from submgr.platform.turns import turn

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

NS = "submgr_e2SubsDb"
TIMEOUT = 2.0
"""Seconds; long, since the machine may be busy. Only what never ends takes so long."""
ENDLESS = object()
"""Bytes without an end instead of an answer."""


class Interferer:
    """Stands before a redis: passes everything on, or answers everything with `nonsense` while there is some."""

    def __init__(self, server: RedisServer) -> None:
        self._behind = (server.host, server.port)
        self.nonsense: bytes | tuple[bytes, object] | None = None
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()

    @property
    def environment(self) -> dict[str, str]:
        return {"DBAAS_SERVICE_HOST": "127.0.0.1", "DBAAS_SERVICE_PORT": str(self._server.server_port)}

    def stop(self) -> None:
        self._server.stop(timeout=0)

    def _serve(self, sock: socket.socket, address: object) -> None:
        with socket.create_connection(self._behind) as behind:
            back = gevent.spawn(self._pass_back, behind, sock)
            try:
                while data := sock.recv(65536):
                    nonsense = self.nonsense
                    if nonsense is None:
                        behind.sendall(data)
                        continue
                    head, rest = nonsense if isinstance(nonsense, tuple) else (nonsense, None)
                    sock.sendall(head)
                    while rest is ENDLESS:
                        sock.sendall(bytes(1 << 16))
                        turn()  # the server in this process must not hold up the others itself
            except OSError:
                pass
            finally:
                back.kill()
                sock.close()

    def _pass_back(self, behind: socket.socket, sock: socket.socket) -> None:
        try:
            while data := behind.recv(65536):
                sock.sendall(data)
        except OSError:
            pass
        finally:
            sock.close()


@pytest.fixture
def between(server: RedisServer) -> Iterator[Interferer]:
    between = Interferer(server)
    yield between
    between.stop()


@pytest.fixture
def settings(between: Interferer) -> SdlSettings:
    return SdlSettings(between.environment, connect_timeout=TIMEOUT, operation_timeout=TIMEOUT)


@pytest.fixture
def store(settings: SdlSettings) -> Iterator[SdlStore]:
    store = SdlStore(settings, probe_interval=0.1)
    store.start()
    eventually(lambda: store.trouble() is None)
    store.write(Change(NS, {"kept": b"1"}))
    yield store
    store.stop()


@pytest.fixture
def nodes(settings: SdlSettings) -> Iterator[RnibNodeState]:
    nodes = RnibNodeState(SdlChannel(settings, retry_interval=0.05, health_interval=0.1), interval=0.1, retry=0.05)
    nodes.start()
    eventually(lambda: not nodes.stale())
    yield nodes
    nodes.stop()


def tell(server: RedisServer, event: str) -> None:
    server.command("PUBLISH", f"{{{NAMESPACE}}},{CHANNEL}", event)


NONSENSE: dict[str, bytes | tuple[bytes, object]] = {
    "no length": b"$abc\r\n",
    "negative length": b"$-7\r\n",
    "no number": b":1_000\r\n",
    "no count": b"*\xb2\r\n",
    "no type": b"hello\r\n",
    "an empty line": b"\r\n",
    "RESP3": b"%1\r\n+server\r\n+redis\r\n",
    "a push of RESP3": b">2\r\n+pubsub\r\n+x\r\n",
    "null of RESP3": b"_\r\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "deep": b"*1\r\n" * 100_000,
    "a huge count": b"*99999999999\r\n" + b":1\r\n" * 1000,
    "a count beyond 64 bits": b"*" + b"9" * 5000 + b"\r\n",
    "a huge value": b"$9999999999\r\n" + bytes(1000),
    "a huge value without an end": (b"$33000000\r\n", ENDLESS),
    "a line without an end": (b"+", ENDLESS),
    "wrong type: a number": b":5\r\n",
    "wrong type: a list": b"*2\r\n:1\r\n*1\r\n$1\r\na\r\n",
    "wrong type: null": b"$-1\r\n",
    "wrong type: text": b"$3\r\n\xff\xfe\x00\r\n",
    "an error that is no text": b"-\xff\xfe\r\n",
    "OK twice": b"+OK\r\n+OK\r\n",
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nothing_ends_because_of_an_answer(
    server: RedisServer,
    between: Interferer,
    store: SdlStore,
    nodes: RnibNodeState,
    nonsense: bytes | tuple[bytes, object],
    longest_gap: Callable[[], float],
) -> None:
    tell(server, "gnb_7_CONNECTED")
    eventually(lambda: nodes.connected() == ["gnb_7"])
    between.nonsense = nonsense
    failed = 0
    for number in range(5):
        try:
            store.write(Change(NS, {"new": b"%d" % number}))
        except StoreError:
            failed += 1
    assert failed == 5
    eventually(lambda: store.trouble() is not None)
    eventually(nodes.stale)
    with pytest.raises(StoreError):
        store.read(NS, ["kept"])
    between.nonsense = None
    eventually(lambda: store.trouble() is None and not store.stats().repairs_pending)
    assert store.read_all(NS) == {"kept": b"1"}
    store.write(Change(NS, {"new": b"well"}))
    eventually(lambda: not nodes.stale())
    tell(server, "gnb_8_CONNECTED")
    eventually(lambda: "gnb_8" in nodes.connected())
    assert longest_gap() < 0.25, "bytes that keep coming must not hold up the others"


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nor_because_of_an_answer_of_a_sentinel(between: Interferer, nonsense: bytes | tuple[bytes, object]) -> None:
    between.nonsense = nonsense
    variables = {
        "DBAAS_SERVICE_HOST": "127.0.0.1",
        "DBAAS_SERVICE_SENTINEL_PORT": between.environment["DBAAS_SERVICE_PORT"],
        "DBAAS_MASTER_NAME": "dbaasmaster",
    }
    store = SdlStore(SdlSettings(variables, connect_timeout=TIMEOUT, operation_timeout=TIMEOUT), probe_interval=0.05)
    store.start()
    try:
        eventually(lambda: "entinel" in (store.trouble() or "") or "no answer" in (store.trouble() or ""))
        with pytest.raises(StoreError):
            store.write(Change(NS, {"a": b""}))
    finally:
        store.stop()


@pytest.fixture(scope="module", autouse=True)
def failures_before() -> Counter[str]:
    """What failed in this process before the tests of this file."""
    return Counter(supervised.failures)


def test_the_loops_did_not_even_notice(failures_before: Counter[str]) -> None:
    """Runs after the others of this file: what a server answers is no bug of a loop."""
    loops = ("look at the database", "store writer", "SDL channel", "R-NIB reader")
    assert [loop for loop in loops if supervised.failures[loop] > failures_before[loop]] == []


def test_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch, server: RedisServer, settings: SdlSettings) -> None:
    store = SdlStore(settings, probe_interval=0.1)
    store.start()
    store.write(Change(NS, {f"{n}": bytes(1000) for n in range(50)}))
    assert len(store.read_all(NS)) == 50
    monkeypatch.setattr(sdl_answers, "LARGEST_ANSWER", 40_000)
    with pytest.raises(StoreError, match="more than 40000 bytes"):
        store.read_all(NS)
    store.stop()
