# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping

import gevent
import pytest

from submgr.adapters.observers import MOST, Observers, WatchCommand, WatchEvent
from submgr.core import commands as c
from submgr.core import events as e
from submgr.platform.turns import step_back

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
    observers.tell()
    assert heard == [
        (one, "gnb_1", event, commands),
        (two, "gnb_1", event, commands),
        (one, "gnb_1", SAVED, event, commands),
        (two, "gnb_1", SAVED, event, commands),
        (one, "gnb_1", SENT, event, commands),
    ]


def test_what_nobody_watches_is_told_to_nobody() -> None:
    heard: list[tuple[object, ...]] = []
    observers = Observers(Watching(heard, (e.Saved,), (c.DropNotifications,)))
    observers.saw("gnb_1", None, [SAVED])
    observers.saw("gnb_1", e.RouteDone(7), [])
    observers.tell()
    assert heard == []


class Told:
    """Writes down the Meids of which it is told a Saved or a ConfirmDelete. `fails`: the one that it cannot bear."""

    def __init__(self, fails: str = "") -> None:
        self.meids: list[str] = []
        self.by_event: Mapping[type, WatchEvent] = {e.Saved: self._tell}
        self.by_command: Mapping[type, WatchCommand] = {c.ConfirmDelete: self._tell}
        self._fails = fails

    def _tell(self, meid: str, *_: object) -> None:
        if meid == self._fails:
            raise RuntimeError("a bug")
        self.meids.append(meid)


def test_watchers_are_told_behind_what_was_ready_before_and_in_order() -> None:
    watcher = Told()
    observers = Observers(watcher)
    sent = gevent.spawn(watcher.meids.append, "sent")
    observers.saw("gnb_1", None, [SAVED])
    observers.saw("gnb_2", e.RouteDone(7), [SENT, SAVED])
    assert watcher.meids == []
    sent.join()
    step_back()
    assert watcher.meids == ["sent", "gnb_1", "gnb_2"]


def test_there_is_a_change_before_it_is_told_and_one_afterwards() -> None:
    """So that what was read in between is read again."""
    observers = Observers(Told())
    observers.saw("gnb_1", e.RouteDone(7), [])
    before = observers.changes
    step_back()
    assert 0 < before < observers.changes


def test_a_bug_of_a_watcher_is_logged_and_takes_nothing_else_along(caplog: pytest.LogCaptureFixture) -> None:
    watcher, other = Told(fails="gnb_2"), Told()
    observers = Observers(watcher, other)
    for meid in ("gnb_1", "gnb_2", "gnb_3"):
        observers.saw(meid, e.Saved(7), [SAVED])
    step_back()
    assert watcher.meids == ["gnb_1", "gnb_1", "gnb_3", "gnb_3"]
    assert other.meids == ["gnb_1", "gnb_1", "gnb_2", "gnb_2", "gnb_3", "gnb_3"]
    assert [record.message for record in caplog.records] == ["what a worker did could not be told"] * 2


@pytest.mark.parametrize(("times", "commands"), [(MOST + 1, 1), (1, MOST + 1)])
def test_much_does_not_gather_for_one_turn(times: int, commands: int) -> None:
    watcher = Told()
    observers = Observers(watcher)
    for _ in range(times):
        observers.saw("gnb_1", None, [SAVED] * commands)
    assert len(watcher.meids) == times * commands
    observers.saw("gnb_2", None, [SAVED])
    step_back()
    assert watcher.meids[times * commands :] == ["gnb_2"]
