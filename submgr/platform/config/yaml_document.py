# SPDX-License-Identifier: Apache-2.0
"""Reads a YAML text into a tree of values with their lines. Also a program: a text comes in, the tree goes out as JSON.

It imports nothing of this project, so that it starts quickly as a program. Every text gives a tree or a
`DocumentError`. A value that YAML cannot build has an `error` in the tree. The size and depth of the tree are bounded,
however often aliases repeat a part of it.
"""

from __future__ import annotations

import math
import sys
from typing import Any, Union

import msgspec
import yaml

MOST_NODES = 50_000
DEEPEST = 60

_PREFIX = "tag:yaml.org,2002:"
_LARGEST = 1 << 63
_SHOWN = 40
"""Characters of a text that is no value."""


class DocumentError(Exception):
    """The text is no YAML that can be used. `line` from 1, or None."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class Scalar(msgspec.Struct, tag="scalar", array_like=True, frozen=True):
    """`text`: as it was written. `value`: None, a truth value, a number or a string. `error`: why there is no value.

    `line`: from 1; 0 for a value that stands in no text.
    """

    line: int
    text: str
    value: bool | int | float | str | None
    error: str | None = None


class Sequence(msgspec.Struct, tag="sequence", array_like=True, frozen=True):
    line: int
    items: list[Node]


class Mapping(msgspec.Struct, tag="mapping", array_like=True, frozen=True):
    """`members` may have a key twice."""

    line: int
    members: list[tuple[Node, Node]]


Node = Union[Scalar, Sequence, Mapping]  # noqa: UP007 - msgspec resolves the forward references of a plain union


class Failure(msgspec.Struct, tag="failure", array_like=True, frozen=True):
    """What the program writes instead of a tree."""

    line: int | None
    message: str


def read_yaml(text: str) -> Node | None:
    """The tree of the one document in a text; None when there is none. Raises DocumentError."""
    try:
        return _Reader(text).document()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        # libyaml and PyYAML's own parser say the same in other words
        words = str(exc.problem or exc.context or exc).replace(" in this context", " here")
        raise DocumentError(mark.line + 1 if mark else None, f"not YAML: {words}") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise DocumentError(None, f"not YAML: {' '.join(str(exc).split())}"[:500]) from exc


class _Reader:
    def __init__(self, text: str) -> None:
        self._events: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        self._resolver: Any = yaml.resolver.Resolver()
        self._constructor = yaml.constructor.SafeConstructor()
        self._anchors: dict[str, tuple[Node | None, int]] = {}
        self._nodes = 0

    def document(self) -> Node | None:
        self._next()  # the beginning of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        node = self._node(self._next(), 0)
        self._next()  # the end of the document
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            raise DocumentError(_line(after), "not YAML: more than one document")
        return node

    def _next(self) -> Any:
        return self._events.get_event()

    def _node(self, event: Any, depth: int) -> Node:
        if depth > DEEPEST:
            raise DocumentError(_line(event), f"not YAML: nested more than {DEEPEST} deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._nodes
        self._count(1, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (None, 0)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._nodes - before)
        return node

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise DocumentError(_line(event), f"too large: more than {MOST_NODES} values")

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise DocumentError(_line(event), f"not YAML: there is no anchor {event.anchor[:40]}")
        node, nodes = self._anchors[event.anchor]
        if node is None or self._nodes + nodes > MOST_NODES:
            return Scalar(_line(event), "", None, "too large, or it contains itself")
        self._nodes += nodes
        return node

    def _sequence(self, event: Any, depth: int) -> Node:
        items = []
        while not isinstance(item := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(item, depth + 1))
        return self._tagged(event, "seq", Sequence(_line(event), items))

    def _mapping(self, event: Any, depth: int) -> Node:
        members: list[tuple[Node, Node]] = []
        merged: list[tuple[Node, Node]] = []
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            name = self._node(key, depth + 1)
            value = self._node(self._next(), depth + 1)
            if isinstance(name, Scalar) and name.text == "<<" and not getattr(key, "style", None):
                merged += self._merged(key, value)
            else:
                members.append((name, value))
        given = {name.text for name, _ in members if isinstance(name, Scalar)}
        for name, value in merged:
            if isinstance(name, Scalar) and name.text not in given:
                given.add(name.text)
                members.append((name, value))
        return self._tagged(event, "map", Mapping(_line(event), members))

    def _merged(self, key: Any, value: Node) -> list[tuple[Node, Node]]:
        """The members that `<<` takes over from a mapping, or from several; of two, the first one counts."""
        found: list[tuple[Node, Node]] = []
        for one in value.items if isinstance(value, Sequence) else [value]:
            if not isinstance(one, Mapping):
                raise DocumentError(_line(key), "<< needs a mapping, or a list of mappings")
            self._count(len(one.members), key)
            found += one.members
        return found

    def _tagged(self, event: Any, usual: str, node: Node) -> Node:
        if event.tag in (None, "!", _PREFIX + usual):
            return node
        return Scalar(node.line, "", None, _unknown(event.tag))

    def _scalar(self, event: Any) -> Scalar:
        text, line, tag = event.value, _line(event), event.tag
        if tag in (None, "!"):
            tag = self._resolver.resolve(yaml.ScalarNode, text, event.implicit)
        kind = tag.removeprefix(_PREFIX)
        if kind in ("str", "value", "merge"):
            return _checked(line, text, text)
        build = self._constructor.yaml_constructors.get(tag)
        if build is None or kind not in ("null", "bool", "int", "float", "timestamp"):
            return Scalar(line, _utf8(text[:_SHOWN]), None, _unknown(tag))
        try:
            value = build(self._constructor, yaml.ScalarNode(tag, text, event.start_mark, event.end_mark))
        except Exception as exc:  # whatever the library meets in a text that looks like a value
            return Scalar(line, _utf8(text[:_SHOWN]), None, f"not a usable value: {' '.join(str(exc).split())}"[:200])
        if kind == "timestamp":
            return Scalar(line, _utf8(text), None, "not a usable value: a date; a text like this one needs quotes")
        return _checked(line, text, value)


def _unknown(tag: str) -> str:
    return f"not a usable value: the tag {_utf8(tag[:_SHOWN])} is not known here"


def _checked(line: int, text: str, value: Any) -> Scalar:
    if isinstance(value, str):
        clean = _utf8(value)
        return Scalar(
            line,
            clean,
            clean,
            None if clean == value else "not a usable value: half of a surrogate pair is no character",
        )
    if isinstance(value, float) and not math.isfinite(value):
        return Scalar(line, _utf8(text[:_SHOWN]), None, "not a usable value: no finite number")
    if type(value) is int and not -_LARGEST <= value < _LARGEST:
        return Scalar(line, _utf8(text[:_SHOWN]), None, "not a usable value: a number with too many digits")
    return Scalar(line, _utf8(text), value)


def _utf8(text: str) -> str:
    """Without the halves of surrogate pairs, which nothing can write."""
    return text.encode("utf-8", "replace").decode()


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def main() -> None:
    text = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    answer: Node | Failure | None
    try:
        answer = read_yaml(text)
    except DocumentError as failed:
        answer = Failure(failed.line, failed.message)
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()
