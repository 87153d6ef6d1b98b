# SPDX-License-Identifier: Apache-2.0
"""The arguments of the scripts, and what their answers mean. tests/contract runs the scripts in redis."""

from __future__ import annotations

from typing import Any

import pytest
from redis.exceptions import InvalidResponse

from submgr.platform.store.base import StoreFenced, StoreLost
from submgr.platform.store.marker import Marker
from submgr.platform.store.sdl_marked import Marked


def taken(epoch: int = 3, *, fencing: bool = False) -> Marked:
    marked = Marked("submgr", 0, "here", fencing=fencing)
    mark = marked.first(epoch, Marker())
    marked.taken([b"OK", bytes(mark)], mark)
    return marked


def test_each_write_carries_the_marker_before_and_the_next_one() -> None:
    marked = taken()
    key = b"{submgr_markerDb},submgr:0"
    assert marked.writing([b"a", b"b"], [b"1"]) == [b"3", key, b"a", b"b", b"3:0", b"3:1", b"", b"1"]
    assert marked.writing([b"b"], []) == [b"2", key, b"b", b"3:0", b"3:2", b""]  # the first one has no answer yet
    assert marked.written(b"3:2", marked.takes)
    assert marked.writing([], []) == [b"1", key, b"3:2", b"3:3", b""]
    assert marked.looking() == [b"1", key, b"3:2", b"", b""]


def test_before_it_is_taken_nothing_is_checked() -> None:
    marked = Marked("submgr", 0, "here", fencing=False)
    assert marked.takes_by_itself
    assert marked.writing([b"a"], [b"1"])[-4:] == [b"", b"", b"", b"1"]
    assert marked.written(None, marked.takes)
    assert marked.written(b"somebody's", marked.takes)


@pytest.mark.parametrize("answer", [b"OK", b"2:7", b"4:0", None, 1, [], [b"LOST"], [b"OK", b"3:1"], [[b"LOST", b""]]])
def test_an_answer_that_makes_no_sense_is_no_success(answer: Any) -> None:
    marked = taken()
    with pytest.raises(InvalidResponse):
        marked.written(answer, marked.takes)
    assert not marked.lost


def test_a_loss_stops_all_writes_until_the_server_is_taken_again() -> None:
    marked = taken()
    with pytest.raises(StoreLost):
        marked.written([b"LOST", None], marked.takes)
    with pytest.raises(StoreLost):
        marked.writing([b"a"], [b"1"])
    again = marked.again()
    assert (again.epoch, again.incomplete) == (3, True)
    marked.taken([b"OK", bytes(again)], again)
    assert marked.writing([b"a"], [b"1"])[-3:] == [b"3:2:incomplete", b"", b"1"]
    assert marked.complete()[-2:] == [b"3:3", b""]


def test_an_old_answer_is_no_loss_of_now() -> None:
    """A look that was sent before the server was taken again."""
    marked = taken()
    takes = marked.takes
    again = marked.again()
    marked.taken([b"OK", bytes(again)], again)
    with pytest.raises(StoreLost):
        marked.written([b"LOST", None], takes)
    assert not marked.lost


def test_who_is_overtaken_writes_nothing_or_unchecked() -> None:
    fenced = taken(fencing=True)
    with pytest.raises(StoreFenced, match="epoch 4 has redis at here, 3 is over"):
        fenced.written([b"FENCED", b"4:0"], fenced.takes)
    assert fenced.overtaken
    shared = taken()
    assert not shared.written([b"FENCED", b"4:0"], shared.takes)
    assert shared.shared
    assert shared.writing([b"a"], [])[-3:] == [b"", b"", b""]


def test_two_that_start_at_the_same_time_do_not_get_the_same_epoch() -> None:
    """Both have read that there was none."""
    first, second = Marked("submgr", 0, "here", fencing=False), Marked("submgr", 0, "here", fencing=False)
    mark = first.first(1, Marker())
    assert first.taking(mark)[-2:] == [0, b"1:0"]
    first.taken([b"OK", b"1:0"], mark)
    second.taken([b"FENCED", b"1:0"], mark)
    assert second.takes_by_itself
    assert not second.shared
    assert first.taking(first.again())[-2:] == [1, b"1:1:incomplete"]


def test_a_fenced_store_that_is_not_taken_writes_nothing() -> None:
    marked = Marked("submgr", 0, "here", fencing=True)
    assert not marked.takes_by_itself
    with pytest.raises(StoreFenced):
        marked.writing([], [])
    marked.taken([b"OK", b"5:0"], Marker(5))
    marked.release()
    with pytest.raises(StoreFenced):
        marked.writing([], [])


@pytest.mark.parametrize("held", [Marker(), Marker(6, 2), Marker(7, 9, incomplete=True)])
def test_a_server_that_has_lost_something_since_it_was_seen_is_taken_as_incomplete(held: Marker) -> None:
    marked = Marked("submgr", 0, "here", fencing=True)
    marked.written(b"7:5", marked.takes)
    mark = marked.first(8, held)
    assert mark == Marker(8, 0, incomplete=True)
    marked.taken([b"OK", bytes(mark)], mark)
    assert marked.lost
