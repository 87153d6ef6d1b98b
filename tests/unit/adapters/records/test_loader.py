# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from submgr.adapters.records.loaded import Loaded, Unreadable
from submgr.adapters.records.loader import RecordLoader, StartFailed
from submgr.adapters.records.namespaces import E2_NAMESPACE, REST_NAMESPACE
from submgr.core.events import Restored
from submgr.core.model import Content, E2Record, RestRecord, RmrEndpoint
from submgr.core.registry import NotificationQuota, Registry
from submgr.e2ap.messages import Action, ActionType
from submgr.platform.store.base import StoreUnavailable

ENDPOINT = RmrEndpoint("xapp", 4560)
CONTENT = Content(2, b"\1", (Action(1, ActionType.REPORT),))
REST = RestRecord("id", "", "xapp", 8080, ENDPOINT, "gnb_2", ((7, 3),), False, False, ())
UNREADABLE = [Unreadable(E2_NAMESPACE, "9", "truncated"), Unreadable(REST_NAMESPACE, "lost", "truncated")]


def e2(instance_id: int, meid: str) -> E2Record:
    return E2Record(instance_id, meid, 123, 7, CONTENT, (ENDPOINT,), (), (ENDPOINT,), admitted=(1,))


class Records:
    """A store with an E2 subscription at each of two nodes; `away`: it does not answer."""

    def __init__(self) -> None:
        self.loaded = Loaded([e2(1, "gnb_1"), e2(3, "gnb_2")], [REST], [], list(UNREADABLE))
        self.away = False
        self.flushed = False

    def flush(self) -> None:
        self.flushed = True

    def load(self) -> Loaded:
        if self.away:
            raise StoreUnavailable("connection refused")
        return self.loaded


class Nodes:
    """All connection states have been read; gnb_1 is connected."""

    def known(self) -> bool:
        return True

    def is_connected_now(self, meid: str) -> bool:
        return meid == "gnb_1"


@pytest.fixture
def registry() -> Registry:
    return Registry(NotificationQuota(lambda: 10))


def loader(records: Records, registry: Registry, **changed: Any) -> RecordLoader:
    controls = {"check_e2_state": True, "read_subs_from_db": True, "db_retry_forever": False, "db_try_count": 1}
    settings: Any = SimpleNamespace(**{**controls, **changed})
    port: Any = records
    return RecordLoader(port, registry, Nodes(), Nodes(), lambda: settings)


def test_the_records_of_each_node_and_the_ids_that_are_not_given_out(registry: Registry) -> None:
    one = loader(Records(), registry)
    spared = frozenset({"lost"})
    assert one.by_node(one.load()) == {
        "gnb_1": Restored((e2(1, "gnb_1"),), (), (), True, spared),
        "gnb_2": Restored((e2(3, "gnb_2"),), (REST,), (), False, spared),
    }
    assert one.unreadable == 2
    assert registry.ids.in_use() == 1, "the instance id of the unreadable record"


def test_nothing_is_restored_when_the_settings_say_so(registry: Registry) -> None:
    one = loader(Records(), registry, read_subs_from_db=False)
    assert one.by_node(one.load()) == {}
    assert registry.ids.in_use() == 1


def test_the_start_fails_after_as_many_tries_as_the_settings_allow(registry: Registry) -> None:
    records = Records()
    records.away = True
    one = loader(records, registry)
    assert one.why_not == "not restored yet"
    with pytest.raises(StartFailed, match=r"the database could not be read: connection refused \(1 tries\)"):
        one.load()
    assert one.why_not == "the database could not be read: connection refused"


def test_one_node_is_read_again_after_what_waited_was_written(registry: Registry) -> None:
    records = Records()
    one = loader(records, registry)
    assert one.load_node("gnb_1") == Restored((e2(1, "gnb_1"),), (), (), True, frozenset({"lost"}))
    assert records.flushed
    assert one.load_node("gnb_9") == Restored((), (), (), False)


@pytest.mark.parametrize(("stored", "first"), [(None, 10), (40, 40), (2, 2)])
def test_instance_ids_go_on_where_the_previous_run_ended(registry: Registry, stored: int | None, first: int) -> None:
    """Without a mark (a database of another implementation) after the largest id that is in use."""
    records = Records()
    records.loaded = replace(records.loaded, next_instance_id=stored)
    one = loader(records, registry)
    one.by_node(one.load())
    assert registry.ids.allocate("gnb") == first
