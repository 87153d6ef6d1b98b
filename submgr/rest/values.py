# SPDX-License-Identifier: Apache-2.0
"""The kinds of JSON values in subscription requests: converters for `json_fields`, and lists of octets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from submgr.platform.http.json_body import describe
from submgr.platform.http.json_fields import Convert, Fields, list_of

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


class Octets:
    """Reads the lists of octets of one request.

    An integer that is no octet gives its low eight bits, as in the Go implementation: -1 is 255, 1234 is 210. With
    `strict` it is a mistake. `folded` is the number of these integers so far.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.folded = 0
        self._lowest: float = 0 if strict else -math.inf
        self._highest: float = 255 if strict else math.inf
        self._must = "must be an octet, an integer from 0 to 255" if strict else "must be an octet, an integer"

    def read(self, fields: Fields, key: str, *, required: bool = False) -> bytes | None:
        """The octets of a field; None when it is absent, and after a mistake. Wrong octets are told by their index."""
        values = fields.need(key, _list_of_octets, None) if required else fields.take(key, _list_of_octets, None)
        if values is None:
            return None
        if _only_integers(values):
            low, high = min(values, default=0), max(values, default=0)
            if low >= 0 and high <= 255:
                return bytes(values)
            if low >= self._lowest and high <= self._highest:
                self.folded += sum(not 0 <= value <= 255 for value in values)
                return bytes([value & 255 for value in values])
        wrong = [i for i, octet in enumerate(values) if type(octet) is not int or not self._may_be(octet)]
        for index in wrong[:MAX_WRONG_OCTETS]:
            fields.wrong(f"{key}[{index}]", f"{self._must}, not {describe(values[index])}")
        return None

    def _may_be(self, octet: int) -> bool:
        return self._lowest <= octet <= self._highest


def _only_integers(values: list[Any]) -> bool:
    """Whether all values are integers, booleans not counted; without a Python loop, since lists are long."""
    return not set(map(type, values)) - {int}
