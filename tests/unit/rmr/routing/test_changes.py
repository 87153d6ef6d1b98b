# SPDX-License-Identifier: Apache-2.0
"""What an update costs, and that nobody sees a table change under his hands."""

from __future__ import annotations

import time

import pytest

from submgr.rmr.routing.reader import TableBuilder, parse_routes
from submgr.rmr.routing.table import RouteTable

OLD, NEW = "e2t-1:38000", "e2t-2:38000"


def table_of(routes: int, meids: int = 0) -> str:
    lines = ["newrt|start|t", *(f"mse|12010|{number}|{OLD}" for number in range(routes)), "newrt|end"]
    if meids:
        lines += ["meid_map|start", *(f"mme_ar|{OLD}|gnb_{number}" for number in range(meids)), "meid_map|end"]
    return "\n".join(lines)


def builder_of(text: str, base: RouteTable | None = None) -> TableBuilder:
    builder = TableBuilder(base=base)
    assert all(outcome.error is None for outcome in builder.feed(text))
    return builder


def update(builder: TableBuilder, *records: str, kind: str = "updatert") -> RouteTable:
    (outcome,) = builder.feed("\n".join([f"{kind}|start|u", *records, f"{kind}|end|{len(records)}"]))
    assert outcome.table is not None, outcome.error
    return outcome.table


def seconds_of(builder: TableBuilder) -> float:
    began = time.process_time()  # whatever else the machine does meanwhile
    for number in range(100):
        update(builder, f"mse|12010|{number}|{NEW}")
        update(builder, f"mme_ar|{NEW}|gnb_{number}", kind="meid_map")
    return time.process_time() - began


def test_an_update_costs_what_it_changes_not_what_the_table_has() -> None:
    small, large = builder_of(table_of(200, 200)), builder_of(table_of(50_000, 50_000))
    for builder in (small, large):
        update(builder, f"mme_ar|{NEW}|gnb_0", kind="meid_map")
    assert min(seconds_of(large) for _ in range(3)) < 5 * max(seconds_of(small) for _ in range(3))


def test_an_update_changes_and_deletes() -> None:
    builder = builder_of(table_of(3, 2))
    table = update(builder, f"mse|12010|1|{NEW}", "del|12010|2", "del|12010|77")
    assert {sub_id: route.groups for (sub_id, _), route in table.routes.items()} == {0: ((OLD,),), 1: ((NEW,),)}
    table = update(builder, f"mme_ar|{NEW}|gnb_2", "mme_del|gnb_1", kind="meid_map")
    assert dict(table.meids) == {"gnb_0": OLD, "gnb_2": NEW}
    assert {OLD, NEW} <= table.endpoints()


def test_the_table_of_somebody_else_is_not_changed() -> None:
    base = parse_routes(table_of(2, 2))
    builder = builder_of("newrt|start\nnewrt|end", base)
    table = update(builder, f"mme_ar|{NEW}|gnb_1", kind="meid_map")
    assert table.meids["gnb_1"] == NEW
    assert base.meids["gnb_1"] == OLD


def test_a_snapshot_stays_what_it_was() -> None:
    builder = builder_of(table_of(2, 2))
    assert builder.table is not None
    before = builder.table.snapshot()
    update(builder, f"mse|12010|1|{NEW}")
    update(builder, f"mme_ar|{NEW}|gnb_1", kind="meid_map")
    assert before == parse_routes(table_of(2, 2))


def test_names_that_come_and_go_do_not_add_up() -> None:
    builder = builder_of(table_of(1))
    for number in range(5000):
        table = update(builder, f"mse|12010|0|host-{number}:1")
    assert "host-4999:1" in table.endpoints()
    assert len(table.endpoints()) <= 2100


def test_updates_without_an_end_do_not_make_a_table_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submgr.rmr.routing.changes.MAX_MEMORY", 100_000)
    builder = builder_of(table_of(1))
    for _ in range(1000):
        update(builder, f"mse|12010|0|{NEW}")
    refused = 0
    for number in range(1000):
        (outcome,) = builder.feed(f"updatert|start|u\nmse|12010|{number}|host-{number}:1\nupdatert|end|1")
        refused += outcome.error is not None
    assert builder.table is not None
    assert 250 < len(builder.table.routes) < 400
    assert refused == 1000 - len(builder.table.routes)
    assert "would take more than 100000 bytes" in outcome.reason
    (outcome,) = builder.feed(table_of(1))
    assert outcome.error is None, "a new table begins anew"


def test_a_table_is_bounded_in_what_it_takes_not_only_in_its_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submgr.rmr.routing.reader.MAX_MEMORY", 100_000)
    many_targets = ",".join(f"h{number}:1" for number in range(900))
    (outcome,) = builder_of("").feed(f"newrt|start|t\nrte|1|{many_targets}\nnewrt|end|1")
    assert "takes more than 100000 bytes" in outcome.reason


def test_a_record_of_too_many_targets_is_skipped() -> None:
    too_many = ",".join(f"h{number}:1" for number in range(1025))
    table = parse_routes(f"newrt|start|t\nrte|1|{too_many}\nrte|2|{OLD}\nnewrt|end|2")
    assert len(table.routes) == 1
    assert "more than 1024 targets" in table.unread.told()
