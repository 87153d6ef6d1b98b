# SPDX-License-Identifier: Apache-2.0
"""Kinds of settings: each turns a YAML value into what the program uses, or raises ValueError in words."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

Convert = Callable[[Any], Any]


def text(value: Any) -> str:
    """A string; a number is taken as its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{_shown(value)} is not a text")
    return str(value)


def whole(low: int, high: int) -> Convert:
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

    return convert


def number(low: float, high: float) -> Convert:
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

    return convert


def milliseconds(low: int, high: int) -> Convert:
    """A whole number of milliseconds from `low` to `high`, as seconds."""
    check = whole(low, high)
    return lambda value: check(value) / 1000


def truth(value: Any) -> bool:
    """true or false, also as a string, as yes/no, on/off, or as 1 and 0."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError(f"{_shown(value)} is neither true nor false")


def one_of(*choices: str) -> Convert:
    """One of the words, in any letter case."""

    def convert(value: Any) -> str:
        # YAML 1.1 reads a bare off and on as truth values
        word = {False: "off", True: "on"}[value] if isinstance(value, bool) else str(value).strip().lower()
        if word not in choices:
            close = difflib.get_close_matches(word, choices, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"{_shown(value)} is none of {', '.join(choices)}{hint}")
        return word

    return convert


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping of anything, checked by whoever uses it."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{_shown(value)} is not a mapping")
    return value


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
