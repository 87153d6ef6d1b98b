# SPDX-License-Identifier: Apache-2.0
import logging
from collections.abc import Collection, Iterator, Mapping

import gevent
import pytest
from gevent.event import Event
from gevent.queue import Queue
from msgspec.structs import replace
from support.waiting import turns_until

from submgr.adapters.records.e2 import encode_e2
from submgr.adapters.records.loaded import Unreadable
from submgr.adapters.records.namespaces import (
    E2_NAMESPACE,
    NAMESPACES,
    NEXT_INSTANCE_ID,
    REMOVAL_NAMESPACE,
    REST_NAMESPACE,
    STATE_NAMESPACE,
)
from submgr.adapters.records.rest import encode_rest
from submgr.adapters.records.store import StoredRecords
from submgr.core.errors import RefusedError
from submgr.core.model import Content, E2Record, Holder, Removal, RestHolder, RestRecord, RmrEndpoint
from submgr.e2ap.messages import Action, ActionType
from submgr.platform.store.base import Change, StoreError, StoreRefusesWrites, StoreTimeout, StoreUnavailable
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.memory import MemoryBackend
from submgr.platform.turns import turn
from submgr.runtime.ports import Records, WriteFailure

ENDPOINT = RmrEndpoint("127.0.0.1", 4560)
REST_ID = "2Q8c0sTqLhYQ0OJnZ7sYJxFyYzA"
REST = RestRecord(REST_ID, "", "127.0.0.1", 8080, ENDPOINT, "gnb", ((7, 3),), False, False, ("d",))
E2 = E2Record(
    3,
    "gnb",
    123,
    7,
    Content(2, b"\1", (Action(1, ActionType.REPORT),)),
    (ENDPOINT,),
    (Holder(RestHolder(REST_ID, 7), ENDPOINT, True),),
    (ENDPOINT,),
    admitted=(1,),
)
REMOVAL = Removal(9, "gnb", 2, (ENDPOINT,), node_delete=False)


