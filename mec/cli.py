# SPDX-License-Identifier: Apache-2.0
"""The command `mec`. It imports a program only when the program is asked for: some take long to import."""

from importlib import import_module

import click

_COMMANDS = {
    "controller": ("mec.controller.cli", "controller"),
    "replay": ("mec.controller.recordings.replay", "replay"),
    "manager": ("mec.app", "manager"),
    "proxy": ("mec.proxy.cli", "proxy"),
    "bench": ("mec.bench", "bench"),
    "demo": ("mec.demo", "command"),
    "simulate": ("mec.meo.cli", "simulate"),
    "bench-meo": ("mec.meo.cli", "bench_meo"),
    "demo-meo": ("mec.meo.cli", "demo_meo"),
}
"""By name: the module and the variable of each command."""


class _Programs(click.Group):
    """Imports a program when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_Programs)
def main() -> None:
    """MEC services of the RIC: UE identities from S1AP, subscription data, application mobility, orchestration."""
