# SPDX-License-Identifier: Apache-2.0
"""JSON files that people write. A comma before a closing bracket is no mistake, and mistakes are named by line."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mec.common import json_document
from mec.common.json_document import NotJson, Step, Way, lines_of, put_together, read_json
from submgr.platform.beside import BesideError, run_beside
from submgr.platform.config.file import ConfigError, Problem, read_text
from submgr.platform.http.json_fields import MAX_MISTAKES, Dialect, Mistakes
from submgr.platform.turns import in_turns

MAX_SIZE = 16 * 1024 * 1024
"""Bytes."""

DIALECT = Dialect(absent="is missing", null_is_absent=False, limit=math.inf)
"""Of files: null is a value."""

_SMALL = 1 << 16
"""Characters that are read in a few milliseconds. A larger text is read in a process of its own."""
_STEP = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")


def read(path: str | Path) -> str:
    """The text of a file. Raises ConfigError."""
    return read_text(path, MAX_SIZE, "file")


def parse(text: str) -> Any:
    """The value of a JSON text. Others have their turn meanwhile. Raises ConfigError with the line of the mistake."""
    try:
        return read_json(text) if len(text) <= _SMALL else _large(text)
    except NotJson as exc:
        raise ConfigError([Problem(exc.line, "", exc.message)]) from exc
    except BesideError as exc:
        raise ConfigError([Problem(None, "", f"not read: {exc}")]) from exc


def _large(text: str) -> Any:
    lines = _beside([], text)
    first = next(lines)
    if first.startswith(b"{"):
        raise NotJson(**json.loads(first))
    return put_together(first, lines)


def _beside(ways: Sequence[Way], text: str) -> Iterator[bytes]:
    """The lines that the program answers with. Raises BesideError."""
    request = json.dumps(ways).encode() + b"\n" + text.encode("utf-8", "surrogatepass")
    return iter(in_turns(run_beside(json_document.__file__, request).splitlines()))


def places(text: str, ways: Sequence[Way]) -> list[int | None]:
    """As `lines_of`, of a large text in a process of its own."""
    if len(text) <= _SMALL:
        return lines_of(text, ways)
    try:
        found: list[int | None] = json.loads(next(_beside(ways, text)))
    except BesideError:
        return [None] * len(ways)
    return found


def steps(path: str) -> tuple[Step, ...]:
    """The names of members and the indices in a path: ("users", 2, "imsi") of "users[2].imsi"."""
    return tuple(int(index) if index else name for index, name in _STEP.findall(path))


def check(text: str, mistakes: Mistakes) -> None:
    """Raises ConfigError that names all mistakes of a JSON text, each with its line, when there are any."""
    if not mistakes:
        return
    found = problems(text, mistakes, limit=MAX_MISTAKES)
    if more := len(mistakes.found) - len(found):
        found.append(Problem(None, "", f"and {more} more"))
    raise ConfigError(found)


def problems(text: str, mistakes: Mistakes, limit: int) -> list[Problem]:
    """The first mistakes of a JSON text, each with its line."""
    told = mistakes.found[:limit]
    lines = places(text, [steps(each.field) for each in told]) if told else []
    return [Problem(line, each.field, each.message) for line, each in zip(lines, told, strict=True)]
