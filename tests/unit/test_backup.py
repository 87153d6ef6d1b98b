# SPDX-License-Identifier: Apache-2.0
"""Backup: what is in the file, and what is let in again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from submgr.adapters.records.e2 import encode_e2
from submgr.adapters.records.namespaces import (
    E2_NAMESPACE,
    NAMESPACES,
    NEXT_INSTANCE_ID,
    REMOVAL_NAMESPACE,
    REST_NAMESPACE,
    STATE_NAMESPACE,
)
from submgr.adapters.records.removals import encode_removal
from submgr.adapters.records.rest import encode_rest
from submgr.adapters.records.store import StoredRecords
from submgr.backup import Backup
from submgr.core.controls import Controls
from submgr.core.errors import RefusedError
from submgr.core.events import Restored
from submgr.core.model import ClientEndpoint, Content, E2Record, Holder, Removal, RestHolder, RestRecord, RmrEndpoint
from submgr.core.node import Node
from submgr.core.registry import NotificationQuota, Registry
from submgr.e2ap.messages import Action, ActionType
from submgr.platform.store.base import Change, StoreError
from submgr.platform.store.memory import MemoryStore

XAPP = ClientEndpoint("service-ricxapp-http.ricxapp", 8080, 4560)


def e2(instance_id: int = 5) -> E2Record:
    content = Content(2, b"\x01\xff", (Action(1, ActionType.REPORT),))
    holder = Holder(RestHolder("sub", 1), XAPP.rmr, True)
    return E2Record(instance_id, "gnb_1", 123, 1, content, (XAPP.rmr,), (holder,), (XAPP.rmr,), admitted=(1,))


def rest(subscription_id: str = "sub") -> RestRecord:
    return RestRecord(subscription_id, "", XAPP.host, 8080, XAPP.rmr, "gnb_1", ((1, 5),), False, False, ())


class Ric:
    """A daemon's registry, store and workers, as far as a backup sees them."""

    def __init__(self) -> None:
        self.registry = Registry(NotificationQuota(lambda: 10))
        self.node = Node("gnb_1", self.registry, Controls(), True)
        self.store = MemoryStore()
        self.store.start()
        self.backup = Backup(self, StoredRecords(self.store))  # type: ignore[arg-type]

    @property
    def workers(self) -> list[Any]:
        return [self]

    def holds(self, namespace: str, key: str, value: bytes) -> None:
        self.store.write(Change(namespace, {key: value}))

    def stored(self) -> dict[str, dict[str, bytes]]:
        return {namespace: self.store.read_all(namespace) for namespace in NAMESPACES}

    def exported(self) -> bytes:
        return b"".join(self.backup.export())


@pytest.fixture
def full() -> Iterator[Ric]:
    ric = Ric()
    ric.holds(E2_NAMESPACE, "5", encode_e2(e2()))
    ric.holds(REST_NAMESPACE, "sub", encode_rest(rest()))
    removal = Removal(9, "gnb_1", 2, (RmrEndpoint("other", 4560),), node_delete=False)
    ric.holds(REMOVAL_NAMESPACE, "9:gnb_1", encode_removal(removal))
    ric.holds(STATE_NAMESPACE, NEXT_INSTANCE_ID, b"10")
    yield ric
    ric.store.stop()


@pytest.fixture
def empty() -> Iterator[Ric]:
    ric = Ric()
    yield ric
    ric.store.stop()


def refused(ric: Ric, body: bytes, status: int = 400) -> str:
    before = ric.stored()
    with pytest.raises(RefusedError) as caught:
        ric.backup.import_(body, False, False)
    assert caught.value.status == status
    for namespace in NAMESPACES:
        ric.store.write(Change(namespace))  # what was taken out again is out by then
    assert ric.stored() == before
    assert ric.registry.ids.in_use() == 0 or status == 409
    return "; ".join([caught.value.message, *(f"{each.field}: {each.message}" for each in caught.value.errors)])


def test_each_line_is_json_and_the_records_are_as_they_are_stored(full: Ric) -> None:
    head, *lines, end = [json.loads(line) for line in full.exported().splitlines()]
    assert (head["format"], head["version"]) == ("submgr-records", 1)
    assert end == {"end": True, "records": 4}
    assert {"namespace": REST_NAMESPACE, "key": "sub", "value": encode_rest(rest()).decode()} in lines
    assert len(lines) == 4


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_was_exported_comes_back_byte_by_byte(full: Ric, empty: Ric, pack: Any) -> None:
    imported = empty.backup.import_(pack(full.exported()), False, False)
    assert imported.records == {"e2_record": 1, "rest_record": 1, "removal_record": 1}
    expected = full.stored()
    assert empty.stored() == {**expected, STATE_NAMESPACE: {}}
    assert empty.registry.ids.owner(5) == "gnb_1"  # until the restart
    assert empty.registry.ids.taken(9)


