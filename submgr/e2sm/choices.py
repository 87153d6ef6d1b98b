# SPDX-License-Identifier: Apache-2.0
"""CHOICE of aligned PER, with its extension marker (X.691 23)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from submgr.e2sm.bits import BitReader, BitWriter
from submgr.e2sm.errors import Unreadable, Unwritable
from submgr.e2sm.layouts import Layout, Level
from submgr.e2sm.per import PerType, as_type, read_open, write_open


class Chosen(Struct, frozen=True):
    """A value of a CHOICE: which alternative, and its value."""

    name: str | int
    value: Any


class Alternative(Struct, frozen=True):
    """An alternative of a CHOICE.

    `addition`: behind the extension marker, since the level `since`; with `flexric_root` not so in FlexRIC's dialect.
    `flat`: the tree is that of the content, without the alternative's name.
    """

    name: str | int
    type: Any
    flat: bool = False
    addition: bool = False
    since: Level = Level.V2_00
    flexric_root: bool = False


_Alternatives = list[tuple[Alternative, PerType]]


def _with_types(alternatives: list[Alternative]) -> _Alternatives:
    return [(each, as_type(each.type)) for each in alternatives]


class Choice(PerType):
    """CHOICE; extensible as all of these models are. Its values are `Chosen`.

    `tag`: the tree names the alternative under this key, beside its content, or with the content under the key `key`.
    Else the tree is an object with the alternative's name as its one key.
    """

    def __init__(self, *alternatives: Alternative, tag: str = "", key: str = "") -> None:
        self._alternatives = alternatives
        self._tag, self._key = tag, key
        self._plans: dict[Layout, tuple[_Alternatives, _Alternatives]] = {}
        self._by_name = {each.name: each for each in alternatives}

    def _plan(self, layout: Layout) -> tuple[_Alternatives, _Alternatives]:
        """The alternatives before and behind the marker."""
        plan = self._plans.get(layout)
        if plan is None:
            known = [each for each in self._alternatives if each.since <= layout.level]
            root = [each for each in known if not each.addition or (layout.flexric and each.flexric_root)]
            additions = [each for each in known if each not in root]
            plan = self._plans[layout] = _with_types(root), _with_types(additions)
        return plan

    def read(self, reader: BitReader) -> Chosen:
        reader.enter()
        root, additions = self._plan(reader.layout)
        if not reader.bits(1):
            one, of = root[reader.number(0, len(root) - 1)]
            value = of.read(reader)
        else:
            index = reader.small()
            if index >= len(additions):
                raise Unreadable("an alternative of a later version")
            one, of = additions[index]
            reader.varies(one.since)
            value = read_open(reader, reader.octets(reader.length()), of)
        reader.depth -= 1
        return Chosen(one.name, value)

    def write(self, writer: BitWriter, value: Chosen) -> None:
        for behind, alternatives in enumerate(self._plan(writer.layout)):
            for index, (one, of) in enumerate(alternatives):
                if one.name != value.name:
                    continue
                writer.bits(behind, 1)
                if behind:
                    writer.small(index)
                    write_open(writer, of, value.value)
                else:
                    writer.number(index, 0, len(alternatives) - 1)
                    of.write(writer, value.value)
                return
        raise Unwritable(f"there is no {value.name} in this version")

    def tree(self, value: Chosen) -> Any:
        one = self._by_name[value.name]
        shown = as_type(one.type).tree(value.value)
        if one.flat:
            return shown
        if self._key:
            return {self._tag: value.name, self._key: shown}
        return {self._tag: value.name, **shown} if self._tag else {value.name: shown}


class Kind(Choice):
    """CHOICE of flags: its values are the names of the alternatives."""

    def read(self, reader: BitReader) -> Any:
        return super().read(reader).name

    def write(self, writer: BitWriter, value: Any) -> None:
        super().write(writer, Chosen(value, True))

    def tree(self, value: Any) -> Any:
        return value
