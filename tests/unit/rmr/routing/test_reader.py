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


REFUSED = [
    (
        ["newrt"],
        1,
        "no complete table: newrt|start and newrt|end are expected; 1 route record skipped: line 1: 'newrt'",
    ),
    (["newrt|stop"], 1, "line 1: 'newrt' needs start or end: 'newrt|stop'"),
    (["newrt|start", "newrt|end|x"], 2, "count 'x'"),
    (["newrt|start", "newrt|end|-1"], 2, "count '-1'"),
    (["newrt|start", "rte|1|a:1", "newrt|end|2"], 3, "missing table records: expected 2 got 1"),
    (["newrt|start", "rte|1|a:1", "newrt|end|"], 3, "missing table records: expected 0 got 1"),
    (["newrt|start", "rte|x|a:1", "newrt|end|0"], 3, "missing table records: expected 0 got 1"),
    (["newrt|start", "what", "newrt|end|2"], 3, "missing table records: expected 2 got 0"),
    (["newrt|start", "rte|1|a:1"], 2, "newrt|end is missing"),
    (["newrt|start", "newrt|start"], 2, "table not complete"),
    (["newrt|start", "updatert|end"], 2, "updatert|end in a table begun by newrt|start"),
    (["newrt|end"], 1, "newrt|end without newrt|start"),
    (["newrt|end|5"], 1, "newrt|end without newrt|start"),
    (["rte|1|a:1"], 1, "'rte' outside a table"),
    (["updatert|start", "updatert|end"], 2, "no complete table"),
    ([""], 1, "no complete table"),
    (["# nothing"], 1, "no complete table"),
]


@pytest.mark.parametrize(("lines", "line", "reason"), REFUSED, ids=["; ".join(row[0]) or "empty" for row in REFUSED])
def test_a_fault_of_the_frame_refuses_with_line_and_reason(lines: list[str], line: int, reason: str) -> None:
    with pytest.raises(RouteTableError) as refused:
        parse_routes("\n".join(lines))
    assert refused.value.line == line
    assert reason in refused.value.reason


SKIPPED = [
    ("rte|1", "rte has 2 fields, 3 to 4 are expected"),
    ("rte", "rte has no message type"),
    ("rte|1|a:1|1|1", "rte has 5 fields"),
    ("rte|x|a:1", "message type 'x'"),
    ("rte|-1|a:1", "message type '-1'"),
    ("rte|99999999999|a:1", "message type '99999999999'"),
    ("rte|²|a:1", "message type '²'"),
    ("rte||a:1", "message type ''"),
    ("mse||-1|a:1", "message type ''"),
    ("mse|,me:4560|-1|a:1", "message type ''"),
    ("mse|12010 12020|-1|a:1", "message type '12010 12020'"),
    ("rte|1|a", "'a' has no port"),
    ("mse|12010|-1|service-ricplt-e2term-rmr", "'service-ricplt-e2term-rmr' has no port"),
    ("rte|1|a:0", "port '0'"),
    ("rte|1|a:65536", "port '65536'"),
    ("rte|1|:1", "no valid host"),
    ("rte|1|fe80::1:1", "brackets"),
    ("rte|1|a b:1", "no valid host"),
    ("rte|1|", "'' has no port"),
    ("rte|1|a:1|", "sub id ''"),
    ("rte|1|a:1|-2", "sub id '-2'"),
    ("mse|1|x|a:1", "sub id 'x'"),
    ("mse|1|1", "mse has 3 fields"),
]
OUT_OF_PLACE = [
    ("del|1|1", "'del' does not belong into newrt"),
    ("mme_ar|a:1|gnb", "'mme_ar' does not belong into newrt"),
    ("what|1|1", "'what' is no record"),
    ("|||", "'' is no record"),
    ("newrt|stop", "'newrt' needs start or end"),
    ("no word of ours", "'no word of ours' needs start or end"),
]


@pytest.mark.parametrize(("record", "reason"), SKIPPED)
def test_a_record_that_cannot_be_read_is_skipped_and_counted(record: str, reason: str) -> None:
    table = parse_routes(f"newrt|start|t\nrte|7|a:1\n{record}\nmse|8|-1|b:1\nnewrt|end|3\n", ME)
    assert sorted(table.routes) == [(-1, 7), (-1, 8)]
    ((skipped,), count) = (table.unread.first, table.unread.count)
    assert (count, skipped.line, skipped.text) == (1, 3, record)
    assert reason in skipped.reason


