# SPDX-License-Identifier: Apache-2.0
"""One declaration gives the schema, the object, the printed form and the facts for a page about the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from submgr.platform.config.file import inspect
from submgr.platform.config.schema import (
    Key,
    Section,
    changed,
    fill,
    open_section,
    part,
    schema_of,
    section,
    setting,
    shown,
    without_effect,
)
from submgr.platform.config.values import mapping, milliseconds, optional_text, text, whole

COUNT = whole(1, 9, "sheep")
WAIT = milliseconds(0, 9000)


@dataclass(frozen=True, slots=True)
class Limits:
    count: int = setting("howMany", COUNT, 2, "how many", go=True)


@dataclass(frozen=True, slots=True)
class Inner:
    limits: Limits = part(Limits)
    wait: float = setting("wait_ms", WAIT, 1.5, "how long")
    names: Mapping[str, Any] = setting("names", mapping, {}, "who")
    token: str | None = setting("token", optional_text, None, "the password")


@dataclass(frozen=True, slots=True)
class Outer:
    inner: Inner = section("inner", Inner, "the inside", strict=True, ignored=(without_effect("old", text, "x"),))
    rest: Mapping[str, Any] = open_section("rest", "for others")
    origin: str = ""


SCHEMA = schema_of(Outer, ignored=(Section("gone", open=True),))


def test_the_schema_follows_the_declarations() -> None:
    assert schema_of(Outer, ignored=(Section("gone", open=True),)) == Section(
        "",
        (
            Section(
                "inner",
                (
                    Key("howMany", COUNT, 2, "how many", go=True),
                    Key("wait_ms", WAIT, 1.5, "how long"),
                    Key("names", mapping, {}, "who"),
                    Key("token", optional_text, None, "the password"),
                    without_effect("old", text, "x"),
                ),
                strict=True,
                description="the inside",
            ),
            Section("rest", open=True, description="for others"),
            Section("gone", open=True),
        ),
    )


def test_without_a_file_and_with_an_empty_one_the_defaults_hold() -> None:
    parsed, mistakes = inspect("", SCHEMA)
    assert mistakes == []
    assert fill(Outer, parsed.values) == Outer()
    assert Outer().inner == Inner(Limits(2), 1.5, {}, None)


def test_values_of_a_file_reach_their_attributes_and_the_printed_form() -> None:
    content = "inner: {HOWMANY: '3', wait_ms: 250, names: {a: 1}, token: s3cret, old: y}\nrest: {x: 1}\ngone: {z: 2}"
    parsed, mistakes = inspect(content, SCHEMA)
    assert mistakes == []
    filled = fill(Outer, parsed.values, origin="a file")
    assert filled == Outer(Inner(Limits(3), 0.25, {"a": 1}, "s3cret"), {"x": 1}, "a file")
    assert shown(SCHEMA, parsed.values) == {
        "inner": {"howMany": 3, "wait_ms": 250, "names": {"a": 1}, "token": "s3cret", "old": "y"},
        "rest": {"x": 1},
        "gone": {"z": 2},
    }
    assert parsed.values["inner"]["wait_ms"] == 0.25  # printing changes nothing


def test_a_secret_is_known_by_its_name_and_never_printed_with_its_object() -> None:
    (inner, *_) = SCHEMA.members
    assert isinstance(inner, Section)
    assert [member.name for member in inner.members if isinstance(member, Key) and member.secret] == ["token"]
    assert "s3cret" not in repr(Inner(token="s3cret"))


def test_what_a_key_says_about_its_values() -> None:
    assert (COUNT.allowed, COUNT.unit) == ("1 to 9", "sheep")
    assert (WAIT.allowed, WAIT.unit) == ("0 to 9000", "ms")


def test_what_has_changed_is_named_as_in_the_file() -> None:
    old = Outer(Inner(Limits(2), 1.5, {}, None), {"x": 1}, "a file")
    assert changed(old, old) == []
    new = Outer(Inner(Limits(3), 0.25, {}, None), {"x": 2}, "another file")
    assert changed(old, new) == ["inner.howMany", "inner.wait_ms", "rest"]
