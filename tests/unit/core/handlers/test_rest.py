# SPDX-License-Identifier: Apache-2.0
"""What a POST is: the same request again, another one under a known id, or a new one; and which refusal comes first."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.core.observing import finish, outcomes, sent
from support.core.playbook import (
    Script,
    admitted,
    post,
    refused,
    routed,
    saved,
    sent_201,
)
from support.core.world import World, action, content, request

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.model import Detail, Directives
from submgr.e2ap import messages as m
from submgr.e2ap.messages import ActionType

ONE, TWO, NEW = content(), content(b"\x02"), content(b"\x03")


def refusal(script: Script) -> c.Refuse:
    (found,) = [x for x in script.commands if isinstance(x, c.Refuse)]
    return found


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


def policy(octet: int) -> Detail:
    return Detail(1, content(bytes([octet]), ActionType.POLICY))


def updated(world: World, subscription_id: str, detail: Detail) -> None:
    token = world.post(request(detail, subscription_id=subscription_id))
    world.settle()
    assert isinstance(world.answers[token], c.Accept)


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


# --- the same, with everything round the node


def test_again_after_a_failure_is_tried_again(world: World) -> None:
    world.post(request())
    world.write_next()
    world.answered(1)
    world.write_next()
    world.route_next()
    world.node_next("refuse")
    world.answer_next()
    first = world.answers[1]
    world.settle()
    assert world.subscribed(request()) == first.subscription_id  # type: ignore[union-attr]
    assert outcomes(world)[-1][1] != 0
    assert len(sent(world, m.SubscriptionRequest)) == 2


def test_with_the_id_only_what_is_missing_is_asked_for(world: World) -> None:
    """Of two details one was refused: the repeated request asks the node for that one only."""
    both = (Detail(1, content(b"\1")), Detail(2, content(b"\2")))
    token = world.post(request(*both))
    world.write_next()
    world.answered(token)
    world.write_next()
    world.route_next()
    world.node_next("refuse")
    world.answer_next()
    world.settle()
    subscription_id = world.answers[token].subscription_id  # type: ignore[union-attr]
    world.told.clear()
    world.log.clear()
    world.subscribed(request(*both, subscription_id=subscription_id))
    assert sorted(x for x, number, _ in outcomes(world) if number) == [1, 2]
    assert len(sent(world, m.SubscriptionRequest)) == 1
    finish(world)


def test_a_new_detail_under_a_known_id_is_added(world: World) -> None:
    subscription_id = world.subscribed(request(Detail(1, content())))
    world.subscribed(request(Detail(2, content(b"\7")), subscription_id=subscription_id))
    assert len(world.node.subscriptions.rest[subscription_id].instances) == 2
    finish(world)


def test_another_rmr_endpoint_under_a_known_id_is_refused(world: World) -> None:
    subscription_id = world.subscribed(request())
    token = world.post(request(subscription_id=subscription_id, rmr_port=4999))
    assert isinstance(world.answers[token], c.Refuse) and world.answers[token].status == 400
    world.subscribed(request(subscription_id=subscription_id, http_port=9090))
    assert world.told[-1].endpoint.http_port == 9090
    finish(world)


def test_digests_do_not_pile_up_with_updates() -> None:
    world = World()
    known = world.subscribed(request(policy(0)))
    for octet in range(1, 50):
        updated(world, known, policy(octet))
    assert len(world.node.subscriptions.digests) == 2


def test_a_request_keeps_its_id_though_another_one_takes_on_its_content() -> None:
    world = World()
    first, other = world.subscribed(request(policy(0))), world.subscribed(request(policy(1)))
    updated(world, other, policy(0))
    assert world.subscribed(request(policy(0))) == first
    world.delete(other)
    world.settle()
    assert world.subscribed(request(policy(0))) == first