@pytest.mark.parametrize(("record", "reason"), OUT_OF_PLACE)
@pytest.mark.parametrize("counted", [1, 2])
def test_a_line_of_another_kind_is_skipped_whether_its_sender_counts_it_or_not(
    record: str, reason: str, counted: int
) -> None:
    table = parse_routes(f"newrt|start|t\n{record}\nrte|7|a:1\nnewrt|end|{counted}\n", ME)
    assert list(table.routes) == [(-1, 7)]
    (skipped,) = table.unread.first
    assert reason in skipped.reason


@pytest.mark.parametrize(
    "record",
    [
        "mse|,e2mgr:3801|-1|e2t:38000",
        "rte|1,sender|a:1",
        "mse|nothing,other:1",
        "rte|1,|a:1",
        "del|,other:1",
        "mse|1,other:1|x|no port",
    ],
)
def test_a_record_for_another_sender_is_passed_over_unread(record: str) -> None:
    builder = TableBuilder(ME)
    assert told(builder, "newrt|start|t\nnewrt|end\n") == ["OK t"]
    assert told(builder, f"updatert|start|u\nrte|7|a:1\n{record}\nupdatert|end|2\n") == ["OK u"]
    assert builder.table is not None
    assert (list(builder.table.routes), builder.table.unread.count) == ([(-1, 7)], 0)


def test_of_several_targets_those_that_can_be_read_are_used() -> None:
    table = parse_routes("newrt|start|t\nmse|12010|-1|a:1,nobody,b:2;c;d:4,me:4560\nmse|1|2|a:1,,b:1\nnewrt|end|2", ME)
    assert table.routes[-1, 12010] == Route((("a:1", "b:2"), ("d:4",)))
    assert table.routes[2, 1] == Route((("a:1", "b:1"),))
    assert table.unread.count == 2
    assert table.unread.first[0].reason == (
        "target left out: 'nobody' has no port, host:port is expected; 'c' has no port, host:port is expected"
    )


@pytest.mark.parametrize(
    ("record", "meids", "reason"),
    [
        ("mme_ar|nobody|g2", {"g1": "e:1"}, "'nobody' has no port"),
        ("mme_ar|e:2", {"g1": "e:1"}, "mme_ar has 2 fields"),
        (f"mme_ar|e:2|{'g' * 32}", {"g1": "e:1"}, "longer than 31 bytes"),
        (f"mme_ar|e:2|g2 {'g' * 32} g3", {"g1": "e:1", "g2": "e:2", "g3": "e:2"}, "meid left out: meid 'ggg"),
        (f"mme_del|g1 {'g' * 32}", {}, "meid left out: meid 'ggg"),
        ("mme_del", {"g1": "e:1"}, "mme_del has 1 fields"),
    ],
)
def test_a_bad_meid_or_record_never_takes_the_others_with_it(record: str, meids: dict[str, str], reason: str) -> None:
    table = parse_routes(
        f"newrt|start\nnewrt|end\nmeid_map|start\nmme_ar|e:1|g1\n{record}\nmme_ar|e:9|g9\nmeid_map|end|3\n"
    )
    assert dict(table.meids) == meids | {"g9": "e:9"}
    (skipped,) = table.skipped_meids.first
    assert (skipped.line, table.skipped.count) == (5, 0)
    assert reason in skipped.reason


def test_a_line_of_another_table_in_a_meid_map_is_skipped() -> None:
    table = parse_routes("newrt|start\nnewrt|end\nmeid_map|start\nrte|1|a:1\nmme_ar|e:1|g1\nmeid_map|end|1\n")
    assert (dict(table.meids), table.unread.count) == ({"g1": "e:1"}, 1)


def test_what_is_wrong_round_the_tables_of_a_file_is_told_and_takes_nothing_with_it() -> None:
    table = parse_routes(
        "hello\nrte|1|a:1\nnewrt|start|t\nrte|2|a:1\nnewrt|end|1\nmeid_map|start\nmme_ar|e:1|g\nmeid_map|end|7\n"
    )
    assert (list(table.routes), dict(table.meids)) == ([(-1, 2)], {})
    assert [str(skipped) for skipped in table.unread.first] == [
        "line 1: 'hello' is no record: 'hello'",
        "line 2: 'rte' outside a table",
        "line 8: missing table records: expected 7 got 1",
    ]


