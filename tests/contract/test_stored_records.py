# SPDX-License-Identifier: Apache-2.0
"""The records over every store, and as they lie in a real redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gevent.queue import Queue
from msgspec.structs import replace
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.adapters.records.rest import decode_rest
from submgr.adapters.records.store import StoredRecords
from submgr.core.model import Content, E2Record, Holder, Removal, RestHolder, RmrEndpoint
from submgr.e2ap.messages import Action, ActionType
from submgr.platform.store.base import Store
from submgr.platform.store.memory import MemoryStore
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_client import SdlSettings
from submgr.platform.store.sqlite import SqliteStore
from submgr.runtime.ports import WriteFailure

needs_redis = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

GO_E2 = (
    b'{"Valid":true,"ReqId":{"Id":12345,"InstanceId":1},"Meid":{"PlmnID":"","EnbID":"","RanName":"gnb_1"},'
    b'"EpList":{"Endpoints":[{"Addr":"127.0.0.1","Port":4560}]},"SubReqMsg":{"Id":123,"InstanceId":1,"FunctionId":2,'
    b'"Data":{"Length":4,"Data":"AQIDBA=="},"ActionSetups":[{"ActionId":1,"ActionType":0,'
    b'"RicActionDefinitionPresent":true,"Data":{"Length":4,"Data":"BQYHCA=="},"Present":true,"Type":0,'
    b'"TimetoWait":4}]},"SubRespMsg":{"Id":123,"InstanceId":1,"FunctionId":2,"ActionAdmittedList":{"Items":'
    b'[{"ActionId":1}]},"ActionNotAdmittedList":{"Items":null}},"SubRespRcvd":"SubResp","PolicyUpdate":false}'
)
GO_REST = (
    b'{"Created":"2026-11-22 00:33:40.850","XAppServiceName":"127.0.0.1","XAppRmrEndPoint":"127.0.0.1:4560",'
    b'"Meid":"gnb_1","InstanceIds":[1],"XAppIdToE2Id":{"12345":1},"SubReqOngoing":false,"SubDelReqOngoing":false,'
    b'"Md5sum":"4a6e"}'
)
ENDPOINT = RmrEndpoint("127.0.0.1", 4560)
REST_ID = "2Q8c0sTqLhYQ0OJnZ7sYJxFyYzA"
REST = replace(decode_rest(REST_ID, GO_REST), http_port=8080, instances=((7, 3),))
E2 = E2Record(
    3,
    "gnb_1",
    123,
    7,
    Content(2, b"\1", (Action(1, ActionType.REPORT),)),
    (ENDPOINT,),
    (Holder(RestHolder(REST_ID, 7), ENDPOINT, True),),
    (ENDPOINT,),
)
REMOVAL = Removal(9, "gnb_1", 2, (ENDPOINT,), node_delete=True)


@pytest.fixture(params=["memory", "sqlite", pytest.param("redis", marks=needs_redis)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store: Store
    match request.param:
        case "memory":
            store = MemoryStore()
        case "sqlite":
            store = SqliteStore(tmp_path / "records.db")
        case _:
            store = SdlStore(SdlSettings(request.getfixturevalue("server").environment))
    store.start()
    yield store
    store.stop()


def outcomes(done: Queue[WriteFailure | None], count: int) -> list[WriteFailure | None]:
    return [done.get(timeout=10) for _ in range(count)]


def test_saved_loaded_erased(store: Store) -> None:
    done: Queue[WriteFailure | None] = Queue()
    records = StoredRecords(store)
    records.save_removal(REMOVAL)
    records.save_rest(REST, done.put)
    records.save_e2(E2, done.put)
    completed = replace(E2, admitted=(1,))
    records.save_e2(completed, done.put)
    assert outcomes(done, 3) == [None] * 3
    eventually(lambda: records.load().removals)
    loaded = records.load()
    assert (loaded.e2, loaded.rest) == ([completed], [REST])
    assert [replace(removal, since=REMOVAL.since) for removal in loaded.removals] == [REMOVAL]
    records.erase_removal(REMOVAL.meid, REMOVAL.instance_id)
    records.erase_e2(3, done.put)
    records.erase_rest(REST_ID, done.put)
    assert outcomes(done, 2) == [None, None]
    eventually(lambda: not records.load().removals)
    loaded = records.load()
    assert (loaded.e2, loaded.rest, loaded.unreadable) == ([], [], [])
    records.stop()


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
def test_records_of_the_go_implementation_are_taken_over_and_handed_back(server: RedisServer) -> None:
    server.command("SET", "{submgr_e2SubsDb},1", GO_E2)
    server.command("SET", f"{{submgr_restSubsDb}},{REST_ID}", GO_REST)
    store = SdlStore(SdlSettings(server.environment))
    store.start()
    records = StoredRecords(store)
    loaded = records.load()
    assert loaded.unreadable == []
    done: Queue[WriteFailure | None] = Queue()
    records.save_e2(loaded.e2[0], done.put)
    records.save_rest(loaded.rest[0], done.put)
    assert outcomes(done, 2) == [None, None]
    store.stop()
    assert server.get("submgr_e2SubsDb", "1") == GO_E2
    assert server.get("submgr_restSubsDb", REST_ID) == GO_REST


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
def test_a_database_that_hangs(server: RedisServer) -> None:
    settings = SdlSettings(server.environment, connect_timeout=0.4, operation_timeout=0.4)
    store = SdlStore(settings, probe_interval=0.1)
    store.start()
    records = StoredRecords(store, retry_interval=0.05)
    saved: Queue[WriteFailure | None] = Queue()
    erased: Queue[WriteFailure | None] = Queue()
    assert records.load().rest == []
    records.save_e2(E2, saved.put)
    assert outcomes(saved, 1) == [None]
    server.suspend()
    records.save_rest(REST, saved.put)
    (failure,) = outcomes(saved, 1)
    assert failure is not None
    assert failure.timed_out
    records.erase_e2(E2.instance_id, erased.put)
    (failure,) = outcomes(erased, 1)
    assert failure is not None
    server.resume()
    assert outcomes(erased, 1) == [None], "told once more, when it is gone"
    eventually(lambda: not store.stats().repairs_pending)
    loaded = records.load()
    assert (loaded.e2, loaded.rest) == ([], []), "a write that was not confirmed has not come late"
    records.stop()
    store.stop()
