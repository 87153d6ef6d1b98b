# SPDX-License-Identifier: Apache-2.0
"""What the MEC programs share: reading the configuration, running until SIGTERM, telling why a start failed."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import click
from gevent.event import Event

from mec.common import settings as mec_settings
from mec.common.log_masking import mask_identities
from mec.common.settings import MecConfig
from submgr.platform.config.file import ConfigError
from submgr.platform.descriptors import raise_limit
from submgr.platform.http.listen import ListenError, parse_listen
from submgr.platform.logs import Logs
from submgr.platform.malloc import give_memory_back
from submgr.platform.store.base import Store, StoreError
from submgr.platform.store.choice import make_store
from submgr.platform.termination import run_until_terminated

CANNOT_START = (ConfigError, ListenError, StoreError)


class Program(Protocol):
    """A program that `run` starts and stops."""

    def start(self) -> None:
        """Raises one of CANNOT_START."""

    def stop(self) -> None: ...

    def facts(self) -> Mapping[str, Any]:
        """What the first line of output says: where the program listens."""


def configured(path: str | None, overrides: Mapping[str, Any]) -> MecConfig:
    """Reads the file of `-f`; `overrides` of the command line win. A wrong file ends the program."""
    try:
        return mec_settings.read(path, overrides)
    except ConfigError as failed:
        complain(failed)
        sys.exit(1)


def store_of(config: MecConfig, environ: Mapping[str, str], name: str) -> Store:
    """The store of a program, not started yet: what the file says, else what the environment names, else SQLite.

    A file of SQLite belongs to one process: a program takes `<path>-<name>` beside the one that the daemon of the
    same configuration file has, and `mec-<name>.db` in the working directory when no path is given.
    """
    path = Path(f"mec-{name}.db")
    if config.sdl_path is not None:
        daemons = Path(config.sdl_path)
        path = daemons.with_name(f"{daemons.stem}-{name}{daemons.suffix}")
    return make_store(config.sdl_backend, path, environ, name=f"mec-{name}")


def run(name: str, config: MecConfig, program: Program, over: Event | None = None) -> None:
    """Starts a program, prints one line that says where it listens, and stops it at SIGTERM or SIGINT, or when `over`
    is set."""
    raise_limit()
    give_memory_back()
    logs = Logs(name)
    logs.start(config.log_level)
    mask_identities(config.mec.log_identities)

    def start() -> None:
        for warning in config.warnings:
            click.echo(f"{name}: {warning}", err=True)
        program.start()
        places = " ".join(f"{what} {where}" for what, where in program.facts().items())
        click.echo(f"{name}: {places}")
        sys.stdout.flush()

    try:
        run_until_terminated(start, program.stop, over)
    except CANNOT_START as failed:
        complain(failed)
        sys.exit(1)
    finally:
        logs.stop()


def complain(failed: Exception, file: str = "") -> None:
    """Prints why a program cannot start, a line per mistake. `file`: the file that has the mistakes."""
    lines = [str(problem) for problem in failed.problems] if isinstance(failed, ConfigError) else [str(failed)]
    for line in lines:
        click.echo(f"mec cannot start: {file + ', ' if file else ''}{line}", err=True)


def listen_option(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Checks an option that is a listen address."""
    try:
        parse_listen(value)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc
    return value


def url_option(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Checks an option that is a URL."""
    try:
        return mec_settings.http_url(value) if value is not None else None
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc


def environment() -> dict[str, str]:
    """A copy of the environment of the process."""
    return dict(os.environ)
