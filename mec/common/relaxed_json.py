# SPDX-License-Identifier: Apache-2.0
"""JSON files that people write. A comma before a closing bracket is no mistake, and mistakes are named by line."""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from submgr.platform.config.file import ConfigError, Problem
from submgr.platform.http.json_fields import MAX_MISTAKES, Dialect, Mistakes

MAX_SIZE = 64 * 1024 * 1024

DIALECT = Dialect(absent="is missing", null_is_absent=False, limit=math.inf)
"""Of files: null is a value."""

_STEP = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")
_STRING_OR_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])')
_STRING_OR_TAB = re.compile(r'("(?:[^"\\]|\\.)*")|\t')

Step = str | int


def read(path: str | Path) -> str:
    """The text of a file. Raises ConfigError."""
    try:
        content = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError([Problem(None, str(path), f"cannot be read: {exc}")]) from exc
    if len(content) > MAX_SIZE:
        raise ConfigError([Problem(None, str(path), f"larger than {MAX_SIZE} characters")])
    return content


def parse(text: str) -> Any:
    """The value of a JSON text. Raises ConfigError with the line of the mistake."""
    try:
        return json.loads(without_last_commas(text), parse_constant=_refuse)
    except json.JSONDecodeError as exc:
        raise ConfigError([Problem(exc.lineno, "", f"not JSON: {exc.msg} (column {exc.colno})")]) from exc
    except (ValueError, RecursionError) as exc:
        raise ConfigError([Problem(None, "", f"not JSON: {exc}")]) from exc


def without_last_commas(text: str) -> str:
    """The text with a blank for each comma before a closing bracket, so that places stay what they are."""
    return _STRING_OR_COMMA.sub(lambda found: found[1] or " ", text)


def line_of(text: str, way: Sequence[Step]) -> int | None:
    """The line (from 1) of the value that names of members and indices lead to; None when it cannot be told."""
    try:
        # every JSON text is YAML, but for tabs between the values
        node = yaml.compose(_STRING_OR_TAB.sub(lambda found: found[1] or " ", without_last_commas(text)))
    except (yaml.YAMLError, RecursionError):
        return None
    line = None
    for step in way:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            found = [value for key, value in node.value if key.value == step]
            if not found:
                break
            node = found[-1]
        else:
            break
        line = int(node.start_mark.line) + 1
    return line


def steps(path: str) -> tuple[Step, ...]:
    """The names of members and the indices in a path: ("users", 2, "imsi") of "users[2].imsi"."""
    return tuple(int(index) if index else name for index, name in _STEP.findall(path))


def check(text: str, mistakes: Mistakes) -> None:
    """Raises ConfigError that names all mistakes of a JSON text, each with its line, when there are any."""
    if mistakes:
        raise ConfigError(problems(text, mistakes, limit=MAX_MISTAKES))


def problems(text: str, mistakes: Mistakes, limit: int) -> list[Problem]:
    """The first mistakes of a JSON text, each with its line."""
    return [Problem(line_of(text, steps(each.field)), each.field, each.message) for each in mistakes.found[:limit]]


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")
