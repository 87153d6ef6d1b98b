# SPDX-License-Identifier: Apache-2.0
"""Reads a decoded JSON object field by field and collects every mistake instead of stopping at the first.

Clients spell keys in many ways, so a key is compared without regard to letter case and underscores (`ClientEndPoint`,
`clientEndpoint` and `client_endpoint` are one key); unknown keys are ignored and null means absent. Of a key that is
given twice in the same spelling the last value counts, as in every JSON library; in two spellings the values must be
equal, since nobody could tell which one is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from submgr.core.errors import FieldError, RefusedError

MAX_MISTAKES = 100
"""More than this is one misunderstanding repeated: the search ends, and the answer stays small."""

MAX_WRONG_OCTETS = 20
"""How many are told of one list, so that there is room for mistakes of other kinds."""

Choice = TypeVar("Choice", bound=Enum)
Values = Mapping[str, object]


class Mistakes:
    """The mistakes found so far in one request, in the order of the fields."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def add(self, field: str, message: str) -> None:
        if not self.enough:
            self._errors.append(FieldError(field, message))

    @property
    def enough(self) -> bool:
        """Nothing more is looked for."""
        return len(self._errors) >= MAX_MISTAKES

    def __bool__(self) -> bool:
        return bool(self._errors)

    def refusal(self) -> RefusedError:
        """The 400 that tells all of them."""
        first = self._errors[0]
        others = len(self._errors) - 1
        more = f" (and {others} more mistake{'s' if others > 1 else ''})" if others else ""
        return RefusedError(400, f"{first.field} {first.message}{more}", tuple(self._errors))


class Spelling:
    """The canonical names of the keys of one kind of object."""

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)
        self._folded = {_fold(name): name for name in names}

    def canonical(self, values: Values, path: str, mistakes: Mistakes) -> Values:
        """The same object with canonical keys; the object itself if it has no others, as good clients send it."""
        if values.keys() <= self.names:
            return values
        result: dict[str, object] = {}
        spelled: dict[str, str] = {}
        for key, value in values.items():
            name = self._folded.get(_fold(key))
            if name is None or value is None:
                continue
            if name not in result:
                result[name], spelled[name] = value, key
            elif result[name] != value:
                mistakes.add(path + name, f"is given as {spelled[name]} and as {key} with different values")
        return result


def _fold(key: str) -> str:
    return key.replace("_", "").lower()


def describe(value: object) -> str:
    """A JSON value in the words of an error message; never long."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if abs(value) < 1 << 64 else "a huge number"
        case float():
            return repr(value)
        case str():
            shown = value if len(value) <= 40 else value[:40] + "..."
            return f'the string "{shown}"'
        case list():
            return "a list"
        case _:
            return "an object"


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object of a request. Every reader returns None for an absent field and for a wrong one, having noted
    the mistake; `path` is what comes before the field's own name, e.g. `SubscriptionDetails[0].`."""

    values: Values
    path: str
    mistakes: Mistakes

    def wrong(self, key: str, message: str) -> None:
        self.mistakes.add(self.path + key, message)

    def present(self, key: str, required: bool = True) -> object:
        """The raw value; None when absent or null, which is a mistake for a required field."""
        value = self.values.get(key)
        if value is None and required:
            self.wrong(key, "is required")
        return value

    def integer(self, key: str, low: int, high: int, required: bool = True) -> int | None:
        """An integer from `low` to `high`; true, 1.0 and "1" are none."""
        value = self.present(key, required)
        if type(value) is int and low <= value <= high:
            return value
        if value is not None:
            self.wrong(key, f"must be an integer from {low} to {high}, not {describe(value)}")
        return None

    def boolean(self, key: str) -> bool | None:
        """An optional true or false."""
        value = self.present(key, required=False)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(key, f"must be true or false, not {describe(value)}")
        return None

    def text(self, key: str, required: bool = True) -> str | None:
        value = self.present(key, required)
        if value is None or isinstance(value, str):
            return value
        self.wrong(key, f"must be a string, not {describe(value)}")
        return None

    def choice(self, key: str, choices: Mapping[str, Choice]) -> Choice | None:
        """A required name out of `choices`, spelled exactly so."""
        value = self.present(key)
        if isinstance(value, str) and value in choices:
            return choices[value]
        if value is not None:
            self.wrong(key, f"must be one of {', '.join(choices)}, not {describe(value)}")
        return None

    def octets(self, key: str, required: bool = True) -> bytes | None:
        """A list of octets as integers; -128..-1 are signed bytes, as some clients send them."""
        value = self.present(key, required)
        if value is None:
            return None
        if not isinstance(value, list):
            self.wrong(key, f"must be a list of octets as integers, not {describe(value)}")
            return None
        if _only_integers(value):
            low, high = min(value, default=0), max(value, default=0)
            if low >= 0 and high <= 255:
                return bytes(value)
            if low >= -128 and high <= 255:
                return bytes([octet & 255 for octet in value])
        wrong = [index for index, octet in enumerate(value) if type(octet) is not int or not -128 <= octet <= 255]
        for index in wrong[:MAX_WRONG_OCTETS]:
            shown = describe(value[index])
            self.wrong(f"{key}[{index}]", f"must be an octet, an integer from -128 to 255, not {shown}")
        return None

    def child(self, key: str, spelling: Spelling, required: bool = True) -> Fields | None:
        """An object."""
        value = self.present(key, required)
        return None if value is None else self._child(key, value, spelling)

    def children(self, key: str, spelling: Spelling) -> Iterator[tuple[int, Fields]]:
        """The objects of a required list that must not be empty, each with its index."""
        value = self.present(key)
        if isinstance(value, list):
            if not value:
                self.wrong(key, "must not be empty")
            for index, element in enumerate(value):
                if self.mistakes.enough:
                    return
                if (fields := self._child(f"{key}[{index}]", element, spelling)) is not None:
                    yield index, fields
        elif value is not None:
            self.wrong(key, f"must be a list of objects, not {describe(value)}")

    def _child(self, key: str, value: object, spelling: Spelling) -> Fields | None:
        if not isinstance(value, dict):
            self.wrong(key, f"must be an object, not {describe(value)}")
            return None
        path = f"{self.path}{key}."
        return Fields(spelling.canonical(value, path, self.mistakes), path, self.mistakes)


def _only_integers(values: list[object]) -> bool:
    """True for a list of nothing but integers (booleans are none); without a Python loop, for lists are long."""
    return not set(map(type, values)) - {int}
