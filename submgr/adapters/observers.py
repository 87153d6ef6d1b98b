# SPDX-License-Identifier: Apache-2.0
"""Those who watch the workers, each only what it wants to see: what nobody watches costs one look-up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from submgr.core.commands import Command
from submgr.core.events import Event

WatchEvent = Callable[[str, Any, Sequence[Command]], None]
"""Called with the Meid, the event, and the commands that were performed for it."""
WatchCommand = Callable[[str, Any, Event | None, Sequence[Command]], None]
"""Called with the Meid, the command, its event (None: a timer), and all commands that were performed for that."""
F = TypeVar("F")


class Watcher(Protocol):
    """Somebody who watches, with what is to be called for each type of event and of command."""

    by_event: Mapping[type, WatchEvent]
    by_command: Mapping[type, WatchCommand]


class Observers:
    """Implements `submgr.runtime.ports.Observer` for several watchers, who are called in the order given here."""

    def __init__(self, *watchers: Watcher) -> None:
        self.changes = 0
        """How often a worker has done anything: as long as it stays, nothing has changed that is subscribed."""
        self._by_event = _together(watcher.by_event for watcher in watchers)
        self._by_command = _together(watcher.by_command for watcher in watchers)

    def saw(self, meid: str, event: Event | None, commands: Sequence[Command]) -> None:
        self.changes += 1
        for watch in self._by_event[type(event)]:
            watch(meid, event, commands)
        by_command = self._by_command
        for command in commands:
            for look in by_command[type(command)]:
                look(meid, command, event, commands)


def _together(tables: Iterable[Mapping[type, F]]) -> defaultdict[type, list[F]]:
    functions: defaultdict[type, list[F]] = defaultdict(list)
    for table in tables:
        for kind, function in table.items():
            functions[kind].append(function)
    return functions
