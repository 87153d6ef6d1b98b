# SPDX-License-Identifier: Apache-2.0
"""Settings are declared once, as attributes of frozen dataclasses; everything else about them is derived.

    @dataclass(frozen=True, slots=True)
    class Rmr:
        max_size: int = setting("maxSize", whole(1024, 1 << 24, "bytes"), 65536, "the largest message", go=True)

    @dataclass(frozen=True, slots=True)
    class Settings:
        rmr: Rmr = section("rmr", Rmr, "the RMR data listener")

`schema_of(Settings)` is what a file may have in it, `fill(Settings, values)` makes an instance of what was read by
that schema, and `shown(schema, values)` turns those values back into the file's names and units. A page about the
settings goes through the schema: each Key has its description, kind, unit and default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from submgr.platform.config.values import Kind
from submgr.platform.masking import is_secret

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    D = TypeVar("D", bound=DataclassInstance)

T = TypeVar("T")

_MEMBER, _TYPE = "member of a section", "settings dataclass"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting.

    `default`: the program's value (not converted) when the file has none. `description`: one line for the operator.
    `go`: the Go submgr's file has this setting, too. `instead`: the program's value for a 0 or an empty text, which the
    Go submgr replaces as well. `effective`: False when the setting is accepted without effect.
    """

    name: str
    kind: Kind[Any]
    default: Any = None
    description: str = ""
    go: bool = False
    instead: Any = None
    effective: bool = True

    @property
    def secret(self) -> bool:
        """Whether its value is masked wherever it is printed; the name says so."""
        return is_secret(self.name)


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of keys and sections.

    `strict`: an unknown key is an error, otherwise a warning. `open`: unknown keys are nobody's business.
    `reloadable`: a changed file applies to its keys at once, otherwise after a restart.
    """

    name: str
    members: tuple[Key | Section, ...] = ()
    strict: bool = False
    open: bool = False
    description: str = ""
    reloadable: bool = False


def setting(name: str, kind: Kind[T], default: T, description: str, *, go: bool = False, instead: T | None = None) -> T:
    """Declares an attribute of a settings dataclass as the setting `name`; see Key."""
    key = Key(name, kind, default, description, go, instead)
    if type(default).__hash__ is None:  # a dataclass takes it for mutable; nobody changes settings
        return field(default_factory=lambda: default, repr=not key.secret, metadata={_MEMBER: key})
    return field(default=default, repr=not key.secret, metadata={_MEMBER: key})


def without_effect(name: str, kind: Kind[T], default: T) -> Key:
    """A setting of the Go submgr's file that is checked and accepted, and that no part of this program reads."""
    return Key(name, kind, default, "accepted, without effect", go=True, instead=default, effective=False)


def section(
    name: str,
    settings: type[D],
    description: str,
    *,
    strict: bool = False,
    reloadable: bool = False,
    ignored: tuple[Key, ...] = (),
) -> D:
    """Declares an attribute that holds the `settings` dataclass as the section `name`; see Section.

    `ignored`: settings that a file may have in this section besides, without effect.
    """
    member = Section(name, (*_members(settings), *ignored), strict, False, description, reloadable)
    return field(default_factory=settings, metadata={_MEMBER: member, _TYPE: settings})


def open_section(name: str, description: str, *, reloadable: bool = False) -> Mapping[str, Any]:
    """Declares an attribute that holds the section `name` as it stands in the file, checked by its user."""
    member = Section(name, open=True, description=description, reloadable=reloadable)
    return field(default_factory=dict, metadata={_MEMBER: member})


def part(settings: type[D]) -> D:
    """Declares an attribute that holds some keys of the same section in a dataclass of their own."""
    return field(default_factory=settings, metadata={_TYPE: settings})


def schema_of(
    settings: type[DataclassInstance],
    name: str = "",
    *,
    strict: bool = False,
    open: bool = False,
    ignored: tuple[Key | Section, ...] = (),
) -> Section:
    """The schema of the declared settings: of a whole file, or of the section `name`."""
    return Section(name, (*_members(settings), *ignored), strict, open)


def _members(settings: type[DataclassInstance]) -> Iterator[Key | Section]:
    for each in fields(settings):
        if _MEMBER in each.metadata:
            yield each.metadata[_MEMBER]
        elif _TYPE in each.metadata:
            yield from _members(each.metadata[_TYPE])


def fill(settings: type[D], values: Mapping[str, Any], **others: Any) -> D:
    """The dataclass with the values that were read by its schema, and `others` for attributes that are no settings."""
    for each in fields(settings):
        member, inner = each.metadata.get(_MEMBER), each.metadata.get(_TYPE)
        if member is None and inner is None:
            continue
        value = values if member is None else values[member.name]
        others[each.name] = value if inner is None else fill(inner, value)
    return settings(**others)


def changed(old: DataclassInstance, new: DataclassInstance) -> list[str]:
    """The names of the settings in which two instances of one dataclass differ; those of a section with its name."""
    names: list[str] = []
    for each in fields(old):
        member, inner = each.metadata.get(_MEMBER), each.metadata.get(_TYPE)
        before, after = getattr(old, each.name), getattr(new, each.name)
        if inner is not None:
            prefix = f"{member.name}." if member is not None else ""
            names += [prefix + name for name in changed(before, after)]
        elif member is not None and before != after:
            names.append(member.name)
    return names


def shown(schema: Section, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were read by `schema`, in the units of the file. Secrets are not masked yet."""
    result = dict(values)
    for member in schema.members:
        value = values[member.name]
        if isinstance(member, Section):
            result[member.name] = shown(member, value)
        elif value is not None:
            result[member.name] = member.kind.show(value)
    return result
