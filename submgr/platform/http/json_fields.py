# SPDX-License-Identifier: Apache-2.0
"""Reads decoded JSON objects field by field, and collects all mistakes so that the client hears of them at once.

A schema (`submgr/rest/schemas.py`, `mec/*/schemas.py`) wraps an object in `Fields` and asks for each field by name with
a converter. A converter turns the raw value into what the program uses, or raises ValueError with a text such as "must
be true or false". `Fields` then notes the mistake under the path of the field, e.g. `SubscriptionDetails[0].Meid`, and
hands out a substitute, so that the schema can go on. At the end the schema looks at `Mistakes` and raises the error of
its interface. Unknown fields are ignored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from submgr.platform.fair import Share
from submgr.platform.http.json_body import describe
from submgr.platform.printable import has_controls
from submgr.platform.turns import Budget

MAX_MISTAKES = 100
"""More mistakes than this are one misunderstanding repeated: the reader stops, and the answer stays small."""

Converted = TypeVar("Converted")
Substitute = TypeVar("Substitute")
Values = Mapping[str, Any]
Convert = Callable[[Any], Converted]


class Dialect(Struct, frozen=True):
    """What differs between the interfaces.

    `absent` is said of a required field that is absent. `null_is_absent`: null counts as absent. `shows_values`: a
    mistake ends with the value that was given. `limit` is the greatest number of mistakes that are collected.
    """

    absent: str = "is required"
    null_is_absent: bool = True
    shows_values: bool = False
    limit: float = MAX_MISTAKES


class Mistake(NamedTuple):
    """`field` is the path of a field, e.g. `SubscriptionDetails[0].Meid`, `message` what is wrong with it."""

    field: str
    message: str


class Mistakes:
    """The mistakes of one request or file, in the order in which they were found."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.found: list[Mistake] = []
        self.budget = Budget(give=Share(costly=True).spend)
        """Whoever reads a long list gives others their turn by it."""
        self._fields: set[str] = set()

    def add(self, field: str, message: str) -> None:
        """Notes a mistake, unless the field has one already: a second one would follow from the first."""
        if field not in self._fields:
            self._fields.add(field)
            self.add_another(field, message)

    def add_another(self, field: str, message: str) -> None:
        """Notes a mistake that does not follow from others of the same field."""
        if not self.enough:
            self.found.append(Mistake(field, message))

    @property
    def enough(self) -> bool:
        """Whether the limit is reached; further mistakes are dropped."""
        return len(self.found) >= self.dialect.limit

    def __bool__(self) -> bool:
        return bool(self.found)


class Spelling:
    """The field names of one kind of object, for clients that spell them in many ways.

    Letter case and underscores make no difference: `ClientEndPoint`, `clientEndpoint` and `client_endpoint` are one
    name. Of a name that is given twice in the same spelling the last value counts, as in every JSON library. In two
    spellings the values must be equal, since nobody could tell which of them is meant.
    """

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)
        self._folded = {_fold(name): name for name in names}

    def canonical(self, values: Values, path: str, mistakes: Mistakes) -> Values:
        """The object with its known fields under their canonical names, without nulls.

        An object that has canonical names only, as good clients send it, is returned as it is.
        """
        if values.keys() <= self.names:
            return values
        result: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for key, value in values.items():
            name = self._folded.get(_fold(key))
            if name is None or value is None:
                continue
            if name not in result:
                result[name], spelled[name] = value, key
            elif result[name] != value:
                message = f"is given as {spelled[name]} and as {key} with different values"
                mistakes.add_another(path + name, message)
        return result


def _fold(key: str) -> str:
    return key.replace("_", "").lower()


def truth(value: Any) -> bool:
    """Converts true or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def list_of(kind: str) -> Convert[list[Any]]:
    """A converter of lists; `kind` is what must be given, in words. The elements are not looked at."""

    def convert(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError(f"must be {kind}")
        return value

    return convert


a_list = list_of("a list")


def an_object(value: Any) -> dict[str, Any]:
    """Converts an object that is taken as it is."""
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


def writable(value: Any) -> bytes:
    """Converts any value into its JSON. Raises ValueError for one that JSON cannot hold: an infinite number, or half of
    a surrogate pair."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            stack.extend(part.values())
        elif isinstance(part, list):
            stack.extend(part)
        elif isinstance(part, float) and not math.isfinite(part):
            raise ValueError("must not have a number that is too large")
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, RecursionError):
        raise ValueError("must not have half of a surrogate pair in its texts, nor be nested too deep") from None


