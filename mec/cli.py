# SPDX-License-Identifier: Apache-2.0
"""The command `mec`. It imports a program only when the program is asked for: some take long to import."""

import click

from submgr.platform.commands import Program, Programs
from submgr.platform.version import version

_PROGRAMS = {
    "controller": Program("mec.controller.cli", "controller", "Take mirrored S1AP in, tell identity providers."),
    "replay": Program("mec.controller.recordings.replay", "replay", "Feed recorded S1AP to a controller."),
    "manager": Program(
        "mec.manager_cli", "manager", "Run the manager, application mobility and the orchestrator of a MEC."
    ),
    "proxy": Program("mec.proxy.cli", "proxy", "Pass requests on between MECs."),
    "bench": Program("mec.bench", "bench", "Measure S1AP, and fetches of application state."),
    "demo": Program("mec.demo", "command", "Run two MECs with a UE that moves, until SIGTERM."),
    "simulate": Program("mec.meo.cli", "simulate", "Compare the scores of platforms whose load comes and goes."),
    "bench-meo": Program("mec.meo.cli", "bench_meo", "Measure how long admissions take."),
    "demo-meo": Program("mec.meo.cli", "demo_meo", "Run an orchestrator with simulated platforms, until SIGTERM."),
}


@click.group(cls=Programs, programs=_PROGRAMS)
@click.version_option(version(), prog_name="mec", message="%(prog)s %(version)s")
def main() -> None:
    """MEC services of the RIC: UE identities from S1AP, subscription data, application mobility, orchestration."""
