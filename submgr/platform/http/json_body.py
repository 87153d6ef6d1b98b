# SPDX-License-Identifier: Apache-2.0
"""Reads JSON that came from elsewhere: the body of a request, or of a neighbour's answer.

It is parsed in one piece, and nothing else runs meanwhile. So its parts are counted before, in a few milliseconds:
names and brackets take the time, not bytes. What passes is parsed in about 20 ms at most.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from submgr.platform.fair import Share

MOST_NAMES = 30_000
"""Names of members in one text. A subscribe request for hundreds of messages has a few thousand."""
MOST_BRACKETS = 60_000
"""Lists and objects."""
MOST_ELEMENTS = 600_000
"""Elements and members in all, each of which is a number of two digits at least in a body of the largest size."""

_LARGE = 1 << 15
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

T = TypeVar("T")
_anything: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class NotJson(ValueError):
    """The text cannot be used. The message says why, and can follow "the body"."""


def take_turn(size: int | None) -> None:
    """To be called before a text of `size` bytes is taken and read: large ones wait where they are, behind all that is
    small, and one is read in each turn of the event loop."""
    if size is not None and size > _LARGE:
        Share(costly=True).spend()


def read_json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8, which may begin with a byte-order mark.

    Raises NotJson. Infinite and endless numbers, NaN, half surrogate pairs and too many parts are no JSON here. Of a
    name that is given twice the last value counts.
    """
    return read_json_as(_anything, body)


def read_json_as(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """As `read_json`, of a value that `decoder` knows the form of."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body.strip():
        raise NotJson("is empty")
    check_parts(body)
    try:
        return decoder.decode(body)
    except UnicodeDecodeError as error:
        raise NotJson(f"is not UTF-8 (byte {error.start} of a string)") from None
    except msgspec.DecodeError as error:
        raise NotJson(f"is not JSON: {error}") from None
    except RecursionError:
        raise NotJson("is nested too deeply") from None


def check_parts(body: bytes) -> None:
    """Raises NotJson for a text with so many parts that parsing it would hold up everybody.

    Parts are counted wherever their signs stand, in strings as well.
    """
    if len(body) <= MOST_NAMES:
        return
    names, brackets = body.count(b":"), body.count(b"[") + body.count(b"{")
    if names > MOST_NAMES or brackets > MOST_BRACKETS or body.count(b",") > MOST_ELEMENTS:
        limits = f"{MOST_NAMES} names, {MOST_BRACKETS} lists and objects, {MOST_ELEMENTS} elements"
        raise NotJson(f"has too many parts, or is nested too deeply: more than {limits}")


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
