# SPDX-License-Identifier: Apache-2.0
"""The standby's copy of the records, against a real redis that the active process writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.adapters.stored_records import GO_E2, GO_REST, REST_ID
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.processes.relay import Relay
from support.waiting import eventually

from submgr.adapters.records.loaded import Loaded
from submgr.adapters.records.namespaces import E2_NAMESPACE, NEXT_INSTANCE_ID, REST_NAMESPACE, STATE_NAMESPACE
from submgr.adapters.records.store import StoredRecords
from submgr.adapters.records.warm import WarmRecords
from submgr.bench.records import records_of
from submgr.platform.store.base import Change
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_client import SdlSettings

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

SOON = 20.0


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def store_at(environment: dict[str, str]) -> SdlStore:
    settings = SdlSettings(environment, connect_timeout=0.6, operation_timeout=5.0, fenced=True)
    return SdlStore(settings, probe_interval=0.1)


@pytest.fixture
def active(redis: RedisServer) -> Iterator[SdlStore]:
    store = store_at(redis.environment)
    store.start()
    store.fence(1)
    yield store
    store.stop(0)


@contextmanager
def following(environment: dict[str, str]) -> Iterator[tuple[SdlStore, WarmRecords]]:
    store = store_at(environment)
    store.start()
    warm = WarmRecords(store, SdlChannel(SdlSettings(environment), retry_interval=0.05, health_interval=0.2))
    warm.start()
    try:
        eventually(lambda: warm.complete)
        yield store, warm
    finally:
        warm.stop()
        store.stop(0)


def put(store: SdlStore, *instance_ids: int) -> None:
    records = StoredRecords(store)
    for instance_id in instance_ids:
        e2, rest = records_of(instance_id, "gnb_1", 8080)
        records.save_e2(e2, None)
        records.save_rest(rest, None)
    records.flush()


def taken_over(standby: SdlStore, warm: WarmRecords) -> Loaded:
    standby.fence(2)
    loaded = warm.caught_up(SOON)
    assert loaded is not None
    return loaded


def ids(loaded: Loaded) -> set[int]:
    return {record.instance_id for record in loaded.e2}


def test_it_has_what_was_there_before_and_what_was_written_since(redis: RedisServer, active: SdlStore) -> None:
    put(active, 1, 2, 3)
    with following(redis.environment) as (standby, warm):
        assert warm.size == 6
        put(active, 4)
        records = StoredRecords(active)
        records.erase_e2(2, None)
        records.flush()
        active.write(Change(STATE_NAMESPACE, {NEXT_INSTANCE_ID: b"5"}))
        loaded = taken_over(standby, warm)
        assert ids(loaded) == {1, 3, 4}
        assert (len(loaded.rest), loaded.next_instance_id) == (4, 5)
        assert standby.read_all(E2_NAMESPACE).keys() == {"1", "3", "4"}


def test_it_is_what_a_reading_of_everything_would_give(redis: RedisServer, active: SdlStore) -> None:
    active.write(Change(E2_NAMESPACE, {"1": GO_E2, "2": b"unreadable"}))
    old = GO_REST.replace(b',"XAppIdToE2Id":{"12345":1}', b"")
    active.write(Change(REST_NAMESPACE, {REST_ID: GO_REST, "of an old release": old}))
    with following(redis.environment) as (standby, warm):
        active.write(Change(E2_NAMESPACE, {"3": b"{}"}))
        put(active, 7)
        loaded = taken_over(standby, warm)
        assert loaded == StoredRecords(standby).load()
        assert [rest.instances for rest in loaded.rest if "old" in rest.subscription_id] == [((12345, 1),)]


def test_many_changes_in_a_row_all_arrive_before_the_take_over(redis: RedisServer, active: SdlStore) -> None:
    with following(redis.environment) as (standby, warm):
        put(active, *range(1, 1500))
        assert ids(taken_over(standby, warm)) == set(range(1, 1500))


def test_what_was_missed_while_it_was_cut_off_is_read_anew(redis: RedisServer, active: SdlStore) -> None:
    with Relay(redis.host, redis.port) as relay:
        environment = {**redis.environment, "DBAAS_SERVICE_PORT": str(relay.port)}
        with following(environment) as (standby, warm):
            relay.cut()
            put(active, 1, 2)
            assert warm.caught_up(0.2) is None
            relay.mend()
            eventually(lambda: warm.complete and warm.size == 4)
            assert ids(taken_over(standby, warm)) == {1, 2}


def test_a_database_that_was_emptied_does_not_empty_it(redis: RedisServer, active: SdlStore) -> None:
    put(active, 1, 2)
    active.stop(0)
    with following(redis.environment) as (standby, warm):
        eventually(lambda: standby.reachable())
        redis.kill()
        eventually(lambda: not standby.reachable())
        redis.start()
        eventually(standby.reachable)
        eventually(lambda: not warm.complete)
        standby.fence(2)
        # the copy, or what has been written back from it by then
        loaded = warm.caught_up(SOON) or StoredRecords(standby).load()
        assert (ids(loaded), len(loaded.rest)) == ({1, 2}, 2)
        eventually(lambda: standby.trouble() is None)
        assert redis.get(E2_NAMESPACE, "2") is not None
        assert redis.get(REST_NAMESPACE, loaded.rest[0].subscription_id) is not None


def test_a_database_that_was_emptied_and_filled_again_is_followed(redis: RedisServer, active: SdlStore) -> None:
    put(active, 1, 2)
    with following(redis.environment) as (standby, warm):
        redis.command("FLUSHALL")
        eventually(lambda: active.stats().losses == 1 and active.trouble() is None)
        put(active, 3)
        assert ids(taken_over(standby, warm)) == {1, 2, 3}


def test_without_the_last_changes_it_is_not_used(redis: RedisServer, active: SdlStore) -> None:
    with following(redis.environment) as (_, warm):
        redis.suspend()
        assert warm.caught_up(0.1) is None
        redis.resume()
