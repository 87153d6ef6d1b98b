# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter

from submgr.rmr.message import Message
from submgr.rmr.router import Copies, Router
from submgr.rmr.routing.reader import TableBuilder, parse_routes


def router(*records: str, down: frozenset[str] = frozenset()) -> Router:
    made = Router(lambda name: name not in down)
    made.apply(parse_routes("\n".join(records)))
    return made


def test_without_a_table_nothing_has_a_destination() -> None:
    assert Router(lambda name: True).destinations(Message(1)) == []


def test_round_robin_within_a_group() -> None:
    one = router("newrt|start", "rte|1|a:1,b:1", "newrt|end")
    assert [one.destinations(Message(1))[0] for _ in range(10)] == ["a:1", "b:1"] * 5


def test_one_copy_to_each_group() -> None:
    one = router("newrt|start", "rte|1|a:1,b:1;c:1", "newrt|end")
    got = Counter(name for _ in range(10) for name in one.destinations(Message(1)))
    assert got == {"a:1": 5, "b:1": 5, "c:1": 10}


def test_an_endpoint_that_is_down_is_passed_over_while_another_is_up() -> None:
    one = router("newrt|start", "rte|1|a:1,b:1,c:1", "newrt|end", down=frozenset({"b:1"}))
    assert [one.destinations(Message(1))[0] for _ in range(4)] == ["a:1", "c:1", "a:1", "c:1"]


def test_when_all_are_down_they_still_take_turns() -> None:
    one = router("newrt|start", "rte|1|a:1,b:1", "newrt|end", down=frozenset({"a:1", "b:1"}))
    assert [one.destinations(Message(1))[0] for _ in range(4)] == ["a:1", "b:1", "a:1", "b:1"]


def test_meid_decides() -> None:
    one = router(
        "newrt|start", "rte|1|%meid", "mse|2|7|%meid", "newrt|end",
        "meid_map|start", "mme_ar|e:1|gnb1", "meid_map|end",
    )  # fmt: skip
    assert one.destinations(Message(1, meid="gnb1")) == ["e:1"]
    assert one.destinations(Message(2, meid="gnb1", sub_id=7)) == ["e:1"]
    assert one.destinations(Message(1, meid="gnb2")) == []
    assert one.destinations(Message(2, meid="gnb1", sub_id=8)) == []


def test_copies_tell_once_when_none_of_the_accepted_was_sent() -> None:
    told: list[str] = []
    copies = Copies(told.append)
    copies.accepted = 2
    copies.failed("first")
    assert told == []
    copies.failed("second")
    assert told == ["second"]


def test_endpoints_that_have_left_the_table_go_at_a_count() -> None:
    builder = TableBuilder()
    builder.feed("newrt|start\nrte|1|a:1\nrte|2|b:1\nnewrt|end\nmeid_map|start\nmme_ar|e:1|g\nmeid_map|end\n")
    builder.feed("updatert|start\ndel|1|-1\nrte|2|c:1\nupdatert|end\n")
    one = Router(lambda name: True)
    assert one.recount() == frozenset()
    assert builder.table is not None
    one.apply(builder.table)
    assert one.endpoints >= {"c:1", "e:1"}
    assert one.recount() == one.endpoints == {"c:1", "e:1"}
