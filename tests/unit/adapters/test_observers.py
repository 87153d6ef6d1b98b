# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping

from submgr.adapters.observers import Observers, WatchCommand, WatchEvent
from submgr.core import commands as c
from submgr.core import events as e

SAVED, SENT = c.ConfirmDelete(1), c.DropNotifications("rest-1")


class Watching:
    """Writes down what it is called with."""

    def __init__(self, heard: list[tuple[object, ...]], events: tuple[type, ...], commands: tuple[type, ...]) -> None:
        keep: Callable[..., None] = lambda *given: heard.append((self, *given))  # noqa: E731
        self.by_event: Mapping[type, WatchEvent] = dict.fromkeys(events, keep)
        self.by_command: Mapping[type, WatchCommand] = dict.fromkeys(commands, keep)


def test_each_hears_of_what_it_watches_in_the_order_of_events_commands_and_watchers() -> None:
    heard: list[tuple[object, ...]] = []
    one = Watching(heard, (e.Saved,), (c.ConfirmDelete, c.DropNotifications))
    two = Watching(heard, (e.Saved, e.RouteDone), (c.ConfirmDelete,))
    observers = Observers(one, two)
    event, commands = e.Saved(7), [SAVED, SENT]
    observers.saw("gnb_1", event, commands)
    assert heard == [
        (one, "gnb_1", event, commands),
        (two, "gnb_1", event, commands),
        (one, "gnb_1", SAVED, event, commands),
        (two, "gnb_1", SAVED, event, commands),
        (one, "gnb_1", SENT, event, commands),
    ]


def test_timers_and_what_nobody_watches_are_changes_as_well() -> None:
    heard: list[tuple[object, ...]] = []
    observers = Observers(Watching(heard, (e.Saved,), (c.DropNotifications,)))
    observers.saw("gnb_1", None, [SAVED])
    observers.saw("gnb_1", e.RouteDone(7), [])
    assert heard == []
    assert observers.changes == 2
