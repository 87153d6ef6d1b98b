# SPDX-License-Identifier: Apache-2.0
"""Reads the fields of one route table record.

A field that cannot be read raises Unreadable. A list with items that cannot be read gives the others, and says in
`problem` what was left out.
"""

from __future__ import annotations

from typing import NamedTuple

from submgr.rmr.addresses import AddressError, split_address
from submgr.rmr.message import MEID_MAX
from submgr.rmr.routing.table import Group, Route

_INT32 = 2**31
_MOST_TARGETS = 1024
"""Targets of one record; a real one has a handful."""
_TOLD = 3
"""Items that `problem` names at most."""
_WHOLE_WORDS = frozenset({"mse", "meid_map", "mme_ar", "mme_del"})
_FIRST_LETTERS = {"n": "newrt", "r": "rte", "d": "del", "u": "updatert"}


class Unreadable(ValueError):
    """A record is skipped. The text says why."""


class Destination(NamedTuple):
    """The target field of a record: its route, and what was left out of it."""

    route: Route
    names: frozenset[str]
    problem: str = ""


def kind_of(word: str) -> str:
    """The kind of a record, "" for none: for n, r, d and u the first letter decides, as it does in librmr."""
    return word if word in _WHOLE_WORDS else _FIRST_LETTERS.get(word[:1], "")


def number(what: str, text: str, lowest: int) -> int:
    """A 32-bit number of at least `lowest`."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and lowest <= int(text) < _INT32):
        raise Unreadable(f"{what} {text!r} is no number from {lowest} on")
    return int(text)


def needs(fields: list[str], least: int, most: int) -> None:
    """Raises Unreadable when the record has fewer or more fields."""
    if not least <= len(fields) <= most:
        form = f"{least}" if least == most else f"{least} to {most}"
        raise Unreadable(f"{fields[0]} has {len(fields)} fields, {form} are expected")


def address(name: str) -> str:
    """The name, if it is a "host:port"."""
    try:
        split_address(name)
    except AddressError as bad:
        raise Unreadable(str(bad)) from bad
    return name


def destination(field: str, own: frozenset[str]) -> Destination:
    """The route to a list of groups or `%meid`. Names of `own` are never destinations.

    Raises Unreadable when none of the targets can be read.
    """
    if field == "%meid":
        return Destination(Route(by_meid=True), frozenset())
    if field.count(",") + field.count(";") >= _MOST_TARGETS:
        raise Unreadable(f"more than {_MOST_TARGETS} targets")
    groups: list[Group] = []
    problems: list[str] = []
    read = 0
    for part in field.split(";"):
        names: list[str] = []
        for name in part.split(","):
            try:
                names.append(address(name.strip()))
            except Unreadable as bad:
                problems.append(str(bad))
        read += len(names)
        if others := tuple(name for name in names if name not in own):
            groups.append(others)
    if not read:
        raise Unreadable(_first(problems))
    route = Route(tuple(groups))
    return Destination(route, frozenset(name for group in groups for name in group), _left_out("target", problems))


def meids(field: str) -> tuple[list[str], str]:
    """The meids of a list, and what was left out."""
    given = field.split()
    good = [meid for meid in given if len(meid.encode()) <= MEID_MAX]
    if len(good) == len(given):
        return good, ""
    long = [f"meid {meid[:64]!r} is longer than {MEID_MAX} bytes" for meid in given if len(meid.encode()) > MEID_MAX]
    if long and not good:
        raise Unreadable(_first(long))
    return good, _left_out("meid", long)


def _left_out(what: str, problems: list[str]) -> str:
    return f"{what} left out: {_first(problems)}" if problems else ""


def _first(problems: list[str]) -> str:
    more = f" (and {len(problems) - _TOLD} more)" if len(problems) > _TOLD else ""
    return "; ".join(problems[:_TOLD]) + more
