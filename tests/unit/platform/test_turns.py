# SPDX-License-Identifier: Apache-2.0
"""Long work gives the others their turn, and two long ones never work in the same turn of the event loop."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from pathlib import Path

import gevent

from submgr.platform.turns import SLICE, Budget, in_turns, pause, turn

ROOT = Path(__file__).parents[3]


def work() -> None:
    busy(SLICE * 1.2)


def busy(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def iteration() -> int:
    return int(gevent.get_hub().loop.iteration)


def test_others_run_between_two_slices() -> None:
    turns = 0

    def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            turn()

    greenlet = gevent.spawn(other)
    seen = []
    for _ in in_turns(range(4)):
        seen.append(turns)
        work()
    greenlet.kill()
    assert seen == sorted(set(seen)), "no turn between two slices"


def test_short_work_is_not_interrupted() -> None:
    before = iteration()
    assert list(in_turns(range(1000))) == list(range(1000))
    assert iteration() - before <= 1


def test_two_long_ones_take_turns() -> None:
    when: dict[str, list[int]] = {"a": [], "b": [], "c": []}

    def long(name: str) -> None:
        for _ in in_turns(range(4)):
            when[name].append(iteration())
            work()

    gevent.joinall([gevent.spawn(long, name) for name in when], raise_error=True)
    # the first slice of each is before anybody can know that it is long
    later = [turn for turns in when.values() for turn in turns[1:]]
    assert len(later) == 9 and len(set(later)) == len(later)


def test_long_ones_go_on_in_the_order_in_which_they_paused() -> None:
    """Not the one that has just gone on again and again, while the others wait for its end."""
    order: list[str] = []

    def long(name: str) -> None:
        for _ in range(5):
            pause()
            order.append(name)

    gevent.joinall([gevent.spawn(long, name) for name in "abc"], raise_error=True)
    assert "".join(order) == "abc" * 5


def test_one_that_is_killed_in_its_pause_holds_up_nobody() -> None:
    first, second, third = (gevent.spawn(pause) for _ in range(3))
    gevent.spawn(first.kill)
    gevent.spawn(second.kill)
    third.get(timeout=5)


def test_short_loops_in_a_long_one_share_its_slices() -> None:
    before, budget = iteration(), Budget()
    for _ in in_turns(range(8), budget):
        for _ in in_turns(range(2), budget):
            busy(SLICE / 5)
    assert iteration() - before >= 2, "no turn during sixteen fifths of a slice"


def inner_loops(tree: ast.AST, inside: bool = False) -> Iterator[ast.Call]:
    """The calls of `in_turns` without a budget that are made again and again in one function."""
    for node in ast.iter_child_nodes(tree):
        again = inside
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            again = False
        elif isinstance(tree, ast.For | ast.While):
            again = inside or node in tree.body
        elif isinstance(tree, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            again = inside or node is not tree.generators[0]
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if isinstance(node, ast.Call) and name == "in_turns" and again and len(node.args) == 1:
            yield node
        yield from inner_loops(node, again)


def test_what_inner_loops_are() -> None:
    def lines(source: str) -> list[int]:
        return [call.lineno for call in inner_loops(ast.parse(source))]

    assert lines("for a in in_turns(x):\n for b in in_turns(a):\n  pass") == [2]
    assert lines("while a:\n f(in_turns(x))") == [2]
    assert lines("[c for a in in_turns(x)\n for c in in_turns(a)]") == [2]
    assert lines("[c for a in in_turns(x, budget) for c in in_turns(a, budget)]") == []
    assert lines("for a in x:\n def f():\n  return in_turns(a)") == []


def test_no_loop_in_a_loop_has_slices_of_its_own() -> None:
    """A list of all E2 nodes' subscriptions is such a loop: a thousand nodes with a few each would give no turn."""
    found = [
        f"{path}:{call.lineno}"
        for package in ("submgr", "mec")
        for path in (ROOT / package).rglob("*.py")
        if "in_turns(" in (source := path.read_text(encoding="utf-8"))
        for call in inner_loops(ast.parse(source))
    ]
    assert found == []
