# SPDX-License-Identifier: Apache-2.0
"""Reads configuration files, YAML or JSON, by a schema, and reports all mistakes together.

Keys are matched without regard to letter case; a value may be a string where a number or a truth value is meant (Helm
charts quote them); null means absent.
"""

import codecs
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from submgr.platform.config import yaml_document
from submgr.platform.config.schema import Key, Section
from submgr.platform.config.yaml_document import DocumentError, Failure, Node, Scalar, Sequence, read_yaml
from submgr.platform.config.yaml_document import Mapping as MappingNode
from submgr.platform.masking import masked_text

LARGEST = 1 << 20
"""Bytes of a file; no ConfigMap is larger."""
MOST_PROBLEMS = 100
"""More mistakes than this are one misunderstanding repeated."""
MOST_HINTS = 20
"""A hint takes as long as reading hundreds of values."""
_SMALL = 1 << 13
"""Characters that are read in a few milliseconds."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_answers: msgspec.json.Decoder[Node | Failure | None] = msgspec.json.Decoder(Node | Failure | None)


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake or an oddity in a file: its line (from 1, or None), the path of the setting, and an explanation."""

    line: int | None
    path: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        what = f"{self.path}: " if self.path else ""
        return masked_text(f"{where}{what}{self.message}")


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
    return _read(_document(text), schema, overrides)


def inspect_values(values: Mapping[str, Any], schema: Section) -> tuple[Parsed, list[Problem]]:
    """As `inspect`, of values that stand in no text: a section that was read already. Problems have no line."""
    return _read(_tree(values), schema, None)


def read_text(path: str | Path, largest: int = LARGEST, what: str = "configuration file") -> str:
    """The text of a file: UTF-8, or UTF-16 with a byte-order mark; a mark is not part of it. Raises ConfigError."""
    name = f"{what} {path}"
    try:
        with Path(path).open("rb") as file:
            content = file.read(largest + 1)
        if len(content) > largest:
            raise ConfigError([Problem(None, name, f"larger than {largest} bytes")])
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        why = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
        raise ConfigError([Problem(None, name, why)]) from exc


def _document(text: str) -> Node | None:
    """The tree of a text: of a large one from a process of its own, since reading it takes seconds."""
    if len(text) > LARGEST:
        raise ConfigError([Problem(None, "", f"larger than {LARGEST} characters")])
    try:
        answer = read_yaml(text) if len(text) <= _SMALL else _beside(text)
    except DocumentError as exc:
        raise ConfigError([Problem(exc.line, "", exc.message)]) from exc
    if isinstance(answer, Failure):
        raise ConfigError([Problem(answer.line, "", answer.message)])
    return answer


def _beside(text: str) -> Node | Failure | None:
    # loaded here, since programs that only read a small file need no event loop
    from submgr.platform.beside import BesideError, run_beside

    try:
        return _answers.decode(run_beside(yaml_document.__file__, text.encode("utf-8", "surrogatepass")))
    except (BesideError, msgspec.DecodeError) as exc:
        raise ConfigError([Problem(None, "", f"not read: {exc}")]) from exc


def _read(root: Node | None, schema: Section, overrides: Mapping[str, Any] | None) -> tuple[Parsed, list[Problem]]:
    reader = _Reader(schema)
    values = reader.section(root, schema, "")
    for path, value in (overrides or {}).items():
        reader.override(values, schema, path, value)
    return Parsed(values, reader.lines, _bounded(reader.warnings)), _bounded(reader.errors)


def _bounded(problems: list[Problem]) -> list[Problem]:
    left = len(problems) - MOST_PROBLEMS
    return (
        problems
        if left <= 0
        else [*problems[:MOST_PROBLEMS], Problem(problems[MOST_PROBLEMS].line, "", f"and {left} more")]
    )


