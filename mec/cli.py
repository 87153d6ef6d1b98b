# SPDX-License-Identifier: Apache-2.0
"""The command `mec`. It imports a program only when the program is asked for: some take long to import."""

from importlib import import_module
from importlib.util import find_spec

import click

_COMMANDS = {
    "controller": ("mec.controller.cli", "controller"),
    "replay": ("mec.controller.recordings.replay", "replay"),
    "manager": ("mec.app", "manager"),
    "proxy": ("mec.proxy.cli", "proxy"),
    "bench": ("mec.bench", "bench"),
    "demo": ("mec.demo", "command"),
}
_ORCHESTRATOR = "mec.meo.cli"


class _Programs(click.Group):
    """The group of all programs. The orchestrator's are in `COMMANDS` of its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*_COMMANDS, *_orchestrators_commands()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS:
            module, name = _COMMANDS[cmd_name]
            command: click.Command = getattr(import_module(module), name)
            return command
        return _orchestrators_commands().get(cmd_name)


def _orchestrators_commands() -> dict[str, click.Command]:
    if find_spec(_ORCHESTRATOR) is None:
        return {}
    commands: list[click.Command] = import_module(_ORCHESTRATOR).COMMANDS
    return {str(command.name): command for command in commands}


@click.group(cls=_Programs)
def main() -> None:
    """MEC services of the RIC: UE identities from S1AP, subscription data, application mobility, orchestration."""