def test_many_come_back_in_pieces(full: Ric, empty: Ric) -> None:
    for number in range(1000, 2001):
        full.holds(E2_NAMESPACE, str(number), encode_e2(e2(number)))
    assert empty.backup.import_(full.exported(), False, False).records["e2_record"] == 1002
    assert empty.store.read_all(E2_NAMESPACE) == full.store.read_all(E2_NAMESPACE)


def test_a_dry_run_changes_nothing(full: Ric, empty: Ric) -> None:
    assert empty.backup.import_(full.exported(), True, False).records.total() == 3
    assert not any(empty.stored().values())
    assert empty.registry.ids.in_use() == 0


def test_ids_in_use_are_refused(full: Ric) -> None:
    body = full.exported()
    full.node.handle(Restored((e2(),), (rest(),), (), True), 0.0)
    words = refused(full, body, 409)
    assert "instance id 5: is in use" in words
    assert "SubscriptionId sub: is in use" in words


def test_other_subscriptions_stay_beside_it(full: Ric) -> None:
    body = full.exported().replace(b'\\"InstanceId\\":5', b'\\"InstanceId\\":6')
    ric = Ric()
    ric.node.handle(Restored((e2(77),), (rest("another"),), (), True), 0.0)
    ric.holds(E2_NAMESPACE, "77", encode_e2(e2(77)))
    ric.backup.import_(body.replace(b'"key":"5"', b'"key":"6"'), False, False)
    assert ric.store.keys(E2_NAMESPACE) == {"6", "77"}
    ric.store.stop()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: b"", "line 1"),
        (lambda text: b"{}\n" + text, "line 1"),
        (lambda text: b"\xff\xfe" + text, "line 1"),
        (lambda text: text.replace(b'"version":1', b'"version":2'), "submgr-records 2"),
        (lambda text: text[: text.rindex(b'{"end"')], "last line is missing"),
        (lambda text: text[:-30], "line"),
        (lambda text: text.replace(b'"records":4', b'"records":5'), "5 records"),
        (lambda text: text + text.splitlines()[1] + b"\n", "behind the end"),
        (lambda text: text.replace(b'"key":"5"', b'"key":"6"'), "line 5: submgr_e2SubsDb 6 cannot be read"),
        (lambda text: text.replace(b"submgr_restSubsDb", b"somebody"), "no namespace of records"),
        (lambda text: text.replace(b'"value"', b'"base64"'), "cannot be read"),
        (lambda text: text.replace(b'"value"', b'"other"'), "neither value nor base64"),
        (lambda text: gzip.compress(text)[:-20], "gzip"),
        (lambda text: gzip.compress(text)[:20] + b"x" * 40, "gzip"),
        (lambda text: text.replace(b'{"name', b"[" * 100_000 + b'{"name'), "line 2"),
    ],
)
def test_a_spoilt_file_is_refused_as_a_whole(full: Ric, empty: Ric, spoil: Any, words: str) -> None:
    assert words in refused(empty, spoil(full.exported()))


def test_a_record_that_is_there_twice(full: Ric, empty: Ric) -> None:
    lines = full.exported().splitlines(keepends=True)
    body = b"".join([*lines[:2], lines[1], *lines[2:-1], lines[-1].replace(b"4", b"5")])
    assert "twice" in refused(empty, body)


def test_what_cannot_be_read_is_refused_or_left_out(full: Ric, empty: Ric) -> None:
    full.holds(E2_NAMESPACE, "6", b"\xff\x00")
    body = full.exported()
    assert b'"base64":"/wA="' in body
    assert "submgr_e2SubsDb 6 cannot be read" in refused(empty, body)
    imported = empty.backup.import_(body, False, True)
    assert (imported.records.total(), imported.skipped) == (3, 1)
    assert empty.store.keys(E2_NAMESPACE) == {"5"}


def test_a_bomb_is_no_file(empty: Ric, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submgr.adapters.records.lines.LARGEST", 1_000_000)
    monkeypatch.setattr("submgr.adapters.records.lines.LONGEST_LINE", 10_000_000)
    assert "more than 1000000 bytes" in refused(empty, gzip.compress(b"x" * 3_000_000))
    monkeypatch.setattr("submgr.adapters.records.lines.LONGEST_LINE", 100_000)
    assert "a line of more than 100000 bytes" in refused(empty, b"x" * 3_000_000)


def test_a_database_that_stops_taking_it_has_nothing_of_it(
    full: Ric, empty: Ric, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = empty.store.write

    def full_at_the_end(change: Change, **options: Any) -> None:
        if change.namespace == E2_NAMESPACE and change.set:
            raise StoreError("OOM")
        write(change, **options)

    monkeypatch.setattr(empty.store, "write", full_at_the_end)
    assert "OOM" in refused(empty, full.exported(), 503)
