# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import gevent
import pytest

from submgr.adapters.observers import MOST, Observers, SeenLater, WatchCommand, WatchEvent
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
    assert heard == []


class Seen:
    """An observer that writes down what it saw. `fails`: the Meid whose events it cannot bear."""

    def __init__(self, fails: str = "") -> None:
        self.seen: list[tuple[str, object]] = []
        self._fails = fails

    def saw(self, meid: str, event: e.Event | None, commands: Sequence[c.Command]) -> None:
        if meid == self._fails:
            raise RuntimeError("a bug")
        self.seen.append((meid, commands[0] if commands else event))


def test_it_is_seen_behind_what_was_ready_before_and_in_order() -> None:
    observer = Seen()
    later = SeenLater(observer)
    sent = gevent.spawn(lambda: observer.seen.append(("sent", None)))
    later.saw("gnb_1", None, [SAVED])
    later.saw("gnb_2", e.Saved(7), [SENT])
    assert observer.seen == []
    sent.join()
    step_back()
    assert observer.seen == [("sent", None), ("gnb_1", SAVED), ("gnb_2", SENT)]


def test_each_change_is_one_before_it_is_seen_and_one_afterwards() -> None:
    """So that what was read in between is read again."""
    later = SeenLater(Seen())
    later.saw("gnb_1", e.RouteDone(7), [])
    before = later.changes
    step_back()
    assert 0 < before < later.changes


def test_a_bug_of_the_observer_is_logged_and_takes_nothing_else_along(caplog: pytest.LogCaptureFixture) -> None:
    observer = Seen(fails="gnb_2")
    later = SeenLater(observer)
    for meid in ("gnb_1", "gnb_2", "gnb_3"):
        later.saw(meid, None, [SAVED])
    step_back()
    assert [meid for meid, _ in observer.seen] == ["gnb_1", "gnb_3"]
    assert [record.message for record in caplog.records] == ["what a worker did could not be told"]


@pytest.mark.parametrize(("times", "commands"), [(MOST + 1, 1), (1, MOST + 1)])
def test_much_does_not_gather_for_one_turn(times: int, commands: int) -> None:
    observer = Seen()
    later = SeenLater(observer)
    for _ in range(times):
        later.saw("gnb_1", None, [SAVED] * commands)
    assert len(observer.seen) == times
    later.saw("gnb_1", None, [SENT])
    step_back()
    assert observer.seen[times:] == [("gnb_1", SENT)]