def whole(low: int, high: int) -> Convert[int]:
    """A converter of whole numbers from `low` to `high`; true, 1.0 and "1" are none."""

    def convert(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return convert


def text(longest: int, *, empty: bool = False) -> Convert[str]:
    """A converter of strings of at most `longest` characters, none of them a control character.

    `empty`: the string may have no character at all.
    """

    def convert(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("must be a string")
        if len(value) > longest:
            raise ValueError(f"must not be longer than {longest} characters")
        if not value and not empty:
            raise ValueError("must not be empty")
        if has_controls(value):
            raise ValueError("must not contain control characters")
        return value

    return convert


class Fields(Struct, eq=False):
    """One JSON object. `path` comes before the names of its fields in mistakes, e.g. `SubscriptionDetails[0].`."""

    values: Values
    path: str
    mistakes: Mistakes

    def wrong(self, key: str, message: str) -> None:
        """Notes a mistake of the field `key`."""
        self.mistakes.add(self.path + key, message)

    def present(self, key: str, *, required: bool = False) -> Any:
        """The raw value; None when it is absent or null, which is a mistake of a required field."""
        value = self.values.get(key)
        if value is None and required:
            self.wrong(key, self.mistakes.dialect.absent)
        return value

    def need(self, key: str, convert: Convert[Converted], substitute: Substitute) -> Converted | Substitute:
        """The converted value of a required field; `substitute` after a mistake."""
        value = self.values.get(key)
        if value is None and self._absent(key):
            self.wrong(key, self.mistakes.dialect.absent)
            return substitute
        try:
            return convert(value)
        except ValueError as error:
            self._not_converted(key, value, str(error))
            return substitute

    def take(self, key: str, convert: Convert[Converted], default: Substitute) -> Converted | Substitute:
        """The converted value of an optional field; `default` when it is absent, and after a mistake."""
        value = self.values.get(key)
        if value is None and self._absent(key):
            return default
        try:
            return convert(value)
        except ValueError as error:
            self._not_converted(key, value, str(error))
            return default

    def items(self, key: str, convert: Convert[list[Any]] = a_list, *, required: bool = False) -> Sequence[Any]:
        """The raw elements of a list; a required one must not be empty."""
        if not required:
            return self.take(key, convert, ())
        elements = self.need(key, convert, ())
        if not elements:
            self.wrong(key, "must not be empty")
        return elements

    def child(self, key: str, spelling: Spelling | None = None, *, required: bool = False) -> Fields | None:
        """The object of a field."""
        value = self.present(key, required=required)
        return None if value is None else self._object(key, value, spelling)

    def children(
        self,
        key: str,
        convert: Convert[list[Any]] = a_list,
        spelling: Spelling | None = None,
        *,
        required: bool = False,
    ) -> Iterator[tuple[int, Fields]]:
        """The objects of a list, each with its index; a required list must not be empty.

        Others have their turn after each few milliseconds of work on a long list.
        """
        for index, element in enumerate(self.items(key, convert, required=required)):
            self.mistakes.budget.spend()
            if self.mistakes.enough:
                return
            if (fields := self._object(f"{key}[{index}]", element, spelling)) is not None:
                yield index, fields

    def _absent(self, key: str) -> bool:
        """Whether the value None of `key` means that there is none."""
        return self.mistakes.dialect.null_is_absent or key not in self.values

    def _object(self, key: str, value: Any, spelling: Spelling | None) -> Fields | None:
        if not isinstance(value, dict):
            self._not_converted(key, value, "must be an object")
            return None
        path = f"{self.path}{key}."
        canonical = value if spelling is None else spelling.canonical(value, path, self.mistakes)
        return Fields(canonical, path, self.mistakes)

    def _not_converted(self, key: str, value: Any, message: str) -> None:
        shown = f", not {describe(value)}" if self.mistakes.dialect.shows_values else ""
        self.wrong(key, message + shown)
