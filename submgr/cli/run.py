# SPDX-License-Identifier: Apache-2.0
"""`submgr run`: the daemon, with its own neighbours or simulated ones."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from submgr.app import build
from submgr.cli.go_arguments import file_named
from submgr.daemon import Daemon
from submgr.platform.config.file import ConfigError, read_text
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.garbage_collection import keep_collections_short
from submgr.platform.http.listen import ListenError
from submgr.platform.logs import Logs
from submgr.platform.malloc import give_memory_back
from submgr.platform.store.base import StoreError
from submgr.platform.termination import run_until_terminated
from submgr.rmr.environment import RmrEnvironmentError
from submgr.rmr.transport import TransportError
from submgr.settings.live import LiveSettings
from submgr.settings.loader import load

if TYPE_CHECKING:
    from submgr.cli.standalone import Neighbours

CANNOT_START = (ConfigError, ListenError, TransportError, RmrEnvironmentError, StoreError)


@click.command()
@click.option("-f", "--file", "path", help="Configuration file; default: the environment variable CFG_FILE.")
@click.option("--standalone", is_flag=True, help="With simulated neighbours; needs no configuration file.")
@click.option("--database", help="Stand-alone: a file that keeps the database. [default: one that ends with the run]")
@click.option("--mec/--no-mec", default=True, show_default=True, help="Stand-alone: with demonstrations of MEC.")
@click.option("--free-ports", is_flag=True, help="Stand-alone: pick free ports instead of the usual ones.")
def run(path: str | None, standalone: bool, database: str | None, mec: bool, free_ports: bool) -> None:
    """Run the daemon until SIGTERM."""
    path = file_named(path or os.environ.get("CFG_FILE") or "")
    if not path and not standalone:
        raise click.UsageError("a configuration file is needed (-f FILE, or CFG_FILE), or --standalone")
    keep_collections_short()
    give_memory_back()
    logs = Logs("submgr")
    logs.start()
    try:
        code = _standalone(path, database, free_ports, mec, logs) if standalone else _run(_daemon(path, {}, logs, None))
    except CANNOT_START as failed:
        _complain(failed, path)
        if standalone and not free_ports and _is_taken(failed):
            click.echo("Free ports instead of the usual ones: --free-ports (make run PORTS=free)", err=True)
        code = 1
    finally:
        logs.stop()
    sys.exit(code)


def _complain(failed: Exception, path: str | None) -> None:
    lines = [str(failed)]
    if isinstance(failed, ConfigError):
        lines = [str(problem) for problem in failed.problems]
        lines = [line if path is None or path in line else f"{path}, {line}" for line in lines]
    for line in lines:
        click.echo(f"submgr cannot start: {line}", err=True)


def _is_taken(failed: BaseException | None) -> bool:
    """Whether something could not start because another process listens on its port."""
    while failed is not None and not isinstance(failed, OSError):
        failed = failed.__cause__
    return failed is not None and failed.errno == errno.EADDRINUSE


def _daemon(path: str | None, overrides: dict[str, Any], logs: Logs, neighbours: Neighbours | None) -> Daemon:
    environment = dict(os.environ)
    text = read_text(path) if path else ""
    settings = load(text, environment, overrides)
    logs.adjust(settings.logger.level, settings.logger.format)
    for warning in settings.warnings:
        click.echo(f"submgr: {warning}", err=True)
    live = LiveSettings(settings, environment, overrides)
    watcher = ConfigWatcher(path, text, lambda changed: _apply(live, changed)) if path else None
    if neighbours is not None:
        environment["RMR_RTG_SVC"] = "-1"
        environment["RMR_SRC_ID"] = environment["RMR_BIND_IF"] = "127.0.0.1"
        return build(live, environment, logs, watcher, neighbours.nodes, neighbours.edge)
    return build(live, environment, logs, watcher)


def _apply(live: LiveSettings, text: str) -> None:
    live.apply(text)


def _standalone(path: str | None, database: str | None, free_ports: bool, mec: bool, logs: Logs) -> int:
    # the simulators are imported here: the daemon of a RIC has no use for them
    from tempfile import TemporaryDirectory

    from submgr.cli.standalone import Neighbours, TcpPorts, start_demos

    ports = TcpPorts.free() if free_ports else TcpPorts()
    with ExitStack() as running:
        if database is None:
            directory = running.enter_context(TemporaryDirectory(prefix="submgr-", ignore_cleanup_errors=True))
            file, fate = str(Path(directory) / "submgr.db"), "gone at the end; --database FILE keeps one"
        else:
            file, fate = database, "kept"
        neighbours = Neighbours(ports)
        neighbours.start()
        running.callback(neighbours.stop)
        daemon = _daemon(path, neighbours.overrides(ports, file), logs, neighbours)

        def introduce() -> None:
            daemon.parts.rmr.set_routes(neighbours.routes())
            # whoever reads this uses it at once
            while not daemon.parts.probes.restored:
                if daemon.ended.wait(0.01):
                    return
            xapp, platform = daemon.parts.xapp_http.address[1], daemon.parts.platform_http.address[1]
            click.echo(neighbours.introduction(xapp, platform, f"{file}   ({fate})"))
            if mec:
                demos = start_demos(click.echo, neighbours.edge)
                for demo in demos:
                    running.callback(demo.stop)
                click.echo("\n".join(["", *(line for demo in demos for line in demo.lines), ""]))

        return _run(daemon, introduce)


def _run(daemon: Daemon, started: Callable[[], None] | None = None) -> int:
    def start() -> None:
        daemon.start()
        if started is not None:
            started()

    run_until_terminated(start, daemon.stop, daemon.ended, lambda: daemon.end(0))
    return daemon.exit_code or 0
