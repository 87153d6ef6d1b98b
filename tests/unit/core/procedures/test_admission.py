# SPDX-License-Identifier: Apache-2.0
"""How a valid POST is decided: which refusal comes first, what counts as the same request, when work may begin."""

from __future__ import annotations

import pytest
from support.core.playbook import (
    TIME,
    Script,
    delete,
    post,
    save_failed,
    save_unknown,
    saved,
    sent_201,
)
from support.core.world import content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.model import Detail
from submgr.e2ap.messages import ActionType

ONE, TWO, NEW = content(), content(b"\x02"), content(b"\x03")


def refusal(script: Script) -> c.Refuse:
    (found,) = [x for x in script.commands if isinstance(x, c.Refuse)]
    return found


# --- saved, answered, then worked on


def test_no_work_before_the_answer_is_written() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.1, saved, ["201 r1"]),
        (5.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
    )


def test_a_socket_that_never_says_that_it_was_written_counts_as_written() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (10.0, TIME, ["save e2 1 uncompleted r1/1?"]),
        (10.1, sent_201, []),
    )


@pytest.mark.parametrize(
    ("how", "words"), [(save_failed, "MISCONF disk full"), (save_unknown, "database write timeout after 2 s")]
)
def test_database_down_is_503_and_leaves_nothing(how, words: str) -> None:
    script = Script()
    script.play((0.0, post(), ["save rest r1 ongoing"]), (0.1, how, ["503", "erase rest r1"]))
    assert words in refusal(script).message
    assert script.node.idle and script.registry.quota.total() == 0 and script.registry.meids == {}


def test_a_store_that_never_says_anything_is_503() -> None:
    script = Script()
    script.play((0.0, post(), ["save rest r1 ongoing"]), (4.0, TIME, ["503", "erase rest r1"]), (4.1, saved, []))
    assert script.node.idle


def test_database_down_for_a_known_one_takes_back_the_request_only() -> None:
    script = Script()
    script.subscribed()
    wanted = request(Detail(2, NEW), subscription_id="r1")
    script.play(
        (1.0, post(wanted), ["save rest r1 1=1 ongoing"]),
        (1.1, save_failed, ["503", "save rest r1 1=1 (later)"]),
        # what it was is known as before, the refused request is not
        (2.0, post(), ["save rest r1 1=1 ongoing"]),
    )
    assert list(script.node.subscriptions.e2) == [1]


def test_equal_requests_share_one_save_and_one_answer() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.1, post(), []),
        (0.1, post(), []),
    )
    assert set(script.step(0.2, saved)) == {"201 r1"} and len(script.commands) == 3
    # work begins when each of them has been written
    script.play(
        (0.3, e.Answered(2), []),
        (0.3, post(), ["201 r1"]),
        (0.4, e.Answered(1), []),
        (0.5, e.Answered(3), []),
        (0.6, e.Answered(4), ["save e2 1 uncompleted r1/1?"]),
    )
    assert script.noted() == ["duplicate request"] * 3


def test_equal_requests_share_one_refusal() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.1, post(), []),
        (0.2, save_failed, ["503", "503", "erase rest r1"]),
    )


def test_a_client_that_gave_up_is_not_worked_for() -> None:
    """It was answered 503 by the time limit of the interface."""
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (3.9, e.Abandoned(1), ["erase rest r1"]),
    )
    assert script.node.idle and script.registry.quota.total() == 0


def test_one_that_gave_up_after_another_was_answered() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.1, post(), []),
        (3.9, saved, ["201 r1", "201 r1"]),
        (3.9, e.Answered(1), []),
        (3.9, e.Abandoned(2), ["save e2 1 uncompleted r1/1?"]),
    )


def test_one_of_two_that_gave_up() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.1, post(), []),
        (0.2, e.Abandoned(1), []),
        (0.3, saved, ["201 r1"]),
        (0.4, sent_201, ["save e2 1 uncompleted r1/1?"]),
    )


# --- nothing is lost between two requests


def test_a_delete_and_the_same_request_again_before_it_is_written_down() -> None:
    script = Script()
    script.subscribed()
    script.play(
        (1.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (1.0, post(), ["save rest r2 ongoing"]),
    )
    assert script.registry.meids.keys() == {"r1", "r2"}, "a repeated DELETE waits for the write"


def test_details_are_worked_on_in_their_order() -> None:
    details = [Detail(n, content(bytes([n]))) for n in (9, 3, 7)]
    script = Script()
    script.subscribed(request(*details))
    told = [x.xapp_event_instance_id for x in script.all if isinstance(x, c.Notify)]
    assert told == [9, 3, 7]


def test_different_action_types_in_different_details() -> None:
    details = [Detail(n, content(kind=kind)) for n, kind in enumerate(ActionType, 1)]
    script = Script()
    script.subscribed(request(*details))
    assert script.node.subscriptions.rest["r1"].instances == {1: 1, 2: 2, 3: 3}


def test_nothing_is_deleted_or_made_twice_when_a_request_is_repeated_a_hundred_times() -> None:
    script = Script()
    script.subscribed()
    for n in range(100):
        script.step(1.0 + n, post())
        script.step(1.0 + n, saved)
        script.step(1.0 + n, sent_201)
    assert sum(isinstance(x, c.SendToE2) for x in script.all) == 1
    assert sum(isinstance(x, c.CreateRoute) for x in script.all) == 1
    assert sum(isinstance(x, c.Notify) for x in script.all) == 101
