# SPDX-License-Identifier: Apache-2.0
"""Progress: what is said when, and where."""

from __future__ import annotations

import io
import itertools

import pytest

from submgr.platform.progress import LONGEST, QUIET, Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_short_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Progress(10, clock) as progress:
        progress.says("a phase")
        for _ in range(10):
            clock.now += (QUIET - 0.1) / 10
            progress.step()
    assert capsys.readouterr() == ("", "")


def test_long_work_says_how_far_it_is_further_and_further_apart(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Progress(1000, clock) as progress:
        progress.says("simulate")
        for _ in range(100):
            clock.now += 1.0
            progress.step(10)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0] == "2 s: simulate, 20 of 1000"
    times = [float(line.partition(" s")[0]) for line in lines]
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert pauses == sorted(pauses)
    assert max(pauses) == LONGEST


def test_nobody_knows_how_much_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Progress(clock=clock) as progress:
        clock.now += 3.0
        progress.says("the process restarts")
        clock.now += 10.0
        progress.step(7)
    assert capsys.readouterr().err == "3 s: the process restarts\n13 s: the process restarts, 7\n"


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    clock = Clock()
    with Progress(4, clock) as progress:
        progress.says("phase [one]")
        clock.now += 3.0
        progress.step(3)
        drawn = terminal.getvalue()
        progress.prints("a result")
        erased = terminal.getvalue()
        clock.now += 1.0
        progress.step(1)
    assert "phase [one]" in drawn and "3/4" in drawn
    assert capsys.readouterr().out == "a result\n"
    assert erased.endswith("\x1b[2K"), "nothing is left of it before a result comes"
    assert "4/4" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")
