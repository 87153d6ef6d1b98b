# SPDX-License-Identifier: Apache-2.0
"""`submgr run`: the daemon, with its own neighbours or simulated ones."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from submgr.cli.go_arguments import file_named
from submgr.cli.starting import daemon_of, run_daemon, until_end, with_logs
from submgr.platform.logs import Logs

_FREE_PORTS = "Free ports instead of the usual ones: --free-ports (make run PORTS=free)"


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
    if not standalone:
        sys.exit(run_daemon(path))

    def stand_alone(logs: Logs) -> int:
        return _standalone(path, database, free_ports, mec, logs)

    sys.exit(with_logs(stand_alone, path, "" if free_ports else _FREE_PORTS))


def _standalone(path: str, database: str | None, free_ports: bool, mec: bool, logs: Logs) -> int:
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
        daemon = daemon_of(path, neighbours.overrides(ports, file), logs, neighbours)

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

        return until_end(daemon, introduce)
