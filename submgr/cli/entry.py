# SPDX-License-Identifier: Apache-2.0
"""Where the command line begins: a plain start of the daemon goes without click, all else by `submgr.cli.main`.

A daemon has one command line in its life, of an option or none: a megabyte and a twentieth of a start for reading it
would be much.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from submgr.cli.go_arguments import file_named, translated
from submgr.platform.garbage_collection import without_collections

_INTERRUPTED = 130
"""As `submgr.platform.commands` has it, which is click's."""
_COMPLETION = "_SUBMGR_COMPLETE"
"""With this variable a shell asks click for completions."""


def main() -> None:
    path = plain_start(sys.argv[1:], os.environ)
    if path is None:
        from submgr.cli.main import main as command

        command()
        return
    try:
        with without_collections():
            from submgr.cli.starting import run_daemon
        status = run_daemon(path)
    except KeyboardInterrupt:
        status = _INTERRUPTED
    sys.exit(status)


def plain_start(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """The configuration file with which the daemon is to be started; None for any other command, and for mistakes."""
    match translated(arguments, environment):
        case ["run"]:
            path = ""
        case ["run", "-f" | "--file", path] if not path.startswith("-"):
            pass
        case _:
            return None
    if _COMPLETION in environment:
        return None
    return file_named(path or environment.get("CFG_FILE", "")) or None
