# SPDX-License-Identifier: Apache-2.0
"""The kinds of JSON values in subscription requests: converters for `json_fields`, and lists of octets."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from submgr.platform.http.json_fields import Convert, Fields, describe, list_of

MAX_WRONG_OCTETS = 20
"""At most so many wrong octets of one list are told, so that there is room for mistakes of other kinds."""

objects = list_of("a list of objects")
_list_of_octets = list_of("a list of octets as integers")

Choice = TypeVar("Choice", bound=Enum)


def string(value: Any) -> str:
    """Converts a string, of any length."""
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def integer(low: int, high: int) -> Convert[int]:
    """A converter of integers from `low` to `high`; true, 1.0 and "1" are none."""

    def convert(value: Any) -> int:
        if type(value) is int and low <= value <= high:
            return value
        raise ValueError(f"must be an integer from {low} to {high}")

    return convert


def one_of(choices: Mapping[str, Choice]) -> Convert[Choice]:
    """A converter of the names in `choices`, spelled exactly so."""

    def convert(value: Any) -> Choice:
        if isinstance(value, str) and value in choices:
            return choices[value]
        raise ValueError(f"must be one of {', '.join(choices)}")

    return convert


def octets(fields: Fields, key: str, *, required: bool = False) -> bytes | None:
    """A list of octets as integers; -128..-1 are signed bytes, as some clients send them.

    None when it is absent, and after a mistake; wrong octets are told by their index.
    """
    values = fields.need(key, _list_of_octets, None) if required else fields.take(key, _list_of_octets, None)
    if values is None:
        return None
    if _only_integers(values):
        low, high = min(values, default=0), max(values, default=0)
        if low >= 0 and high <= 255:
            return bytes(values)
        if low >= -128 and high <= 255:
            return bytes([octet & 255 for octet in values])
    wrong = [index for index, octet in enumerate(values) if type(octet) is not int or not -128 <= octet <= 255]
    for index in wrong[:MAX_WRONG_OCTETS]:
        shown = describe(values[index])
        fields.wrong(f"{key}[{index}]", f"must be an octet, an integer from -128 to 255, not {shown}")
    return None


def _only_integers(values: list[Any]) -> bool:
    """Whether all values are integers, booleans not counted; without a Python loop, since lists are long."""
    return not set(map(type, values)) - {int}
