# SPDX-License-Identifier: Apache-2.0
"""The reader of JSON objects: which mistakes it notes, under which paths, in which words."""

from typing import Any

import pytest

from submgr.platform.http.json_fields import Dialect, Fields, Mistakes, Spelling, an_object, text, truth, whole


def fields(values: dict[str, Any], dialect: Dialect | None = None) -> Fields:
    return Fields(values, "", Mistakes(dialect or Dialect()))


def told(reader: Fields) -> list[tuple[str, str]]:
    return [(mistake.field, mistake.message) for mistake in reader.mistakes.found]


def test_values_are_converted_and_absent_ones_replaced() -> None:
    reader = fields({"a": 5, "b": None})
    assert reader.need("a", whole(1, 5), 0) == 5
    assert reader.take("b", whole(1, 5), 3) == 3
    assert reader.take("c", whole(1, 5), None) is None
    assert not reader.mistakes


def test_every_mistake_is_noted_in_the_order_of_reading() -> None:
    reader = fields({"b": 6, "a": "x"})
    assert (reader.need("a", truth, False), reader.take("b", whole(1, 5), 1), reader.need("c", truth, None)) == (
        False,
        1,
        None,
    )
    assert told(reader) == [
        ("a", "must be true or false"),
        ("b", "must be a whole number from 1 to 5"),
        ("c", "is required"),
    ]


def test_only_the_first_mistake_of_a_field_is_noted() -> None:
    reader = fields({"a": 5})
    reader.need("a", truth, False)
    reader.wrong("a", "must be true together with b")
    assert told(reader) == [("a", "must be true or false")]


def test_a_path_leads_through_objects_and_lists() -> None:
    reader = fields({"a": [{"b": {"c": 1}}, 7, {"b": []}]})
    for _, element in reader.children("a"):
        if (inner := element.child("b", required=True)) is not None:
            inner.need("c", truth, False)
    assert told(reader) == [
        ("a[0].b.c", "must be true or false"),
        ("a[1]", "must be an object"),
        ("a[2].b", "must be an object"),
    ]


@pytest.mark.parametrize(
    ("values", "message"), [({}, "is required"), ({"a": []}, "must not be empty"), ({"a": {}}, "must be a list")]
)
def test_a_required_list_has_elements(values: dict[str, Any], message: str) -> None:
    reader = fields(values)
    assert list(reader.children("a", required=True)) == []
    assert told(reader) == [("a", message)]


def test_an_optional_list_may_be_absent_or_empty() -> None:
    reader = fields({"b": []})
    assert [*reader.children("a"), *reader.children("b"), *reader.items("a")] == []
    assert not reader.mistakes


def test_the_dialect_words_absence_and_shows_values() -> None:
    reader = fields({"a": "x" * 50}, Dialect(absent="is missing", shows_values=True))
    reader.need("a", truth, False)
    reader.need("b", truth, False)
    assert told(reader) == [("a", f'must be true or false, not the string "{"x" * 40}..."'), ("b", "is missing")]


def test_null_can_be_a_value() -> None:
    reader = fields({"a": None}, Dialect(null_is_absent=False))
    assert reader.need("a", lambda value: [value], []) == [None]
    reader.need("b", an_object, {})
    assert told(reader) == [("b", "is required")]


def test_reading_ends_with_enough_mistakes() -> None:
    reader = fields({"a": [{}] * 10}, Dialect(limit=3))
    read = [element.need("b", truth, False) for _, element in reader.children("a")]
    assert len(read) == len(reader.mistakes.found) == 3


@pytest.mark.parametrize("key", ["ClientEndPoint", "client_endpoint", "CLIENTENDPOINT", "ClientEndpoint"])
def test_spellings_of_a_name(key: str) -> None:
    spelling, mistakes = Spelling("ClientEndpoint"), Mistakes(Dialect())
    assert spelling.canonical({key: 1, "other": 2}, "", mistakes) == {"ClientEndpoint": 1}
    assert not mistakes


def test_two_spellings_with_different_values_are_a_mistake_beside_that_of_the_value() -> None:
    outer = fields({"o": {"Meid": 1, "meid": 2}})
    reader = outer.child("o", Spelling("Meid"))
    assert reader is not None
    reader.need("Meid", text(5), "")
    assert told(outer) == [
        ("o.Meid", "is given as Meid and as meid with different values"),
        ("o.Meid", "must be a string"),
    ]


@pytest.mark.parametrize("value", [True, 1.0, "1", 0, 6, 10**30, [], {}])
def test_no_whole_number(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a whole number from 1 to 5"):
        whole(1, 5)(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "must be a string"),
        ("abcdef", "must not be longer than 5 characters"),
        ("", "must not be empty"),
        ("a\n", "must not contain control characters"),
    ],
)
def test_no_text(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        text(5)(value)
    assert (text(5)("é b"), text(5, empty=True)("")) == ("é b", "")
