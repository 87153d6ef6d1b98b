# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from submgr.rmr.routing.reader import TableBuilder, parse_routes
from submgr.rmr.routing.table import Route, RouteTable, RouteTableError

ME = frozenset({"me:4560", "10.0.0.1:4560"})


def routes_of(*records: str) -> dict[tuple[int, int], Route]:
    return dict(parse_routes("\n".join(("newrt|start", *records, "newrt|end")), ME).routes)


def test_a_table_without_routes_is_complete() -> None:
    assert parse_routes("newrt|start\nnewrt|end\n") == RouteTable(name="<id-missing>")


@pytest.mark.parametrize(
    ("record", "key", "route"),
    [
        ("rte|12010|a:1", (-1, 12010), Route((("a:1",),))),
        ("rte|12010|a:1|7", (7, 12010), Route((("a:1",),))),
        ("rte|12010|a:1|-1", (-1, 12010), Route((("a:1",),))),
        ("rte | 12010 | a:1 , b:2 ; c:3 | 7", (7, 12010), Route((("a:1", "b:2"), ("c:3",)))),
        ("rte|12010|%meid", (-1, 12010), Route(by_meid=True)),
        ("mse|12010|5|a:1", (5, 12010), Route((("a:1",),))),
        ("mse|12010|-1|%meid", (-1, 12010), Route(by_meid=True)),
        ("mse|12010,me:4560|5|a:1", (5, 12010), Route((("a:1",),))),
        ("rte|12010, other:1, 10.0.0.1:4560 |a:1", (-1, 12010), Route((("a:1",),))),
        ("rte|12010|a:1 # comment", (-1, 12010), Route((("a:1",),))),
        ("route|12010|a:1", (-1, 12010), Route((("a:1",),))),
        ("rte|12010|[fe80::1]:4560", (-1, 12010), Route((("[fe80::1]:4560",),))),
        ("rte|12010|me:4560,a:1;10.0.0.1:4560", (-1, 12010), Route((("a:1",),))),
        ("rte|12010|me:4560", (-1, 12010), Route()),
    ],
)
def test_a_record(record: str, key: tuple[int, int], route: Route) -> None:
    assert routes_of(record) == {key: route}


def test_a_record_for_other_senders_is_skipped_but_counted() -> None:
    table = parse_routes("newrt|start|x\nrte|1,other:1|a:1\nrte|2|a:1\nnewrt|end|2\n", ME)
    assert list(table.routes) == [(-1, 2)]


def test_a_later_record_replaces_an_earlier_one() -> None:
    assert routes_of("rte|1|a:1", "mse|1|-1|b:1") == {(-1, 1): Route((("b:1",),))}


def test_lookup_prefers_the_sub_id_over_any() -> None:
    table = parse_routes("newrt|start\nrte|1|any:1\nmse|1|7|seven:1\nnewrt|end\n")
    assert table.lookup(1, 7) == Route((("seven:1",),))
    assert table.lookup(1, 8) == Route((("any:1",),))
    assert table.lookup(2, 7) is None


def test_comments_blank_lines_and_carriage_returns() -> None:
    table = parse_routes("# seed\r\n\r\nnewrt|start|x\r  rte|1|a:1\t# why\r\n\r\nnewrt|end|1\r\n")
    assert list(table.routes) == [(-1, 1)]


def test_meid_map_is_kept_by_a_new_table_and_changed_by_a_map() -> None:
    table = parse_routes(
        "newrt|start|t\nrte|1|%meid\nnewrt|end|1\n"
        "meid_map|start|m\nmme_ar|e2t:1|gnb1 gnb2\nmme_ar|e2t:2|gnb3\nmme_del|gnb2\nmeid_map|end|3|md5\n"
        "newrt|start|u\nrte|2|%meid\nnewrt|end|1\n"
    )
    assert dict(table.meids) == {"gnb1": "e2t:1", "gnb3": "e2t:2"}
    assert list(table.routes) == [(-1, 2)]
    assert table.endpoints() == {"e2t:1", "e2t:2"}


