# SPDX-License-Identifier: Apache-2.0
"""Tells by its content which kind of file a text is."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePath

from submgr.rmr.routing.records import kind_of


class Kind(StrEnum):
    """What a file is for: the value is its name on the command line."""

    CONFIG = "config"
    ROUTES = "routes"
    MEC = "mec"
    PROXY = "proxy"

    @property
    def words(self) -> str:
        """What such a file is called."""
        return _WORDS[self]


_WORDS = {
    Kind.CONFIG: "configuration",
    Kind.ROUTES: "route table",
    Kind.MEC: "data file of a MEC",
    Kind.PROXY: "list of MECs",
}
_LONGEST_LOOK = 1 << 20
_RECORD = re.compile(r"\s*([A-Za-z_]+)\s*\|")
_SETTING = re.compile(r"""^\s*["']?[A-Za-z_][\w.-]*["']?\s*:(?:\s|$)""", re.MULTILINE)
_MEMBER = re.compile(r'"(users|ues|mecs)"\s*:')
_BY_MEMBER = {"users": Kind.MEC, "ues": Kind.MEC, "mecs": Kind.PROXY}
_BY_ENDING = {
    ".yaml": Kind.CONFIG,
    ".yml": Kind.CONFIG,
    ".rt": Kind.ROUTES,
}


def recognised(text: str, name: str) -> Kind | None:
    """The kind of the file `name` with this content; None when neither tells."""
    lines = (line for line in text[:_LONGEST_LOOK].splitlines() if line.strip() and not line.lstrip().startswith("#"))
    first = next(lines, "")
    record = _RECORD.match(first)
    if record is not None and kind_of(record[1]):
        return Kind.ROUTES
    if first.lstrip().startswith("{"):
        # a configuration may be JSON, too; it has no such members
        member = _MEMBER.search(text, 0, _LONGEST_LOOK)
        return _BY_MEMBER[member[1]] if member is not None else Kind.CONFIG
    if _SETTING.search(text, 0, _LONGEST_LOOK):
        return Kind.CONFIG
    return _BY_ENDING.get(PurePath(name).suffix.lower())
