# SPDX-License-Identifier: Apache-2.0
"""Kinds of settings: each turns a YAML value into the value that the program uses, or raises ValueError in words."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from submgr.platform.http.listen import parse_listen

T_co = TypeVar("T_co", covariant=True)


def _as_it_is(value: Any) -> Any:
    return value


class Kind(Struct, Generic[T_co], frozen=True):
    """A kind of setting: call it with a YAML value to get the program's value.

    `allowed`: the values it takes, in words for people. `unit`: the unit in the file. `show`: turns the program's
    value back into the file's. Raises ValueError, in words for the operator, for a value that is not allowed.
    """

    convert: Callable[[Any], T_co]
    allowed: str
    unit: str = ""
    show: Callable[[Any], Any] = _as_it_is

    def __call__(self, value: Any) -> T_co:
        return self.convert(value)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{_shown(value)} is not a text")
    return str(value)


text = Kind(_text, "text")
"""A string; a number is taken as its digits."""


def _optional_text(value: Any) -> str | None:
    return _text(value) or None


optional_text = Kind(_optional_text, "text")
"""A text, of which an empty one counts as none."""


def _texts(value: Any) -> tuple[str, ...]:
    given = value if isinstance(value, list | tuple) else [value]
    return tuple(each for each in map(_text, given) if each)


texts = Kind(_texts, "list of texts", show=list)
"""A list of strings, of which empty ones do not count; a single string is a list of one."""


def whole(low: int, high: int, unit: str = "") -> Kind[int]:
    """A whole number from `low` to `high`."""

    def convert(value: Any) -> int:
        number = value
        if isinstance(value, str):
            try:
                number = int(value.strip())
            except ValueError:
                raise ValueError(f"{_shown(value)} is not a whole number") from None
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int):
            raise ValueError(f"{_shown(value)} is not a whole number")
        if not low <= number <= high:
            raise ValueError(f"{number} is not between {low} and {high}")
        return number

    return Kind(convert, f"{low} to {high}", unit)


def number(low: float, high: float, unit: str = "") -> Kind[float]:
    """A number from `low` to `high`, as a float."""

    def convert(value: Any) -> float:
        try:
            got = float(value) if not isinstance(value, bool) and isinstance(value, str | int | float) else None
        except (ValueError, OverflowError):
            got = None
        if got is None:
            raise ValueError(f"{_shown(value)} is not a number")
        if not low <= got <= high:
            raise ValueError(f"{_shown(value)} is not between {low:g} and {high:g}")
        return got

    return Kind(convert, f"{low:g} to {high:g}", unit)


def milliseconds(low: int, high: int) -> Kind[float]:
    """A whole number of milliseconds from `low` to `high`, as seconds."""
    check = whole(low, high)
    return Kind(lambda value: check(value) / 1000, check.allowed, "ms", lambda seconds: round(seconds * 1000))


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError(f"{_shown(value)} is neither true nor false")


truth = Kind(_truth, "true, false")
"""true or false, also as a string, as yes/no, on/off, or as 1 and 0."""


def one_of(*choices: str) -> Kind[str]:
    """One of the words, in any letter case."""

    def convert(value: Any) -> str:
        # YAML 1.1 reads a bare off and on as truth values
        word = {False: "off", True: "on"}[value] if isinstance(value, bool) else str(value).strip().lower()
        if word not in choices:
            close = difflib.get_close_matches(word, choices, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"{_shown(value)} is none of {', '.join(choices)}{hint}")
        return word

    return Kind(convert, ", ".join(choices))


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{_shown(value)} is not a mapping")
    return value


mapping = Kind(_mapping, "mapping")
"""A mapping of anything, checked by its user."""


def _listen_address(value: Any) -> str:
    listen = _text(value)
    parse_listen(listen)
    return listen


listen_address = Kind(_listen_address, "HOST:PORT, or :PORT for every address")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


def checked_url(url: str, example: str) -> str:
    """`url` when it is one of http or https. Raises ValueError in words, with an example of what is meant."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ValueError(f"{url!r} is not a URL: {exc}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f'{url!r} is not a URL like "{example}"')
    return url
