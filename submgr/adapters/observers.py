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

_log = logging.getLogger(__name__)

MOST = 32
"""What is told at once beyond so many events or commands: half a millisecond of work, more or less."""

_UNTOLD = "what a worker did could not be told"

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
    """Implements `submgr.runtime.ports.Observer` for several watchers, who are called in the order given here.

    They see everything in its order, but behind whatever is ready to run in this turn of the event loop: a worker's
    commands are sent by others, once the worker waits, so that log lines and counters are made while a neighbour has
    something to do already. A bug in a watcher is logged, and touches no worker.
    """

    def __init__(self, *watchers: Watcher) -> None:
        self.changes = 0
        """How often a worker has done anything, or somebody has seen it: as long as it stays, nothing has changed that
        is subscribed or known of it."""
        self._by_event = _together(watcher.by_event for watcher in watchers)
        self._by_command = _together(watcher.by_command for watcher in watchers)
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
        """Tells the watchers what they have not seen yet."""
        seen, self._seen = self._seen, []
        by_event, by_command = self._by_event, self._by_command
        for meid, event, commands in seen:
            for watch in by_event[type(event)]:
                try:
                    watch(meid, event, commands)
                except Exception:  # a bug: other watchers, and what else happened, must still be told
                    _log.exception(_UNTOLD)
            for command in commands:
                for look in by_command[type(command)]:
                    try:
                        look(meid, command, event, commands)
                    except Exception:
                        _log.exception(_UNTOLD)
        self.changes += 1


def _together(tables: Iterable[Mapping[type, F]]) -> defaultdict[type, list[F]]:
    functions: defaultdict[type, list[F]] = defaultdict(list)
    for table in tables:
        for kind, function in table.items():
            functions[kind].append(function)
    return functions
