# SPDX-License-Identifier: Apache-2.0
"""A program runs until a signal or its own end, and is stopped whatever happens."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import gevent
import pytest
from gevent.event import Event

from submgr.platform import termination
from submgr.platform.termination import run_until_terminated


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The handlers of a test end with it."""
    watchers: list[gevent.signal_handler] = []

    def handler(number: int, callback: object) -> gevent.signal_handler:
        watchers.append(gevent.signal_handler(number, callback))
        return watchers[-1]

    class Gevent:
        signal_handler = staticmethod(handler)

    monkeypatch.setattr(termination, "gevent", Gevent)
    yield
    for watcher in watchers:
        watcher.cancel()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(number: int) -> None:
    seen: list[str] = []

    def start() -> None:
        seen.append("started")
        os.kill(os.getpid(), number)

    with gevent.Timeout(5):
        run_until_terminated(start, lambda: seen.append("stopped"))
    assert seen == ["started", "stopped"]


def test_the_program_may_end_by_itself() -> None:
    ended, seen = Event(), []
    with gevent.Timeout(5):
        run_until_terminated(ended.set, lambda: seen.append("stopped"), ended)
    assert seen == ["stopped"]


def test_the_program_is_told_of_a_signal() -> None:
    ended, seen = Event(), []

    def end() -> None:
        seen.append("signal")
        ended.set()

    with gevent.Timeout(5):
        run_until_terminated(lambda: os.kill(os.getpid(), signal.SIGTERM), lambda: seen.append("stopped"), ended, end)
    assert seen == ["signal", "stopped"]


def test_a_start_that_fails_is_stopped() -> None:
    seen: list[str] = []

    def start() -> None:
        raise OSError("cannot listen")

    with pytest.raises(OSError, match="cannot listen"):
        run_until_terminated(start, lambda: seen.append("stopped"))
    assert seen == ["stopped"]