def test_an_update_starts_from_the_full_table() -> None:
    table = parse_routes(
        "newrt|start|t\nrte|1|a:1\nrte|2|a:1\nnewrt|end|2\n"
        "updatert|start|u\ndel|1|-1\nmse|3|4|b:1\ndel|9|9\nupdatert|end|3\n"
    )
    assert sorted(table.routes) == [(-1, 2), (4, 3)]


BAD = [
    (["newrt"], 1, "newrt needs start or end"),
    (["newrt|stop"], 1, "newrt needs start or end, not 'stop'"),
    (["newrt|start", "rte|1"], 2, "rte has 2 fields, 3 to 4 are expected"),
    (["newrt|start", "rte|1|a:1|1|1"], 2, "rte has 5 fields"),
    (["newrt|start", "rte|x|a:1"], 2, "message type 'x'"),
    (["newrt|start", "rte|-1|a:1"], 2, "message type '-1'"),
    (["newrt|start", "rte|99999999999|a:1"], 2, "message type '99999999999'"),
    (["newrt|start", "rte|²|a:1"], 2, "message type '²'"),
    (["newrt|start", "rte||a:1"], 2, "message type ''"),
    (["newrt|start", "rte|1|a"], 2, "'a' has no port"),
    (["newrt|start", "rte|1|a:0"], 2, "port '0'"),
    (["newrt|start", "rte|1|a:65536"], 2, "port '65536'"),
    (["newrt|start", "rte|1|:1"], 2, "no valid host"),
    (["newrt|start", "rte|1|fe80::1:1"], 2, "brackets"),
    (["newrt|start", "rte|1|a b:1"], 2, "no valid host"),
    (["newrt|start", "rte|1|a:1,,b:1"], 2, "'' has no port"),
    (["newrt|start", "rte|1|"], 2, "'' has no port"),
    (["newrt|start", "rte|1|a:1|"], 2, "sub id ''"),
    (["newrt|start", "rte|1|a:1|-2"], 2, "sub id '-2'"),
    (["newrt|start", "rte|1,sender|a:1"], 2, "'sender' has no port"),
    (["newrt|start", "mse|1|1"], 2, "mse has 3 fields"),
    (["newrt|start", "del|1|1"], 2, "'del' does not belong into newrt"),
    (["newrt|start", "mme_ar|a:1|gnb"], 2, "'mme_ar' does not belong into newrt"),
    (["newrt|start", "what|1|1"], 2, "'what' is no record"),
    (["newrt|start", "|||"], 2, "'' is no record"),
    (["newrt|start", "newrt|end|x"], 2, "count 'x'"),
    (["newrt|start", "newrt|end|-1"], 2, "count '-1'"),
    (["newrt|start", "rte|1|a:1", "newrt|end|2"], 3, "missing table records: expected 2 got 1"),
    (["newrt|start", "rte|1|a:1", "newrt|end|"], 3, "missing table records: expected 0 got 1"),
    (["newrt|start", "rte|1|a:1"], 2, "newrt|end is missing"),
    (["newrt|start", "newrt|start"], 2, "table not complete"),
    (["newrt|start", "updatert|end"], 2, "updatert|end in a table begun by newrt|start"),
    (["newrt|end"], 1, "newrt|end without newrt|start"),
    (["newrt|end|5"], 1, "newrt|end without newrt|start"),
    (["rte|1|a:1"], 1, "'rte' outside a table"),
    (["updatert|start", "updatert|end"], 1, "an update needs a full table before it"),
    (["meid_map|start", "mme_ar|nobody|gnb"], 2, "'nobody' has no port"),
    (["meid_map|start", "mme_ar|a:1"], 2, "mme_ar has 2 fields"),
    (["meid_map|start", f"mme_ar|a:1|{'g' * 32}"], 2, "longer than 31 bytes"),
    (["meid_map|start", "rte|1|a:1"], 2, "'rte' does not belong into meid_map"),
    ([""], 1, "no complete table"),
    (["# nothing"], 1, "no complete table"),
]


