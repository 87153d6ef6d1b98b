# SPDX-License-Identifier: Apache-2.0
"""The command `submgr`. It imports a program only when it is asked for: some take long. See also `submgr.cli.entry`."""

from __future__ import annotations

import os

import click

from submgr.cli.go_arguments import PROGRAM, translated
from submgr.platform.commands import Program, Programs
from submgr.platform.version import version

_PROGRAMS = {
    "bench": Program("submgr.bench.cli", "bench", "Benchmarks of the daemon, of RMR and of large numbers."),
    "check": Program(
        "submgr.cli.check.command", "check", "Find every mistake in a configuration, route table or MEC file."
    ),
    "ctl": Program("submgr.cli.ctl.main", "ctl", "Ask a running Subscription Manager, over its platform port."),
    "e2sm": Program("submgr.cli.e2sm", "e2sm", "Read and write bodies of KPM, RC and NI."),
    "rmr": Program("submgr.rmr.tools.cli", "rmr", "Send, watch and check RMR messages and route tables."),
    "run": Program("submgr.cli.run", "run", "Run the daemon until SIGTERM."),
    "sim": Program("submgr.simulators.cli", "sim", "Neighbours to try the Subscription Manager with."),
}


class _RunByDefault(Programs):
    """Takes the command lines of existing deployments, such as `submgr -f FILE` for `submgr run -f FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, translated(args, os.environ))


@click.group(cls=_RunByDefault, programs=_PROGRAMS)
@click.version_option(version(), prog_name=PROGRAM, message="%(prog)s %(version)s")
def main() -> None:
    """E2 Subscription Manager of a near-real-time RIC."""
