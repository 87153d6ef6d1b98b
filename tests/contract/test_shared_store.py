# SPDX-License-Identifier: Apache-2.0
"""Shared records: the same promises in the memory of a test and in redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent.server import StreamServer
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.store.shared import MemoryShared
from support.waiting import eventually

from submgr.platform.shared.base import Entry, SharedConflict, SharedStore, Swap, Swapped, retried
from submgr.platform.shared.redis import SharedRedis
from submgr.platform.store.base import InvalidKey, StoreError, StoreRefusesWrites, StoreTimeout, StoreUnavailable
from submgr.platform.store.sdl_client import SdlSettings

NS = "mec_ues"

needs_redis = pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


def in_redis(server: RedisServer, **options: Any) -> SharedRedis:
    store = SharedRedis(SdlSettings(server.environment), **options)
    store.start()
    return store


@pytest.fixture(params=["memory", pytest.param("redis", marks=needs_redis)])
def shared(request: pytest.FixtureRequest) -> Iterator[SharedStore]:
    if request.param == "memory":
        yield MemoryShared()
        return
    server = request.getfixturevalue("server")
    server.command("FLUSHALL")
    store = in_redis(server)
    yield store
    store.stop()


def test_a_change_is_made_only_on_the_values_it_was_decided_on(shared: SharedStore) -> None:
    assert shared.swap(Swap(NS, {"a": None}, {"a": b"1", "b": b"\x00\xff"})) == Swapped(True)
    assert shared.swap(Swap(NS, {"a": None}, {"a": b"2"})) == Swapped(False)
    assert shared.swap(Swap(NS, {"a": b"1", "b": b"other"}, {"a": b"2"})) == Swapped(False)
    assert shared.swap(Swap(NS, {"a": b"1", "c": None}, {"a": b"3"}, frozenset({"b"}))) == Swapped(True)
    assert shared.read(NS, ["a", "b", "c"]) == {"a": b"3"}


def test_an_empty_value_is_not_an_absent_one(shared: SharedStore) -> None:
    assert shared.swap(Swap(NS, {"a": None}, {"a": b""})).made
    assert not shared.swap(Swap(NS, {"a": None}, {"a": b"x"})).made
    assert shared.swap(Swap(NS, {"a": b""}, {"a": b"-"})).made
    assert not shared.swap(Swap(NS, {"a": None}, {"a": b"x"})).made
    assert shared.read(NS, ["a"]) == {"a": b"-"}


def test_of_many_who_change_the_same_all_get_their_turn(shared: SharedStore) -> None:
    def add() -> None:
        def change() -> bool | None:
            before = shared.read(NS, ["sum"]).get("sum")
            after = b"%d" % (int(before or 0) + 1)
            return shared.swap(Swap(NS, {"sum": before}, {"sum": after})).made or None

        retried(change)

    adding = [gevent.spawn(add) for _ in range(8)]
    gevent.joinall(adding, raise_error=True)
    assert shared.read(NS, ["sum"]) == {"sum": b"8"}


def test_who_is_never_fast_enough_is_told(shared: SharedStore) -> None:
    with pytest.raises(SharedConflict):
        retried(lambda: shared.swap(Swap(NS, {"a": b"never"}, {"a": b"1"})).made or None)


def test_entries_of_a_log_have_numbers_without_gaps(shared: SharedStore) -> None:
    assert shared.swap(Swap(NS, {}, {"a": b"1"}, entry=Entry("log", b"first"))) == Swapped(True, 1)
    assert shared.swap(Swap(NS, {"a": None}, entry=Entry("log", b"not made"))) == Swapped(False)
    assert shared.swap(Swap(NS, entry=Entry("log", b"second"))) == Swapped(True, 2)
    assert shared.read(NS, ["log/1", "log/2", "log/3", "log/next"]) == {
        "log/1": b"first", "log/2": b"second", "log/next": b"2",
    }  # fmt: skip


def test_an_entry_too_many_is_left_out_and_the_change_is_made(shared: SharedStore) -> None:
    assert [shared.swap(Swap(NS, entry=Entry("log", b"x", 2))).entry for _ in range(3)] == [1, 2, None]
    assert shared.swap(Swap(NS, {"log/done": None}, {"log/done": b"1"}, frozenset({"log/1"}))).made
    assert shared.swap(Swap(NS, {}, {"a": b"1"}, entry=Entry("log", b"y", 2))) == Swapped(True, 3)
    assert shared.swap(Swap(NS, {}, {"a": b"2"}, entry=Entry("log", b"z", 2))) == Swapped(True)
    assert shared.read(NS, ["a"]) == {"a": b"2"}


def test_what_is_lent_is_compared_and_given_back(shared: SharedStore) -> None:
    assert shared.lend(NS, "k", None, b"mine", 60)
    assert not shared.lend(NS, "k", None, b"yours", 60)
    assert shared.lend(NS, "k", b"mine", b"still mine", 60)
    assert not shared.lend(NS, "k", b"mine", None, 60)
    assert shared.lend(NS, "k", b"still mine", None, 60)
    assert shared.read(NS, ["k"]) == {}


def test_an_entry_is_added_once_whatever_its_sender_has_heard(shared: SharedStore) -> None:
    once = Swap(NS, {"once/a": None}, {"once/a": b""}, entry=Entry("log", b"x"), seconds=60)
    assert [shared.swap(once) for _ in range(3)] == [Swapped(True, 1), Swapped(False), Swapped(False)]
    assert shared.read(NS, ["log/next", "log/1"]) == {"log/next": b"1", "log/1": b"x"}


def test_a_prefix_means_itself(shared: SharedStore) -> None:
    shared.swap(Swap(NS, {}, {"a*/1": b"", "ab/2": b"", "a*/2": b"", "b": b""}))
    assert shared.keys(NS, "a*/") == {"a*/1", "a*/2"}
    assert shared.keys(NS, "") == {"a*/1", "ab/2", "a*/2", "b"}
    assert shared.keys("mec_users", "") == set()


def test_thousands_of_keys_in_one_change(shared: SharedStore) -> None:
    values = {f"k{n}": b"%d" % n for n in range(5000)}
    assert shared.swap(Swap(NS, {"k1": None}, values)).made
    assert shared.read(NS, list(values)) == values
    assert shared.swap(Swap(NS, {"k1": b"1"}, {}, frozenset(values))).made
    assert shared.keys(NS, "k") == set()


def test_who_listens_is_woken_by_an_entry(shared: SharedStore) -> None:
    woken: list[int] = []
    shared.listen(NS, "log", lambda: woken.append(1))
    eventually(lambda: woken)
    shared.swap(Swap(NS, {}, {"a": b"1"}))
    shared.swap(Swap(NS, entry=Entry("log", b"x")))
    eventually(lambda: len(woken) == 2)


def test_wrong_keys_are_refused(shared: SharedStore) -> None:
    with pytest.raises(InvalidKey):
        Swap(NS, {}, {"a": b""}, frozenset({"a"}))
    with pytest.raises(InvalidKey):
        Swap("no*", {}, {})
    with pytest.raises(InvalidKey):
        shared.lend(NS, "\ud800", None, b"", 1)


@needs_redis
def test_what_is_lent_is_gone_after_its_time(server: RedisServer) -> None:
    store = in_redis(server)
    server.command("FLUSHALL")
    assert store.lend(NS, "k", None, b"mine", 0.05)
    eventually(lambda: store.lend(NS, "k", None, b"yours", 60))
    store.swap(Swap(NS, {}, {"a": b"1", "b": b"2"}, entry=Entry("log", b"x"), seconds=0.05))
    eventually(lambda: store.read(NS, ["a", "b", "log/1", "log/next"]) == {"log/1": b"x", "log/next": b"1"})
    store.stop()


@needs_redis
def test_a_server_that_hangs_costs_one_wait_and_the_others_nothing() -> None:
    with RedisServer() as server:
        store = in_redis(server, patience=0.3)
        store.swap(Swap(NS, {}, {"a": b"1"}))
        server.suspend()
        with pytest.raises(StoreTimeout):
            store.read(NS, ["a"])
        failed = 0
        for _ in range(100):
            try:
                store.read(NS, ["a"])
            except StoreUnavailable:
                failed += 1
            except StoreTimeout:
                pass
        assert failed >= 99
        server.resume()
        assert eventually(lambda: answer_of(lambda: store.read(NS, ["a"]))) == {"a": b"1"}
        store.stop()


@needs_redis
def test_a_server_that_restarts_knows_no_scripts_and_is_told() -> None:
    with RedisServer(durable=True) as server:
        store = in_redis(server)
        assert store.swap(Swap(NS, {"a": None}, {"a": b"1"})).made
        server.restart()
        eventually(lambda: answer_of(lambda: store.swap(Swap(NS, {"a": b"1"}, {"a": b"2"})).made))
        assert store.read(NS, ["a"]) == {"a": b"2"}
        store.stop()


@needs_redis
def test_a_full_server_refuses_and_keeps_what_it_has() -> None:
    with RedisServer("--maxmemory", "3mb") as server:
        store = in_redis(server)
        assert store.swap(Swap(NS, {}, {"a": b"1"})).made
        with pytest.raises(StoreRefusesWrites):
            for n in range(100):
                store.swap(Swap(NS, {}, {f"big{n}": b"x" * 100_000}))
        with pytest.raises(StoreRefusesWrites):
            store.swap(Swap(NS, {"a": b"1"}, {"a": b"2" * 200_000}))
        assert store.read(NS, ["a"]) == {"a": b"1"}
        assert store.swap(Swap(NS, {"a": b"1"}, {}, frozenset({"a"}))).made
        store.stop()


def answer_of(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except StoreError:
        return None


def test_an_answer_that_makes_no_sense_ends_its_connection() -> None:
    answers = [b"+OK\r\n", b"$3\r\nabc\r\n", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b":7\r\n", b"*1\r\n$1\r\nx\r\n"]

    def serve(sock: Any, address: object) -> None:
        while sock.recv(65536):
            sock.sendall(answers.pop(0))

    server = StreamServer(("127.0.0.1", 0), serve)
    server.start()
    environment = {"DBAAS_SERVICE_HOST": "127.0.0.1", "DBAAS_SERVICE_PORT": str(server.server_port)}
    store = SharedRedis(SdlSettings(environment))
    store.start()
    for call in (
        lambda: store.read(NS, ["k"]),
        lambda: store.swap(Swap(NS, {}, {"k": b""})),
        lambda: store.swap(Swap(NS, {}, {"k": b""})),
        lambda: store.read(NS, ["k"]),
    ):
        with pytest.raises(StoreTimeout):
            eventually(lambda call=call: reaches(call))  # type: ignore[misc]
    assert eventually(lambda: answer_of(lambda: store.read(NS, ["k"]))) == {"k": b"x"}
    store.stop()
    server.stop(timeout=0)


def reaches(call: Callable[[], Any]) -> Any:
    """Its answer, or its error; None while the store waits with the next one."""
    try:
        return call()
    except StoreUnavailable:
        return None
