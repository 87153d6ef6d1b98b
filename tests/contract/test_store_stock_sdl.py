# SPDX-License-Identifier: Apache-2.0
"""ricsdl, with which O-RAN SC's Python components use SDL, and the store here: each reads what the other writes.

The store has its own few lines for what ricsdl decides: the form of the keys, and which of several servers has a
namespace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from ricsdl.syncstorage import SyncStorage
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.processes.sentinel import Sentinel
from support.waiting import eventually

from submgr.platform.store.base import Change
from submgr.platform.store.dbaas import VARIABLES
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_client import SdlSettings

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

E2, REST = "submgr_e2SubsDb", "submgr_restSubsDb"


@pytest.fixture(params=["one server", "three servers", "a Sentinel"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    with ExitStack() as running:
        servers = [running.enter_context(RedisServer()) for _ in range(3 if request.param == "three servers" else 1)]
        if request.param == "one server":
            yield servers[0].environment
        elif request.param == "a Sentinel":
            yield running.enter_context(Sentinel(tmp_path, servers[0])).environment
        else:
            yield {
                "DBAAS_CLUSTER_ADDR_LIST": ",".join(server.host for server in servers),
                "DBAAS_SERVICE_PORT": ",".join(str(server.port) for server in servers),
            }


@pytest.fixture
def stock(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncStorage]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    storage = SyncStorage()
    yield storage
    storage.close()


@pytest.fixture
def store(environment: Mapping[str, str]) -> Iterator[SdlStore]:
    store = SdlStore(SdlSettings(environment), probe_interval=0.1)
    store.start()
    eventually(store.reachable)
    yield store
    store.stop()


def test_ricsdl_reads_what_the_store_writes(stock: SyncStorage, store: SdlStore) -> None:
    # so many namespaces that each of three servers has some
    written = {f"{E2}{number}": {"1": b"%d" % number, "a key, with {braces}": b"\x00\xff"} for number in range(12)}
    for namespace, values in written.items():
        store.write(Change(namespace, values))
    assert {namespace: stock.find_and_get(namespace, "*") for namespace in written} == written
    store.write(Change(f"{E2}0", remove=frozenset({"1"})))
    assert stock.get(f"{E2}0", {"1"}) == {}


def test_the_store_reads_what_ricsdl_writes(stock: SyncStorage, store: SdlStore) -> None:
    written = {f"{REST}{number}": {"3MYfDkIURAnXo5nG5BgD4lgBFyV": b"{}", "Ä": b"%d" % number} for number in range(12)}
    for namespace, values in written.items():
        stock.set(namespace, values)
    assert {namespace: store.read_all(namespace) for namespace in written} == written
    stock.remove(f"{REST}0", {"Ä"})
    assert list(store.read_all(f"{REST}0")) == ["3MYfDkIURAnXo5nG5BgD4lgBFyV"]


def test_sets_as_e2_manager_keeps_them(environment: Mapping[str, str], stock: SyncStorage) -> None:
    channel = SdlChannel(SdlSettings(environment))
    channel.start()
    try:
        for namespace in ("e2Manager", "other", "third", "fourth"):
            stock.add_member(namespace, "GNB", {b"one", b"two"})
            assert channel.members(namespace, "GNB") == {b"one", b"two"}
    finally:
        channel.stop()