def test_the_count_of_skipped_records_is_that_of_the_table_in_force() -> None:
    builder = TableBuilder()
    counts = []
    for text in (
        "newrt|start|a\nrte|x|a:1\nrte|y|a:1\nnewrt|end|2",
        "updatert|start|b\nrte|z|a:1\nupdatert|end|1",
        "meid_map|start|m\nmme_ar|x|g\nmeid_map|end|1",
        "meid_map|start|m\nmeid_map|end|0",
        "newrt|start|c\nrte|1|a:1\nnewrt|end|1",
    ):
        builder.feed(text)
        assert builder.table is not None
        counts.append(builder.table.unread.count)
    assert counts == [2, 3, 4, 3, 0]


def test_few_skipped_records_are_kept_with_their_text_and_all_are_counted() -> None:
    table = parse_routes("newrt|start\n" + "rte|x|a:1\n" * 50 + "newrt|end|50\n")
    assert (table.unread.count, len(table.unread.first)) == (50, 20)
    assert table.unread.told(1) == (
        "50 route records skipped: line 2: message type 'x' is no number from 0 on: 'rte|x|a:1'; and 49 more"
    )


def test_a_table_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submgr.rmr.routing.reader.LARGEST_TABLE", 25)
    builder = TableBuilder()
    assert told(builder, "newrt|start|a\nrte|1|a:1\nrte|2|a:1\nnewrt|end|2") == ["OK a"]
    assert told(builder, "newrt|start|a\nrte|1|a:1\nrte|2|a:1\nrte|3|a:1\nnewrt|end|3") == [
        "ERR a line 4: the table has more than 25 characters"
    ]
    monkeypatch.setattr("submgr.rmr.routing.reader.MAX_RECORDS", 1)
    assert told(builder, "newrt|start|a\nrte|1|a:1\nx\nnewrt|end|1") == ["OK a"]
    assert told(builder, "newrt|start|a\nrte|1|a:1\nrte|1|a:1\nnewrt|end|2") == ["ERR a line 3: more than 1 records"]


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
    assert told(builder, "newrt|start|two\nrte|1|b:1\nmeid_map|end\n") == [
        "ERR two line 3: meid_map|end in a table begun by newrt|start"
    ]
    assert told(builder, "rte|3|b:1\nrte|oops|b:1\nnewrt|end|4") == []
    assert builder.table is before
    assert told(builder, "newrt|start|three\nnewrt|end") == ["OK three"]


def test_lines_are_counted_over_the_pieces_of_a_table() -> None:
    builder = TableBuilder()
    builder.feed("newrt|start|id\nrte|1|a:1\n")
    builder.feed("rte|2|a:1\n")
    builder.feed("rte|3|nobody\n")
    (ended,) = builder.feed("newrt|end|3\n")
    assert [skipped.line for skipped in ended.skipped.first] == [4]


def test_a_start_within_a_table_refuses_the_open_one_under_its_id() -> None:
    builder = TableBuilder()
    builder.feed("newrt|start|old\n")
    assert told(builder, "newrt|start|new\nnewrt|end") == ["ERR old line 2: table not complete", "OK new"]


def test_an_update_before_a_full_table_is_kept_for_it_even_with_a_seed() -> None:
    builder = TableBuilder(base=parse_routes("newrt|start|seed\nrte|1|a:1\nnewrt|end"))
    seed = builder.table
    for update in ("u1\nrte|2|a:1\nrte|3|b:1\ndel|5|-1", "u2\nrte|2|c:1\ndel|3|-1"):
        (outcome,) = builder.feed(f"updatert|start|{update}\nupdatert|end\n")
        assert (outcome.table, outcome.error) == (None, None)
    assert builder.table is seed
    assert told(builder, "updatert|start|u3\nrte|4|a:1\nupdatert|end|7") == [
        "ERR u3 line 3: missing table records: expected 7 got 1"
    ]
    assert told(builder, "newrt|start|n\nrte|3|a:1\nrte|5|a:1\nrte|6|a:1\nnewrt|end|3") == ["OK n"]
    assert builder.table is not None
    assert dict(builder.table.routes) == {(-1, 2): Route((("c:1",),)), (-1, 6): Route((("a:1",),))}
    assert {"a:1", "c:1"} <= builder.table.endpoints()
    assert told(builder, "newrt|start|m\nnewrt|end\nupdatert|start|u4\nrte|2|a:1\nupdatert|end|1") == ["OK m", "OK u4"]
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
