# SPDX-License-Identifier: Apache-2.0
"""SEQUENCE of aligned PER, with its extension marker (X.691 19).

A sequence is declared once, as a frozen dataclass whose fields name their ASN.1 type:

    @sequence
    class Slice:
        sst: bytes = part(Octets(1), "sst")
        sd: bytes | None = part(Octets(3), "sd_hex", default=None)

The declaration says what is on the wire in every version and in FlexRIC's dialect. A reader's layout picks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform, overload

from submgr.e2sm.bits import BitReader, BitWriter
from submgr.e2sm.errors import Unreadable, Unwritable
from submgr.e2sm.layouts import Layout, Level
from submgr.e2sm.per import TYPES, PerType, as_type, read_open, write_open

Class = TypeVar("Class", bound=type)


@dataclass(frozen=True, slots=True)
class _Part:
    """A component of a sequence. `key`: its name in the tree, "" when what it holds stands beside its neighbours."""

    type: Any
    key: str
    optional: bool
    addition: bool
    since: Level
    optional_since: Level
    flexric_root: bool


def part(
    of: Any,
    key: str = "",
    *,
    default: Any = dataclasses.MISSING,
    addition: bool = False,
    since: Level = Level.V2_00,
    optional_since: Level = Level.V2_00,
    flexric_root: bool = False,
) -> Any:
    """A field of a `sequence`.

    `of`: its type, or the dataclass of a sequence. `default`: None for what is OPTIONAL, from the level
    `optional_since` on. `addition`: behind the extension marker; with `flexric_root` not so in FlexRIC's dialect.
    """
    about = _Part(of, key, default is None, addition, since, optional_since, flexric_root)
    return dataclasses.field(default=default, metadata={"part": about})


@overload
def sequence(declared: Class, /) -> Class: ...
@overload
def sequence(
    *,
    marker: bool = True,
    marker_since: Level = Level.V2_00,
    constants: dict[str, Any] | None = None,
    doubtful: Callable[[Any], bool] | None = None,
) -> Callable[[Class], Class]: ...
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(part,))
def sequence(
    declared: Any = None,
    /,
    *,
    marker: bool = True,
    marker_since: Level = Level.V2_00,
    constants: dict[str, Any] | None = None,
    doubtful: Callable[[Any], bool] | None = None,
) -> Any:
    """Declares an ASN.1 SEQUENCE as a frozen dataclass.

    `marker`: whether it is extensible, from the level `marker_since` on. `constants`: what its tree says in any case.
    `doubtful`: whether a value is legal but makes no sense, so that a layout that reads something else is more likely.
    """

    def declare(cls: type) -> type:
        made: type = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        TYPES[made] = Sequence(made, marker, marker_since, constants or {}, doubtful)
        return made

    return declare if declared is None else declare(declared)


_PREAMBLES = 256


@dataclass(frozen=True, slots=True)
class _Plan:
    """A sequence in one layout: `root` has the mask of each part in the preamble, 0 for a part that is not optional."""

    marker: bool
    optional: int
    root: tuple[tuple[str, PerType, int], ...]
    additions: tuple[tuple[str, PerType, Level], ...]
    _selected: dict[int, tuple[tuple[str, PerType], ...]] = dataclasses.field(default_factory=dict)

    def present(self, preamble: int) -> tuple[tuple[str, PerType], ...]:
        """The parts of the root that are there. Most preambles come again and again."""
        selected = self._selected.get(preamble)
        if selected is None:
            selected = tuple((name, of) for name, of, mask in self.root if not mask or preamble & mask)
            if len(self._selected) < _PREAMBLES:
                self._selected[preamble] = selected
        return selected


class Sequence(PerType):
    """SEQUENCE. Its values are instances of a dataclass."""

    def __init__(
        self,
        cls: type,
        marker: bool,
        marker_since: Level,
        constants: dict[str, Any],
        doubtful: Callable[[Any], bool] | None,
    ) -> None:
        self._class = cls
        self._marker, self._marker_since = marker, marker_since
        self._constants = constants
        self._doubtful = doubtful
        self._parts = [(field.name, field.metadata["part"]) for field in dataclasses.fields(cls)]
        self._size = len(self._parts) // 8
        self._plans: dict[Layout, _Plan] = {}
        levels = {marker_since}
        for _, about in self._parts:
            if not about.addition:
                levels |= {about.since, about.optional_since}
        self._levels = levels - {Level.V2_00}

    def _plan(self, layout: Layout) -> _Plan:
        plan = self._plans.get(layout)
        if plan is None:
            plan = self._plans[layout] = self._planned(layout)
        return plan

    def _planned(self, layout: Layout) -> _Plan:
        root, additions = [], []
        for name, about in self._parts:
            if about.since > layout.level:
                continue
            if about.addition and not (layout.flexric and about.flexric_root):
                additions.append((name, as_type(about.type), about.since))
            else:
                root.append((name, as_type(about.type), about.optional and about.optional_since <= layout.level))
        count = sum(optional for _, _, optional in root)
        masks = iter([1 << bit for bit in reversed(range(count))])
        return _Plan(
            self._marker and self._marker_since <= layout.level,
            count,
            tuple((name, of, next(masks) if optional else 0) for name, of, optional in root),
            tuple(additions),
        )

    def read(self, reader: BitReader) -> Any:
        reader.enter()
        plan = self._plan(reader.layout)
        extended = plan.marker and reader.bits(1)
        parts = plan.present(reader.bits(plan.optional))
        reader.step(len(parts) + self._size)
        for level in self._levels:
            reader.varies(level)
        values = {name: of.read(reader) for name, of in parts}
        if extended:
            self._read_additions(reader, plan, values)
        reader.depth -= 1
        value = self._class(**values)
        if self._doubtful is not None and self._doubtful(value):
            reader.doubtful = True
        return value

    def _read_additions(self, reader: BitReader, plan: _Plan, values: dict[str, Any]) -> None:
        """Older encoders set the marker and say that nothing is there."""
        count = reader.small() + 1
        if count > 64:
            raise Unreadable(f"{count} additions")
        present = reader.bits(count)
        for index in range(count):
            if not present >> (count - 1 - index) & 1:
                continue
            content = reader.octets(reader.length())
            reader.step()
            if index < len(plan.additions):
                name, of, since = plan.additions[index]
                reader.varies(since)
                values[name] = read_open(reader, content, of)
            elif reader.layout.open_ended:
                reader.varies(reader.layout.level)
                reader.notes.append(f"an addition of a later version is left out: {content[:100].hex()}")
            else:
                raise Unreadable("an addition of a later version")

    def write(self, writer: BitWriter, value: Any) -> None:
        plan = self._plan(writer.layout)
        self._check(plan, value)
        extended = any(getattr(value, name) is not None for name, _, _ in plan.additions)
        if plan.marker:
            writer.bits(extended, 1)
        for name, _, mask in plan.root:
            if mask:
                writer.bits(getattr(value, name) is not None, 1)
        for name, of, _ in plan.root:
            if getattr(value, name) is not None:
                of.write(writer, getattr(value, name))
        if extended:
            self._write_additions(writer, plan.additions, value)

    def _write_additions(
        self, writer: BitWriter, additions: tuple[tuple[str, PerType, Level], ...], value: Any
    ) -> None:
        writer.small(len(additions) - 1)
        for name, *_ in additions:
            writer.bits(getattr(value, name) is not None, 1)
        for name, of, _ in additions:
            if getattr(value, name) is not None:
                write_open(writer, of, getattr(value, name))

    def _check(self, plan: _Plan, value: Any) -> None:
        if type(value) is not self._class:
            raise Unwritable(f"{type(value).__name__} in place of {self._class.__name__}")
        known = {name for name, *_ in plan.root} | {name for name, *_ in plan.additions}
        mandatory = {name for name, _, mask in plan.root if not mask}
        for name, _ in self._parts:
            present = getattr(value, name) is not None
            if present and name not in known:
                raise Unwritable(f"{self._class.__name__} has no {name} in this version")
            if not present and name in mandatory:
                raise Unwritable(f"{self._class.__name__} needs {name} in this version")

    def tree(self, value: Any) -> dict[str, Any]:
        tree = dict(self._constants)
        for name, about in self._parts:
            content = getattr(value, name)
            if content is None:
                continue
            shown = as_type(about.type).tree(content)
            if about.key:
                tree[about.key] = shown
            else:
                tree.update(shown)
        return tree


class Boxed(PerType):
    """A SEQUENCE of one component, for which the component itself stands. `optional`: a list that is absent if empty.

    Additions of a later version are passed over as those of `Sequence` are.
    """

    def __init__(self, of: Any, optional: bool = False) -> None:
        @sequence
        class Box:
            content: Any = part(of, default=None if optional else dataclasses.MISSING)

        self._box, self._type, self._optional = TYPES[Box], as_type(of), optional
        self._make = Box

    def read(self, reader: BitReader) -> Any:
        if not self._optional and not reader.peek():  # most have nothing but their component
            reader.enter()
            reader.position += 1
            content = self._type.read(reader)
            reader.depth -= 1
            return content
        content = self._box.read(reader).content
        return () if content is None else content

    def write(self, writer: BitWriter, value: Any) -> None:
        self._box.write(writer, self._make(content=None if value == () else value))

    def tree(self, value: Any) -> Any:
        return self._type.tree(value)
