# SPDX-License-Identifier: Apache-2.0
"""The section `outbound` of the configuration file, which the daemon and the MEC programs have in common."""

from dataclasses import dataclass
from typing import Any

from submgr.platform.config.schema import setting
from submgr.platform.config.values import Kind
from submgr.platform.outbound_rules import OutboundRules, entry


def _entries(value: Any) -> tuple[str, ...]:
    """The entries of a list as they were written. Raises ValueError that names all that are none."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is not a list")
    mistakes = []
    for each in value:
        try:
            entry(str(each))
        except ValueError as exc:
            mistakes.append(str(exc))
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return tuple(str(each).strip() for each in value)


_LIST = Kind(_entries, "list of networks (CIDR) and ends of names", show=list)


@dataclass(frozen=True, slots=True)
class OutboundSettings:
    """Where xApps, applications and users of the orchestrator may make this process connect to."""

    allow: tuple[str, ...] = setting(
        "allow", _LIST, (), "may be connected to, whatever deny says; without any deny, nothing else may"
    )
    deny: tuple[str, ...] = setting(
        "deny", _LIST, (), "must not be connected to when a peer says so; nor, with any entry, ports of our own"
    )

    def rules(self) -> OutboundRules:
        return OutboundRules(self.allow, self.deny)
