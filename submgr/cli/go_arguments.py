# SPDX-License-Identifier: Apache-2.0
"""Command lines as deployments of the Go implementation have them, turned into ours.

Its only flag is `-f FILE`; `--file` is ours. Go's flag package takes one or two dashes before the name, and a space or
`=` after it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

PROGRAM = "submgr"
_FLAG = re.compile(r"--?f(?:ile)?(?:=(?P<file>.*))?", re.DOTALL)


def translated(arguments: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """`arguments`, which follow the program's name, as the command line understands them.

    A container's `command` comes after the entry point of the image: then the program's name stands first a second
    time, and is left out. `-f FILE` means `run -f FILE`. No arguments at all mean `run` where CFG_FILE names a file.
    What stands behind the flags without a dash is left out: Go's flag package does not look at it.
    """
    rest = list(arguments)
    if rest and rest[0].rsplit("/", 1)[-1] == PROGRAM:
        del rest[0]
    if not rest:
        return ["run"] if environment.get("CFG_FILE") else []
    files: list[str] = []
    while rest and (flag := _FLAG.fullmatch(rest[0])) is not None:
        value_follows = flag["file"] is None
        if value_follows and len(rest) < 2:
            return ["run", "-f"]
        files = ["-f", rest[1] if value_follows else flag["file"]]
        del rest[: 2 if value_follows else 1]
    if not files:
        return rest
    return ["run", *files, *([] if rest and not rest[0].startswith("-") else rest)]


def file_named(path: str) -> str:
    """The file that `path` names. A compose file without a shell hands over `${CFG_FILE}` as it stands."""
    return path if os.path.exists(path) else os.path.expandvars(path)