@pytest.mark.parametrize(("lines", "line", "reason"), BAD, ids=["; ".join(row[0]) or "empty" for row in BAD])
def test_a_bad_text_is_refused_with_line_and_reason(lines: list[str], line: int, reason: str) -> None:
    with pytest.raises(RouteTableError) as refused:
        parse_routes("\n".join(lines))
    assert refused.value.line == line
    assert reason in refused.value.reason


def told(builder: TableBuilder, text: str) -> list[str]:
    return [f"{'OK' if end.error is None else 'ERR'} {end.table_id} {end.reason}".strip() for end in builder.feed(text)]


def test_a_table_may_come_in_pieces() -> None:
    builder = TableBuilder()
    assert told(builder, "newrt|start|id1\nrte|1|a:1\n") == []
    assert told(builder, "rte|2|a:1") == []
    assert told(builder, "newrt|end|2\n\0") == ["OK id1"]
    assert builder.table is not None
    assert builder.table.name == "id1"


def test_a_broken_table_is_refused_once_and_the_old_one_stays() -> None:
    builder = TableBuilder()
    assert told(builder, "newrt|start|one\nrte|1|a:1\nnewrt|end|1") == ["OK one"]
    before = builder.table
    assert told(builder, "newrt|start|two\nrte|1|b:1\nrte|oops|b:1\n") == [
        "ERR two line 3: message type 'oops' is no number from 0 on"
    ]
    assert told(builder, "rte|3|b:1\nrte|oops|b:1\nnewrt|end|4") == []
    assert builder.table is before
    assert told(builder, "newrt|start|three\nnewrt|end") == ["OK three"]


def test_lines_are_counted_over_the_pieces_of_a_table() -> None:
    builder = TableBuilder()
    builder.feed("newrt|start|id\nrte|1|a:1\n")
    builder.feed("rte|2|a:1\n")
    assert told(builder, "rte|3|nobody\n") == ["ERR id line 4: 'nobody' has no port, host:port is expected"]


def test_a_start_within_a_table_refuses_the_open_one_under_its_id() -> None:
    builder = TableBuilder()
    builder.feed("newrt|start|old\n")
    assert told(builder, "newrt|start|new\nnewrt|end") == ["ERR old line 2: table not complete", "OK new"]


def test_an_update_before_a_full_table_is_refused_even_with_a_seed() -> None:
    builder = TableBuilder(base=parse_routes("newrt|start|seed\nrte|1|a:1\nnewrt|end"))
    assert told(builder, "updatert|start|u\nrte|2|a:1\nupdatert|end|1") == [
        "ERR u line 1: an update needs a full table before it"
    ]
    assert told(builder, "newrt|start|n\nnewrt|end\nupdatert|start|u2\nrte|2|a:1\nupdatert|end|1") == ["OK n", "OK u2"]
    assert builder.table is not None
    assert list(builder.table.routes) == [(-1, 2)]


def test_a_new_table_keeps_the_meids_of_the_seed() -> None:
    seed = parse_routes("newrt|start\nnewrt|end\nmeid_map|start\nmme_ar|e:1|gnb\nmeid_map|end|1")
    builder = TableBuilder(base=seed)
    builder.feed("newrt|start|n\nnewrt|end|0")
    assert builder.table is not None
    assert dict(builder.table.meids) == {"gnb": "e:1"}


def test_text_of_a_table_reads_as_the_same_table() -> None:
    table = parse_routes(
        "newrt|start|id\nrte|1|a:1,b:2;c:3\nrte|2|%meid\nmse|3|4|a:1\nnewrt|end|3\n"
        "meid_map|start|id\nmme_ar|e:1|g1 g2\nmme_ar|e:2|g3\nmeid_map|end|2\n"
    )
    assert parse_routes(table.text()) == table
