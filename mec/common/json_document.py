# SPDX-License-Identifier: Apache-2.0
"""Reads JSON texts that people write, and finds the lines of values. Also a program, for large texts.

It imports nothing of this project, so that it starts quickly as a program. The program gets the ways to values in the
first line of its input and the text behind it. Without ways it answers with the value, cut into pieces of a line each,
so that nobody has to read it at one go; else with the lines of the values.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

_STRING_OR_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])')
_LAST_COMMA = re.compile(r",\s*[\]}]")
_SPACE = re.compile(r"[ \t\n\r]*")
_AT_ONCE = 100
"""Elements of a list in one line at most."""
_PIECE = 1 << 16
"""Characters of a line from which on no more elements are put into it."""

Step = str | int
Way = Sequence[Step]


class NotJson(Exception):
    """`line` from 1, or None."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read_json(text: str) -> Any:
    """The value of a text in which a comma before a closing bracket is no mistake. Raises NotJson."""
    try:
        return json.loads(without_last_commas(text), parse_constant=_refuse)
    except json.JSONDecodeError as exc:
        raise NotJson(exc.lineno, f"not JSON: {exc.msg} (column {exc.colno})") from exc
    except (ValueError, RecursionError) as exc:
        raise NotJson(None, f"not JSON: {exc}"[:200]) from exc


def without_last_commas(text: str) -> str:
    """The text with a blank for each comma before a closing bracket, so that places stay what they are."""
    if not _LAST_COMMA.search(text):
        return text
    return _STRING_OR_COMMA.sub(lambda found: found[1] or " ", text)


def lines_of(text: str, ways: Sequence[Way]) -> list[int | None]:
    """The line (from 1) of the value that each way leads to: names of members and indices. The text is read once.

    The line of the last value on the way when there is no further one; None when it cannot be told.
    """
    finder = _Finder(without_last_commas(text))
    wanted = [(tuple(way), number) for number, way in enumerate(ways)]
    with suppress(ValueError, RecursionError, IndexError):  # the text is broken behind what was found
        finder.look(finder.skip(0), wanted)
    places = [finder.found.get(number) for number in range(len(ways))]
    return _lines(text, places)


class _Finder:
    """Goes through a text once, and into those values only that some way leads through."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._decode = json.JSONDecoder().raw_decode
        self.found: dict[int, int] = {}
        """Where the value of each way begins, by the number of the way."""

    def skip(self, at: int) -> int:
        """The place of the next character that is no blank."""
        blanks = _SPACE.match(self._text, at)
        assert blanks is not None
        return blanks.end()

    def look(self, at: int, wanted: list[tuple[tuple[Step, ...], int]]) -> int:
        """Notes the place of the value at `at` for all these ways, goes on along them, and returns where it ends."""
        for _, number in wanted:
            self.found[number] = at
        onward = [(way, number) for way, number in wanted if way]
        opening = self._text[at]
        if not onward or opening not in "[{":
            return int(self._decode(self._text, at)[1])
        at = self.skip(at + 1)
        index = 0
        while self._text[at] not in "]}":
            step: Step = index
            if opening == "{":
                step, end = self._decode(self._text, at)
                at = self.skip(self.skip(end) + 1)
            at = self.skip(self.look(at, [(way[1:], number) for way, number in onward if way[0] == step]))
            if self._text[at] == ",":
                at = self.skip(at + 1)
            index += 1
        return at + 1


def _lines(text: str, places: list[int | None]) -> list[int | None]:
    lines: dict[int, int] = {}
    line, before = 1, 0
    for place in sorted({place for place in places if place is not None}):
        line += text.count("\n", before, place)
        lines[place], before = line, place
    return [None if place is None else lines[place] for place in places]


def pieces(value: Any) -> Iterator[str]:
    """The lines that a value is written in: `true` and [name, value] for each member of an object.

    Of a list in it: [name, some of its elements, 1], as often as it takes. Else `false` and the value.
    """
    if not isinstance(value, dict):
        yield "false"
        yield json.dumps(value)
        return
    yield "true"
    for name, member in value.items():
        if not isinstance(member, list):
            yield json.dumps([name, member])
            continue
        some: list[str] = []
        for element in member:
            some.append(json.dumps(element))
            if len(some) >= _AT_ONCE or sum(map(len, some)) > _PIECE:
                yield f"[{json.dumps(name)},[{','.join(some)}],1]"
                some = []
        yield f"[{json.dumps(name)},[{','.join(some)}],1]"


def put_together(first: bytes, lines: Iterator[bytes]) -> Any:
    """The value that `pieces` has written in a `first` line and others."""
    if first == b"false":
        return json.loads(next(lines))
    value: dict[str, Any] = {}
    for line in lines:
        name, member, *more = json.loads(line)
        if more:
            value.setdefault(name, []).extend(member)
        else:
            value[name] = member
    return value


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def main() -> None:
    first, _, text = sys.stdin.buffer.read().partition(b"\n")
    ways, decoded = json.loads(first), text.decode("utf-8", "surrogatepass")
    if ways:
        print(json.dumps(lines_of(decoded, ways)))
        return
    try:
        for line in pieces(read_json(decoded)):
            print(line)
    except NotJson as failed:
        print(json.dumps({"line": failed.line, "message": failed.message}))


if __name__ == "__main__":
    main()
