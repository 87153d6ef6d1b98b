# SPDX-License-Identifier: Apache-2.0
"""Groups of commands: each is imported only when it is asked for, and all end quietly when they are cut off."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import click
import gevent
from click.shell_completion import CompletionItem
from msgspec import Struct

from submgr.platform.garbage_collection import without_collections

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the number of SIGINT, as shells have it."""
NOBODY_READS = 141
"""Exit status when nobody reads the standard output any more: 128 and the number of SIGPIPE."""


class Program(Struct, frozen=True):
    """Where a command is: the module and its variable. `help`: its line in the list of commands."""

    module: str
    variable: str
    help: str


class Programs(click.Group):
    """A group that imports a command when it is asked for: some take seconds to import."""

    def __init__(self, *arguments: Any, programs: Mapping[str, Program], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.programs = programs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.programs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        program = self.programs.get(cmd_name)
        if program is None:
            return None
        with without_collections():
            command: click.Command = getattr(import_module(program.module), program.variable)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.programs[name].help) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        fitting = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=self.programs[name].help) for name in fitting), *options]

    def invoke(self, ctx: click.Context) -> Any:
        with quiet_endings(ctx):
            return super().invoke(ctx)


@contextmanager
def quiet_endings(ctx: click.Context) -> Iterator[None]:
    """Ends a command without a word when Ctrl-C or a reader that has gone away cuts it off.

    What the command has printed is written before the block ends: a reader may be found gone only then.
    """
    hub = gevent.get_hub()
    told = hub.NOT_ERROR
    hub.NOT_ERROR = (*told, KeyboardInterrupt)  # else the event loop prints it before it hands it on
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        ctx.exit(INTERRUPTED)
    except click.Abort as aborted:
        if isinstance(aborted.__cause__ or aborted.__context__, KeyboardInterrupt):
            ctx.exit(INTERRUPTED)
        raise
    except BrokenPipeError:
        # the interpreter writes what is left at its end, and would complain
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        ctx.exit(NOBODY_READS)
    finally:
        hub.NOT_ERROR = told
