# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from submgr.rmr.routing.lines import LONGEST_LINE, Lines, lines_of
from submgr.rmr.routing.reader import TableBuilder


@given(st.lists(st.text("ab|é\n", max_size=20), max_size=6), st.integers(1, 7))
def test_any_pieces_give_the_lines_of_the_whole(parts: list[str], size: int) -> None:
    text = "\n".join(parts)
    data, lines, got = text.encode(), Lines(), []
    for at in range(0, len(data), size):
        got += lines.take(data[at : at + size], more=True)
    got += lines.take(b"", more=False)
    assert [line for line in got if line] == [line for line in lines_of(text) if line]


def test_the_end_of_a_message_ends_its_last_line() -> None:
    lines = Lines()
    assert lines.take(b"rte|1", more=True) == []
    assert lines.take(b"|a:1", more=False) == ["rte|1|a:1"]
    assert lines.take(b"rte|2|a:1\nrte|3", more=False) == ["rte|2|a:1", "rte|3"]


def test_a_line_that_is_too_long_is_no_record_and_is_not_kept() -> None:
    lines, builder = Lines(), TableBuilder()
    builder.take(lines.take(b"newrt|start|t\nrte|1|a:1\nmse|2|-1|", more=True))
    for _ in range(40):
        assert lines.take(b"a:1," * 10_000, more=True) == []
    rest = lines.take(b"a:1\nrte|3|a:1\nnewrt|end|2\n", more=False)
    assert sum(map(len, rest)) < LONGEST_LINE // 100
    (outcome,) = builder.take(rest)
    assert outcome.table is not None
    assert sorted(outcome.table.routes) == [(-1, 1), (-1, 3)]
    assert outcome.skipped.count == 1
