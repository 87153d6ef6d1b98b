# SPDX-License-Identifier: Apache-2.0
"""Any text: the reader of route tables skips or refuses with a line and a reason, and never raises anything else."""

from __future__ import annotations

from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from submgr.rmr.routing.reader import TableBuilder, parse_routes
from submgr.rmr.routing.table import RouteTable, RouteTableError

ENDPOINT = st.sampled_from(["a:1", "b:2", "[fe80::1]:3", "me:4560", "10.0.0.1:65535"])
GROUP = st.lists(ENDPOINT, min_size=1, max_size=3).map(",".join)
GROUPS = st.one_of(st.just("%meid"), st.lists(GROUP, min_size=1, max_size=3).map(";".join))
KEY = st.sampled_from(["1", "2", "1,me:4560", "1,other:1", "2147483647"])
SUB_ID = st.sampled_from(["-1", "0", "7"])
MEIDS = st.lists(st.sampled_from(["g1", "g2", "g3"]), min_size=1, max_size=3).map(" ".join)
ROUTE_RECORDS = st.one_of(
    st.builds("rte|{}|{}".format, KEY, GROUPS),
    st.builds("rte|{}|{}|{}".format, KEY, GROUPS, SUB_ID),
    st.builds("mse|{}|{}|{}".format, KEY, SUB_ID, GROUPS),
)
DELETIONS = st.builds("del|{}|{}".format, KEY, SUB_ID)
MEID_RECORDS = st.one_of(st.builds("mme_ar|{}|{}".format, ENDPOINT, MEIDS), MEIDS.map("mme_del|{}".format))


def bracketed(kind: str, records: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    several = st.lists(records, max_size=6)
    return several.map(lambda some: [f"{kind}|start|id", *some, f"{kind}|end|{len(some)}"])


FULL = bracketed("newrt", ROUTE_RECORDS)
TABLES = st.one_of(
    FULL, bracketed("updatert", st.one_of(ROUTE_RECORDS, DELETIONS)), bracketed("meid_map", MEID_RECORDS)
)
GOOD_TEXTS = st.builds(lambda first, more: [*first, *chain(*more)], FULL, st.lists(TABLES, max_size=4))
WORDS = ["newrt", "start", "end", "rte", "mse", "%meid", "a:1", "1", "-1", "", "#", "\r"]
FIELD = st.one_of(st.sampled_from(WORDS), st.text(max_size=5))
NOISE = st.lists(FIELD, max_size=6).map("|".join)


def with_noise(lines: list[str], noise: str, at: int) -> str:
    at %= len(lines)
    return "\n".join([*lines[:at], noise, *lines[at:]])


TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(NOISE, max_size=10).map("\n".join),
    st.builds(with_noise, GOOD_TEXTS, NOISE, st.integers(0, 99)),
)


@settings(deadline=None)
@given(TEXTS)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        table = parse_routes(text, frozenset({"me:4560"}))
    except RouteTableError as refused:
        assert 1 <= refused.line <= text.replace("\r", "\n").count("\n") + 1
        assert refused.reason
    else:
        assert isinstance(table, RouteTable)


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_a_refused_table_leaves_the_old_one(texts: list[str]) -> None:
    builder = TableBuilder()
    for text in texts:
        before = builder.table
        ends = builder.feed(text)
        applied = [end.table for end in ends if end.table is not None]
        assert builder.table is (applied[-1] if applied else before)


@settings(deadline=None)
@given(GOOD_TEXTS, st.integers(1, 5))
def test_a_good_text_is_taken_in_any_pieces_and_means_what_it_says(lines: list[str], size: int) -> None:
    own = frozenset({"me:4560"})
    table = parse_routes("\n".join(lines), own)
    builder = TableBuilder(own)
    for at in range(0, len(lines), size):
        ends = builder.feed("\n".join(lines[at : at + size]))
        assert all(end.error is None and not end.skipped.count for end in ends)
    assert builder.table == table
    assert "me:4560" not in {name for route in table.routes.values() for group in route.groups for name in group}
    reachable = {key: route for key, route in table.routes.items() if route.groups or route.by_meid}
    again = parse_routes(table.text())
    assert (dict(again.routes), dict(again.meids)) == (reachable, dict(table.meids))
