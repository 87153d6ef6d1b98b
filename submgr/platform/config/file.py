# SPDX-License-Identifier: Apache-2.0
"""Reads configuration files, YAML or JSON, by a schema, and reports all mistakes together.

Keys are matched without regard to letter case; a value may be a string where a number or a truth value is meant (Helm
charts quote them); null means absent.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from submgr.platform.config.schema import Key, Section

_MAX_TEXT = 4 * 1024 * 1024
"""Larger than any ConfigMap (1 MiB)."""
_MAX_NODES = 50_000


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake or an oddity in a file: its line (from 1, or None), the path of the setting, and an explanation."""

    line: int | None
    path: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        what = f"{self.path}: " if self.path else ""
        return f"{where}{what}{self.message}"


class ConfigError(Exception):
    """A file that cannot be used; `problems` has every mistake in it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems

    @classmethod
    def of(cls, errors: list[Problem], warnings: list[Problem]) -> "ConfigError":
        """Errors and warnings together, in the order of the file: a warning may be the mistake behind an error."""
        return cls(sorted([*errors, *warnings], key=lambda problem: problem.line or 0))


@dataclass(frozen=True, slots=True)
class Parsed:
    """The values of a file as nested dicts by the schema's names, with all defaults filled in.

    `lines`: where each setting stood in the file (path in the schema's letters to line). `warnings`: its oddities.
    """

    values: dict[str, Any]
    lines: dict[str, int]
    warnings: list[Problem]


def inspect(text: str, schema: Section, overrides: Mapping[str, Any] | None = None) -> tuple[Parsed, list[Problem]]:
    """Reads `text` against `schema`: what could be read, and all mistakes.

    The caller may look for more mistakes and then raises `ConfigError.of` them. `overrides` (path to value, as the
    command line gives them) win over the file. Raises ConfigError when the text is not YAML at all.
    """
    if len(text) > _MAX_TEXT:
        raise ConfigError([Problem(None, "", f"larger than {_MAX_TEXT} characters")])
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        message = f"not YAML: {exc.problem or exc.context or exc}"
        raise ConfigError([Problem(mark.line + 1 if mark else None, "", message)]) from exc
    except (yaml.YAMLError, RecursionError) as exc:
        raise ConfigError([Problem(None, "", f"not YAML: {' '.join(str(exc).split())}")]) from exc
    reader = _Reader(schema)
    values = reader.section(root, schema, "")
    for path, value in (overrides or {}).items():
        reader.override(values, schema, path, value)
    return Parsed(values, reader.lines, reader.warnings), reader.errors


class _Reader:
    def __init__(self, schema: Section) -> None:
        self._everywhere = dict(_paths(schema, ""))
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.lines: dict[str, int] = {}

    def section(self, node: Any, schema: Section, path: str) -> dict[str, Any]:
        given = self._members(node, path)
        values: dict[str, Any] = {}
        for member in schema.members:
            where = f"{path}{member.name}"
            child = given.pop(member.name.lower(), None)
            if child is not None:
                self.lines[where] = _line(child[1])
            if isinstance(member, Section):
                values[member.name] = self.section(child[1] if child else None, member, f"{where}.")
            else:
                values[member.name] = self._key(child[1] if child else None, member, where)
        if schema.open:
            values.update({name: _plain(child) for name, child in given.values()})
            return values
        for name, child in given.values():
            message = f"there is no such setting{self._hint(name, schema)}"
            problem = Problem(_line(child), f"{path}{name}", message)
            (self.errors if schema.strict else self.warnings).append(problem)
        return values

    def _members(self, node: Any, path: str) -> dict[str, tuple[str, Any]]:
        """The nodes of a mapping by their names in lower case."""
        if node is None or _is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            name = path.removesuffix(".")
            self.errors.append(Problem(_line(node), name, f"{name or 'the file'} must be a mapping of settings"))
            return {}
        members: dict[str, tuple[str, Any]] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name.lower() in members:
                self.errors.append(Problem(_line(key), f"{path}{name}", "given twice"))
            elif not _is_null(value):
                members[name.lower()] = (name, value)
        return members

    def override(self, values: dict[str, Any], schema: Section, path: str, value: Any) -> None:
        """Sets one value by its path. Raises KeyError for a path that the schema does not have."""
        *sections, name = path.split(".")
        for section in sections:
            members = {member.name: member for member in schema.members if isinstance(member, Section)}
            schema, values = members[section], values[section]
        key = {member.name: member for member in schema.members if isinstance(member, Key)}[name]
        try:
            values[name] = key.kind(value)
        except ValueError as exc:
            self.errors.append(Problem(None, path, str(exc)))

    def _hint(self, name: str, schema: Section) -> str:
        """The name that may have been meant: a similar name here, the same name elsewhere, a similar name elsewhere."""
        here = {member.name.lower(): member.name for member in schema.members}
        for known, cutoff in ((here, 0.6), (self._everywhere, 1.0), (self._everywhere, 0.8)):
            close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=cutoff)
            if close:
                return f"; did you mean {known[close[0]]}?"
        return ""

    def _key(self, node: Any, key: Key, where: str) -> Any:
        if node is None:
            return key.default
        if _is_no_value(node, key):
            message = f"{node.value.strip() or 'an empty text'} is no value, {key.kind.show(key.instead)} is used"
            self.warnings.append(Problem(_line(node), where, message))
            return key.instead
        try:
            return key.kind(_plain(node))
        except ValueError as exc:
            self.errors.append(Problem(_line(node), where, str(exc)))
            return key.default


def _is_no_value(node: Any, key: Key) -> bool:
    """An empty text, or a 0 where a number is meant, of a key that has another value for this."""
    if key.instead is None or not isinstance(node, yaml.ScalarNode):
        return False
    given = node.value.strip()
    return not given or (not isinstance(key.instead, bool) and given.strip("0") in ("", "."))


def _plain(node: Any) -> Any:
    _check_size(node)
    constructor = yaml.constructor.SafeConstructor()
    try:
        return constructor.construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise ValueError(f"not a usable value: {' '.join(str(exc).split())}") from exc


def _check_size(node: Any) -> None:
    """Refuses a value that grows without bound when written out: aliases of aliases, or of what they stand in."""
    stack, left = [node], _MAX_NODES
    while stack:
        left -= 1
        if not left:
            raise ValueError("too large, or it contains itself")
        one = stack.pop()
        if isinstance(one, yaml.SequenceNode):
            stack.extend(one.value)
        elif isinstance(one, yaml.MappingNode):
            stack.extend(child for pair in one.value for child in pair)


def _is_null(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _paths(schema: Section, path: str) -> Iterator[tuple[str, str]]:
    """Every setting's name in lower case with its path."""
    for member in schema.members:
        yield member.name.lower(), f"{path}{member.name}"
        if isinstance(member, Section):
            yield from _paths(member, f"{path}{member.name}.")