class _Reader:
    def __init__(self, schema: Section) -> None:
        self._everywhere = dict(_paths(schema, ""))
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.lines: dict[str, int] = {}
        self._hints = 0

    def section(self, node: Node | None, schema: Section, path: str) -> dict[str, Any]:
        given = self._members(node, path)
        values: dict[str, Any] = {}
        for member in schema.members:
            where = f"{path}{member.name}"
            child = given.pop(member.name.lower(), None)
            if child is not None:
                self.lines[where] = child[1].line
            if isinstance(member, Section):
                values[member.name] = self.section(child[1] if child else None, member, f"{where}.")
            else:
                values[member.name] = self._key(child[1] if child else None, member, where)
        if schema.open:
            for key, value in given.values():
                self._open(values, _name(key), value, path)
            return values
        for key, _ in given.values():
            name = _name(key)
            message = f"there is no such setting{self._hint(name, schema)}"
            problem = Problem(_line(key), f"{path}{name}", message)
            (self.errors if schema.strict else self.warnings).append(problem)
        return values

    def _open(self, values: dict[str, Any], name: str, node: Node, path: str) -> None:
        try:
            values[name] = _plain(node)
        except ValueError as exc:
            self.errors.append(Problem(_line(node), f"{path}{name}", str(exc)))

    def _members(self, node: Node | None, path: str) -> dict[str, tuple[Node, Node]]:
        """The keys and values of a mapping by their names in lower case."""
        if node is None or _is_null(node):
            return {}
        if not isinstance(node, MappingNode):
            name = path.removesuffix(".")
            self.errors.append(Problem(_line(node), name, f"{name or 'the file'} must be a mapping of settings"))
            return {}
        members: dict[str, tuple[Node, Node]] = {}
        for key, value in node.members:
            name = _name(key)
            if name.lower() in members:
                self.errors.append(Problem(_line(key), f"{path}{name}", "given twice"))
            elif not _is_null(value):
                members[name.lower()] = (key, value)
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
        self._hints += 1
        if self._hints > MOST_HINTS:
            return ""
        here = {member.name.lower(): member.name for member in schema.members}
        for known, cutoff in ((here, 0.6), (self._everywhere, 1.0), (self._everywhere, 0.8)):
            close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=cutoff)
            if close:
                return f"; did you mean {known[close[0]]}?"
        return ""

    def _key(self, node: Node | None, key: Key, where: str) -> Any:
        if node is None:
            return key.default
        if isinstance(node, Scalar) and _is_no_value(node, key):
            message = f"{node.text.strip() or 'an empty text'} is no value, {key.kind.show(key.instead)} is used"
            self.warnings.append(Problem(_line(node), where, message))
            return key.instead
        try:
            return key.kind(_plain(node))
        except ValueError as exc:
            self.errors.append(Problem(_line(node), where, str(exc)))
            return key.default


def _is_no_value(node: Scalar, key: Key) -> bool:
    """An empty text, or a 0 where a number is meant, of a key that has another value for this."""
    if key.instead is None:
        return False
    given = node.text.strip()
    return not given or (not isinstance(key.instead, bool) and given.strip("0") in ("", "."))


def _plain(node: Node) -> Any:
    """The value of a node. Raises ValueError: a part of it has none."""
    if isinstance(node, Scalar):
        if node.error is not None:
            raise ValueError(node.error)
        return node.value
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    values: dict[Any, Any] = {}
    for key, value in node.members:
        if not isinstance(key, Scalar):
            raise ValueError("the name of a value is a list or a mapping")
        name = _plain(key)
        if name in values:
            raise ValueError(f"{key.text} is given twice")
        values[name] = _plain(value)
    return values


def _tree(value: Any) -> Node:
    if isinstance(value, Mapping):
        return MappingNode(0, [(_tree(key), _tree(child)) for key, child in value.items()])
    if isinstance(value, list | tuple):
        return Sequence(0, [_tree(child) for child in value])
    return Scalar(0, "" if value is None else str(value), value)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None and node.error is None


def _name(key: Node) -> str:
    return key.text if isinstance(key, Scalar) else "?"


def _line(node: Node) -> int | None:
    return node.line or None


def _paths(schema: Section, path: str) -> Iterator[tuple[str, str]]:
    """Every setting's name in lower case with its path."""
    for member in schema.members:
        yield member.name.lower(), f"{path}{member.name}"
        if isinstance(member, Section):
            yield from _paths(member, f"{path}{member.name}.")
