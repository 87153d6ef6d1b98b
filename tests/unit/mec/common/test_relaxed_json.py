# SPDX-License-Identifier: Apache-2.0
"""JSON files that people write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec.common import relaxed_json
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
    assert relaxed_json.line_of(text, ("users", 0, "imsi")) == 3
    assert relaxed_json.line_of(text, ("users", 1, "imsi")) == 5
    assert relaxed_json.line_of(text, ("users", 1, "missing")) == 4
    assert relaxed_json.steps("users[1].imsi") == ("users", 1, "imsi")
