# SPDX-License-Identifier: Apache-2.0
"""How a valid POST is decided: which refusal comes first, what counts as the same request, when work may begin."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.core.playbook import (
    TIME,
    Script,
    admitted,
    delete,
    post,
    refused,
    routed,
    save_failed,
    save_unknown,
    saved,
    sent_201,
)
from support.core.world import action, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.model import Detail, Directives
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


# --- the same request again


def test_again_while_it_is_worked_on_is_answered_alike_and_nothing_else_happens() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.1, post(), ["201 r1"]),
        (0.2, e.Answered(1), []),
        (0.2, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.3, post(), ["201 r1"]),
        (0.3, sent_201, []),
        (0.4, post(request(subscription_id="r1")), ["201 r1"]),
        (0.5, saved, ["POST route 1 a-rmr"]),
    )


@pytest.mark.parametrize("subscription_id", [None, "r1"])
def test_again_after_success_is_told_again_without_traffic(subscription_id: str | None) -> None:
    script = Script()
    script.subscribed()
    script.play(
        (1.0, post(request(subscription_id=subscription_id)), ["save rest r1 1=1 ongoing"]),
        (1.0, saved, ["201 r1"]),
        (1.0, sent_201, ["tell r1/1 = 1", "save rest r1 1=1 (later)"]),
    )
    assert script.noted() == ["duplicate request"]


def test_again_after_a_failure_is_tried_again_under_the_same_id() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (0.0, routed, ["subscribe 1"]),
    )
    script.step(0.1, refused(1))
    script.play(
        (0.1, routed, ["erase e2 1"]),
        (0.1, saved, []),
        (1.0, post(), ["save rest r1 ongoing"]),
        (1.0, saved, ["201 r1"]),
        (1.0, sent_201, ["save e2 2 uncompleted r1/1?"]),
    )


def test_of_several_only_those_that_failed_are_tried_again() -> None:
    script = Script()
    wanted = request(Detail(1, ONE), Detail(2, TWO))
    script.step(0.0, post(wanted))
    script.step(0.0, saved)
    script.step(0.0, sent_201)
    script.step(0.0, saved)
    script.step(0.0, routed)
    script.step(0.0, admitted(1))
    script.step(0.0, saved)
    script.step(0.0, saved)
    script.step(0.0, routed)
    assert script.step(0.0, refused(2))[0].startswith("tell r1/2 failed")
    script.step(0.0, routed)
    script.step(0.0, saved)
    script.play(
        (1.0, post(wanted), ["save rest r1 1=1 ongoing"]),
        (1.0, saved, ["201 r1"]),
        (1.0, sent_201, ["tell r1/1 = 1", "save e2 3 uncompleted r1/2?"]),
    )


DIFFERENT = {
    "host": request(host="service-ricxapp-b-http"),
    "HTTP port": request(http_port=8081),
    "RMR port": request(rmr_port=4561),
    "directives": request(directives=Directives(2.0, 2, True)),
    "XappEventInstanceId": request(Detail(2, ONE)),
    "trigger": request(Detail(1, TWO)),
    "number of details": request(Detail(1, ONE), Detail(2, TWO)),
    "action definition": request(Detail(1, replace(ONE, actions=(action(definition=b"\x09"),)))),
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_another_request_is_another_subscription(other) -> None:
    script = Script()
    script.subscribed()
    script.play((1.0, post(other), ["save rest r2 ongoing"]))


def test_a_digest_is_found_though_another_request_took_its_place() -> None:
    """A POLICY was updated; the first request of its xApp, sent again after a restart, still finds it."""
    script = Script()
    first, second = (request(Detail(1, content(x, ActionType.POLICY))) for x in (b"\x01", b"\x02"))
    script.subscribed(first)
    script.step(1.0, post(replace(second, subscription_id="r1")))
    script.step(1.0, saved)
    script.step(1.0, sent_201)
    script.step(1.0, saved)
    script.step(1.0, admitted(1))
    script.step(1.0, saved)
    script.play((2.0, post(second), ["save rest r1 1=1 ongoing"]))
    script.step(2.0, saved)
    script.step(2.0, sent_201)
    script.step(2.0, saved)
    script.step(2.0, admitted(1))
    script.step(2.0, saved)
    script.play((3.0, post(first), ["save rest r1 1=1 ongoing"]))


def test_the_endpoint_may_have_another_http_port_under_its_id() -> None:
    script = Script()
    script.subscribed()
    script.play((1.0, post(request(http_port=9999, subscription_id="r1")), ["save rest r1 1=1 ongoing"]))
    assert script.commands[-1].record.http_port == 9999
    script.step(1.0, saved)
    script.step(1.0, sent_201)
    (note,) = [x for x in script.commands if isinstance(x, c.Notify)]
    assert note.endpoint.http_port == 9999


# --- refusals, and which comes first


def test_an_unknown_id_is_404() -> None:
    script = Script()
    script.play((0.0, post(request(subscription_id="never-was")), ["404"]))
    assert "never-was" in refusal(script).message
    assert script.node.idle


def test_other_content_while_it_is_worked_on_is_409_and_nothing_happens() -> None:
    script = Script()
    script.play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.1, post(request(Detail(1, NEW), subscription_id="r1")), ["409"]),
        (0.2, post(request(Detail(9, NEW), subscription_id="r1")), ["409"]),
        (0.3, e.Answered(1), ["save e2 1 uncompleted r1/1?"]),
    )
    assert script.registry.quota.total() == 1


@pytest.mark.parametrize("kind", [ActionType.REPORT, ActionType.INSERT])
def test_other_content_of_a_known_instance_is_400_and_named(kind: ActionType) -> None:
    script = Script()
    script.subscribed(request(Detail(5, content(kind=kind))))
    wanted = request(Detail(7, NEW), Detail(5, content(b"\x09", kind)), subscription_id="r1")
    script.play((1.0, post(wanted), ["400"]))
    (error,) = refusal(script).errors
    assert error.field == "SubscriptionDetails[1]" and "5" in error.message
    assert script.registry.quota.total() == 0


def test_another_rmr_endpoint_under_a_known_id_is_400() -> None:
    script = Script()
    script.subscribed()
    for other in (request(rmr_port=4999), request(host="service-ricxapp-b-http")):
        script.play((1.0, post(replace(other, subscription_id="r1")), ["400"]))
        assert [error.field for error in refusal(script).errors] == ["ClientEndpoint"]


def test_all_that_is_wrong_is_told_together() -> None:
    script = Script()
    script.subscribed()
    script.play((1.0, post(request(Detail(1, NEW), rmr_port=4999, subscription_id="r1")), ["400"]))
    assert [error.field for error in refusal(script).errors] == ["ClientEndpoint", "SubscriptionDetails[0]"]


def test_a_new_instance_under_a_known_id_is_added() -> None:
    script = Script()
    script.subscribed()
    script.play(
        (1.0, post(request(Detail(2, NEW), subscription_id="r1")), ["save rest r1 1=1 ongoing"]),
        (1.0, saved, ["201 r1"]),
        (1.0, sent_201, ["save e2 2 uncompleted r1/2?"]),
    )


def test_no_place_for_its_notifications_is_503_with_retry_after() -> None:
    script = Script(places=2)
    script.play(
        (0.0, post(request(Detail(1, ONE), Detail(2, TWO))), ["save rest r1 ongoing"]),
        (0.1, post(request(Detail(3, NEW))), ["503"]),
    )
    assert refusal(script).retry_after
    # another endpoint has places of its own
    script.play((0.2, post(request(Detail(3, NEW), http_port=1)), ["save rest r3 ongoing"]))


def test_places_are_free_again_when_told() -> None:
    script = Script(places=1)
    script.subscribed()
    assert script.registry.quota.total() == 0
    script.play((1.0, post(request(Detail(3, NEW))), ["save rest r2 ongoing"]))


def test_409_and_400_come_before_503() -> None:
    script = Script(places=1)
    script.subscribed()
    script.play((1.0, post(request(Detail(1, NEW), subscription_id="r1")), ["400"]))
    script.play(
        (1.0, post(request(Detail(7, NEW))), ["save rest r3 ongoing"]),
        (1.0, post(request(Detail(8, NEW), subscription_id="r3")), ["409"]),
        (1.0, post(request(Detail(8, NEW), subscription_id="gone")), ["404"]),
        (1.0, post(request(Detail(8, NEW))), ["503"]),
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
