# SPDX-License-Identifier: Apache-2.0
"""Those who watch the workers, each only what it wants to see: what nobody watches costs one look-up."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from gevent import get_hub

from submgr.core.commands import Command
from submgr.core.events import Event
from submgr.runtime.ports import Observer

_log = logging.getLogger(__name__)

MOST = 32
"""What is seen at once beyond so many events or commands: half a millisecond of work, more or less."""

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
        self._by_event = _together(watcher.by_event for watcher in watchers)
        self._by_command = _together(watcher.by_command for watcher in watchers)

    def saw(self, meid: str, event: Event | None, commands: Sequence[Command]) -> None:
        for watch in self._by_event[type(event)]:
            watch(meid, event, commands)
        by_command = self._by_command
        for command in commands:
            for look in by_command[type(command)]:
                look(meid, command, event, commands)


class SeenLater:
    """Implements `submgr.runtime.ports.Observer`: `observer` sees everything in the same order, but behind whatever is
    ready to run in this turn of the event loop.

    A worker's commands are sent by others, once the worker waits: log lines and counters are made while a neighbour has
    something to do already. A bug in `observer` is logged, and touches no worker.
    """

    def __init__(self, observer: Observer) -> None:
        self.changes = 0
        """How often a worker has done anything, or somebody has seen it: as long as it stays, nothing has changed that
        is subscribed or known of it."""
        self._observer = observer
        self._seen: list[tuple[str, Event | None, Sequence[Command]]] = []
        self._soon = get_hub().loop.run_callback

    def saw(self, meid: str, event: Event | None, commands: Sequence[Command]) -> None:
        self.changes += 1
        seen = self._seen
        if not seen:
            self._soon(self.tell)
        seen.append((meid, event, commands))
        if len(seen) > MOST or len(commands) > MOST:
            self.tell()

    def tell(self) -> None:
        """Has `observer` see what it has not seen yet."""
        seen, self._seen = self._seen, []
        saw = self._observer.saw
        for meid, event, commands in seen:
            try:
                saw(meid, event, commands)
            except Exception:
                _log.exception("what a worker did could not be told")
        self.changes += 1


def _together(tables: Iterable[Mapping[type, F]]) -> defaultdict[type, list[F]]:
    functions: defaultdict[type, list[F]] = defaultdict(list)
    for table in tables:
        for kind, function in table.items():
            functions[kind].append(function)
    return functions
