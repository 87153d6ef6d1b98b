# SPDX-License-Identifier: Apache-2.0
"""JSON files that people write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec.common import relaxed_json
from mec.common.json_document import lines_of
from submgr.platform.config.file import ConfigError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@pytest.mark.parametrize("text", ['{"a": [1, 2,],}', '{"a": [1,\n 2 ,\n ] \n, }', '{"a": [1, 2]}'])
def test_comma_before_a_closing_bracket(text: str) -> None:
    assert relaxed_json.parse(text) == {"a": [1, 2]}


def test_commas_in_texts_stay() -> None:
    assert relaxed_json.parse('{"a": ",]", "b": "\\",}"}') == {"a": ",]", "b": '",}'}


@given(values)
def test_plain_json_is_read_as_it_is(value: Any) -> None:
    assert relaxed_json.parse(json.dumps(value)) == value


@pytest.mark.parametrize(("text", "line"), [('{"a": 1\n"b": 2}', 2), ("", 1), ('{"a":\n\n NaN}', None), ("[1, 2", 1)])
def test_what_is_not_json_is_told_by_its_line(text: str, line: int | None) -> None:
    with pytest.raises(ConfigError) as refused:
        relaxed_json.parse(text)
    assert refused.value.problems[0].line == line


def test_lines_of_values() -> None:
    text = '{\n\t"users": [\n\t\t{"imsi": 1},\n\t\t{"imsi":\n\t\t\t"x,]"},\n\t],\n}'
    ways = [("users", 1, "imsi"), ("users", 0, "imsi"), ("users", 1, "missing"), ("none",), (), ("users", 7)]
    assert lines_of(text, ways) == [5, 3, 4, 1, 1, 2]
    assert relaxed_json.steps("users[1].imsi") == ("users", 1, "imsi")


@pytest.mark.parametrize(
    "value", [{"users": [{"imsi": "1", "x": "ü"}], "n": None, "none": []}, [1, {"a": 2}], "text", {}]
)
def test_a_large_text_is_read_as_a_small_one_is(value: Any) -> None:
    text = json.dumps(value) + " " * 100_000
    assert relaxed_json.parse(text) == value


def test_a_large_list_comes_in_pieces_and_whole() -> None:
    value = {"users": [{"imsi": f"{number:015}", "data": "x" * (number % 3000)} for number in range(1000)], "other": 1}
    assert relaxed_json.parse(json.dumps(value)[:-1] + ",}") == value


def test_the_lines_of_a_large_text() -> None:
    text = json.dumps({"users": [{"imsi": number} for number in range(20_000)]}, indent=0)
    lines = text.splitlines()
    ways = [("users", number, "imsi") for number in (0, 7, 19_999)]
    assert [lines[line - 1] for line in relaxed_json.places(text, ways) if line] == [
        '"imsi": 0',
        '"imsi": 7',
        '"imsi": 19999',
    ]
    with pytest.raises(ConfigError) as refused:
        relaxed_json.parse(text[:-20])
    assert refused.value.problems[0].line is not None