class Backend(MemoryBackend):
    """A database that can be made to fail; the writes it got, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.error: StoreError | None = None
        self.full = False
        self.looked = Event()
        self.asked: list[tuple[str, list[str], list[str]]] = []
        self.written = Event()

    def _check(self) -> None:
        if self.error is not None:
            raise type(self.error)(*self.error.args)

    def probe(self) -> None:
        self.looked.set()
        self._check()

    def write(self, namespace: str, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        self.asked.append((namespace, sorted(values), sorted(removals)))
        self._check()
        if self.full and values:
            raise StoreError("OOM command not allowed")
        super().write(namespace, values, removals)
        self.written.set()

    def read_all(self, namespace: str) -> dict[str, bytes]:
        self._check()
        return super().read_all(namespace)

    def keys(self, namespace: str) -> set[str]:
        self._check()
        return super().keys(namespace)


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def store(backend: Backend) -> Iterator[CommittingStore]:
    store = CommittingStore(backend, probe_interval=0.02)
    store.start()
    yield store
    store.stop()


@pytest.fixture
def records(store: CommittingStore) -> Iterator[StoredRecords]:
    records = StoredRecords(store, retry_interval=0.01)
    yield records
    records.stop()


def outcome(queue: "Queue[WriteFailure | None]") -> WriteFailure | None:
    return queue.get(timeout=5)


def test_it_is_the_port(records: StoredRecords) -> None:
    port: Records = records
    assert port is records


def test_what_is_saved_is_loaded(records: StoredRecords) -> None:
    saved: Queue[WriteFailure | None] = Queue()
    records.save_removal(REMOVAL)
    records.save_rest(REST, saved.put)
    records.save_e2(E2, saved.put)
    assert [outcome(saved), outcome(saved)] == [None, None]
    loaded = records.load()
    assert (loaded.e2, loaded.rest, loaded.unreadable) == ([E2], [REST], [])
    assert [replace(removal, since=REMOVAL.since) for removal in loaded.removals] == [REMOVAL]


def test_the_keys_are_those_of_the_go_implementation(records: StoredRecords, store: CommittingStore) -> None:
    saved: Queue[WriteFailure | None] = Queue()
    records.save_rest(REST, saved.put)
    records.save_e2(E2, saved.put)
    outcome(saved), outcome(saved)
    assert store.read_all("submgr_restSubsDb") == {REST_ID: encode_rest(REST)}
    assert store.read_all("submgr_e2SubsDb") == {"3": encode_e2(E2)}


def test_what_is_erased_is_gone(records: StoredRecords, store: CommittingStore) -> None:
    done: Queue[WriteFailure | None] = Queue()
    records.save_rest(REST, done.put)
    records.save_e2(E2, done.put)
    records.save_removal(REMOVAL)
    records.erase_rest(REST_ID, done.put)
    records.erase_e2(3, done.put)
    records.erase_removal("gnb", 9)
    assert [outcome(done) for _ in range(4)] == [None] * 4
    assert [store.keys(namespace) for namespace in NAMESPACES] == [set()] * len(NAMESPACES)


@pytest.mark.parametrize(
    ("error", "timed_out"),
    [(StoreError("OOM command not allowed"), False), (StoreTimeout("no answer in 2 s"), True)],
)
def test_a_failed_write_is_told_in_the_words_of_the_store(
    records: StoredRecords, backend: Backend, error: StoreError, timed_out: bool
) -> None:
    done: Queue[WriteFailure | None] = Queue()
    backend.error = error
    records.save_e2(E2, done.put)
    failure = outcome(done)
    assert failure is not None
    assert str(error) in failure.message
    assert failure.timed_out is timed_out


def test_a_write_that_nobody_waits_for_is_made_when_the_database_is_back(
    records: StoredRecords, store: CommittingStore, backend: Backend
) -> None:
    backend.error = StoreUnavailable("connection refused")
    records.save_rest(REST, None)
    turns_until(lambda: store.stats().failed == 1)
    backend.error = None
    assert backend.written.wait(5)
    assert records.load().rest == [REST]


def test_an_awaited_write_that_failed_is_not_made_later(records: StoredRecords, backend: Backend) -> None:
    done: Queue[WriteFailure | None] = Queue()
    backend.error = StoreUnavailable("connection refused")
    records.save_rest(REST, done.put)
    assert outcome(done) is not None
    backend.error = None
    records.save_removal(REMOVAL)
    assert backend.written.wait(5)
    assert records.load().rest == []


def test_an_erasure_is_told_when_it_failed_and_again_when_the_record_is_gone(
    records: StoredRecords, backend: Backend
) -> None:
    done: Queue[WriteFailure | None] = Queue()
    records.save_e2(E2, done.put)
    assert outcome(done) is None
    backend.error = StoreUnavailable("connection refused")
    records.erase_e2(3, done.put)
    failure = outcome(done)
    assert failure is not None
    assert "connection refused" in failure.message
    backend.error = None
    assert outcome(done) is None
    assert records.load().e2 == []
    records.save_rest(REST, done.put)
    assert outcome(done) is None
    assert done.empty(), "the erasure was told a third time"


def test_a_record_saved_after_a_failed_erasure_stays(
    records: StoredRecords, store: CommittingStore, backend: Backend
) -> None:
    erased: Queue[WriteFailure | None] = Queue()
    saved: Queue[WriteFailure | None] = Queue()
    backend.error = StoreUnavailable("connection refused")
    records.erase_e2(3, erased.put)
    assert outcome(erased) is not None
    records.save_e2(E2, saved.put)
    assert outcome(saved) is not None
    assert outcome(erased) is None, "nobody waits for an erasure that a later write has made void"
    backend.error = None
    turns_until(store.reachable)
    records.save_e2(E2, saved.put)
    assert outcome(saved) is None
    records.save_rest(REST, saved.put)
    assert outcome(saved) is None
    assert records.load().e2 == [E2]
    assert erased.empty(), "the erasure is still wanted"


def test_unreadable_records_stop_nobody_and_stay_where_they_are(
    records: StoredRecords, store: CommittingStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(Change(E2_NAMESPACE, {"3": encode_e2(E2), "4": encode_e2(E2), "5": b"{", "x": b"{}"}))
    store.write(Change(REST_NAMESPACE, {"lost": b"null", REST_ID: encode_rest(REST)}))
    store.write(Change(REMOVAL_NAMESPACE, {"6:gnb": b"[]"}))
    with caplog.at_level(logging.ERROR):
        loaded = records.load()
    assert (loaded.e2, loaded.rest, loaded.removals) == ([E2], [REST], [])
    assert [(item.namespace, item.key, item.instance_id) for item in loaded.unreadable] == [
        (E2_NAMESPACE, "4", 4),
        (E2_NAMESPACE, "5", 5),
        (E2_NAMESPACE, "x", None),
        (REST_NAMESPACE, "lost", None),
        (REMOVAL_NAMESPACE, "6:gnb", 6),
    ]
    assert all(item.why for item in loaded.unreadable)
    assert len(caplog.records) == 5
    assert "'lost'" in caplog.text
    assert store.keys(E2_NAMESPACE) == {"3", "4", "5", "x"}


@pytest.mark.parametrize("key", ["", "١", "1" * 5000, "-1", "1.5"])
def test_a_strange_key_has_no_instance_id(key: str) -> None:
    assert Unreadable(E2_NAMESPACE, key, "").instance_id is None


def test_instances_of_an_old_rest_record_come_from_the_e2_records(
    records: StoredRecords, store: CommittingStore
) -> None:
    store.write(Change(E2_NAMESPACE, {"3": encode_e2(E2)}))
    old = b'{"XAppRmrEndPoint":"xapp-rmr:4560","Meid":"gnb","InstanceIds":[3]}'
    store.write(Change(REST_NAMESPACE, {"old": old}))
    assert records.load().rest[0].instances == ((7, 3),)


def test_a_database_that_is_away_cannot_be_loaded(records: StoredRecords, backend: Backend) -> None:
    backend.error = StoreUnavailable("connection refused")
    with pytest.raises(StoreError, match="connection refused"):
        records.load()


def test_many_records_are_read_with_a_pause_for_others(records: StoredRecords, store: CommittingStore) -> None:
    data = encode_rest(REST)
    store.write(Change(REST_NAMESPACE, {str(n): data for n in range(10_000)}))
    turns = 0

    def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            turn()

    busy = gevent.spawn(others)
    try:
        assert len(records.load().rest) == 10_000
        assert turns >= 3
    finally:
        busy.kill()


def test_removing_one_record(records: StoredRecords) -> None:
    done: Queue[WriteFailure | None] = Queue()
    records.save_e2(E2, done.put)
    assert outcome(done) is None
    assert records.remove_record(3)
    assert not records.remove_record(3)
    assert records.load().e2 == []


def test_emptying_takes_everything_and_nothing_is_written_back(
    records: StoredRecords, store: CommittingStore, backend: Backend
) -> None:
    store.write(Change(E2_NAMESPACE, {"3": encode_e2(E2), "unreadable": b"{"}))
    store.write(Change(REMOVAL_NAMESPACE, {"6:gnb": b"{"}))
    store.write(Change("another", {"key": b"kept"}))
    backend.full = True
    records.save_rest(REST, None)
    turns_until(lambda: store.stats().repairs_pending == 1)
    records.empty()
    backend.full = False
    store.write(Change("another", {"later": b""}))
    assert [store.keys(namespace) for namespace in NAMESPACES] == [set()] * len(NAMESPACES)
    assert store.keys("another") == {"key", "later"}
    backend.full = True
    failed = store.stats().failed
    records.save_rest(REST, None)
    turns_until(lambda: store.stats().failed == failed + 1)
    assert store.stats().repairs_pending == 0


@pytest.mark.parametrize("what", ["empty", "remove_record"])
def test_what_could_not_be_removed_leaves_the_writing_back_on(
    records: StoredRecords, store: CommittingStore, backend: Backend, what: str
) -> None:
    backend.error = StoreUnavailable("connection refused")
    records.save_rest(REST, None)
    turns_until(lambda: store.stats().repairs_pending == 1)
    with pytest.raises(RefusedError, match=r"the database does not answer: .*connection refused") as refused:
        records.empty() if what == "empty" else records.remove_record(3)
    assert refused.value.status == 503
    backend.error = None
    assert backend.written.wait(5)
    assert records.load().rest == [REST]


@pytest.mark.parametrize(
    ("stored", "loaded"), [(b"17", 17), (b"", None), (b"-1", None), (b"1e9", None), (b"9999999", None)]
)
def test_a_mark_of_the_instance_ids_that_cannot_be_read_is_none(
    records: StoredRecords, store: CommittingStore, stored: bytes, loaded: int | None
) -> None:
    store.write(Change(STATE_NAMESPACE, {NEXT_INSTANCE_ID: stored}))
    assert records.load().next_instance_id == loaded


def test_the_mark_of_the_instance_ids_is_saved(records: StoredRecords) -> None:
    records.save_next_instance_id(33)
    records.flush()
    assert records.load().next_instance_id == 33


def test_an_erasure_that_is_refused_is_tried_after_growing_pauses(records: StoredRecords, backend: Backend) -> None:
    done: Queue[WriteFailure | None] = Queue()
    records.save_e2(E2, done.put)
    assert outcome(done) is None
    backend.error = StoreRefusesWrites("READONLY")
    records.erase_e2(3, done.put)
    failure = outcome(done)
    assert failure is not None
    assert "READONLY" in failure.message
    backend.asked.clear()
    for _ in range(20):
        backend.looked.clear()
        assert backend.looked.wait(5)
    assert len(backend.asked) < 20, "of the store and of the records together; without pauses it would be 60"
    backend.error = None
    assert outcome(done) is None
    assert records.load().e2 == []
