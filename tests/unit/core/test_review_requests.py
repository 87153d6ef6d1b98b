# SPDX-License-Identifier: Apache-2.0
"""Repeated and changed requests, deletes while others are written down, what is counted."""

from __future__ import annotations

from support.core.world import World, content, request

from submgr.core import commands as c
from submgr.core.model import Detail, Directives
from submgr.e2ap.messages import ActionType


def policy(octet: int) -> Detail:
    return Detail(1, content(bytes([octet]), ActionType.POLICY))


def updated(world: World, subscription_id: str, detail: Detail) -> None:
    token = world.post(request(detail, subscription_id=subscription_id))
    world.settle()
    assert isinstance(world.answers[token], c.Accept)


def test_digests_do_not_pile_up_with_updates() -> None:
    world = World()
    known = world.subscribed(request(policy(0)))
    for octet in range(1, 50):
        updated(world, known, policy(octet))
    assert len(world.node.subscriptions.digests) == 2


def test_after_a_delete_every_digest_of_it_is_free() -> None:
    world = World()
    known = world.subscribed(request(policy(0)))
    for octet in (1, 2, 3):
        updated(world, known, policy(octet))
    world.delete(known)
    world.settle()
    assert not world.node.subscriptions.digests
    for octet in range(4):
        fresh = world.subscribed(request(policy(octet)))
        assert fresh != known
        world.delete(fresh)
        world.settle()
    world.check_quiet()


def test_a_request_keeps_its_id_though_another_one_takes_on_its_content() -> None:
    world = World()
    first, other = world.subscribed(request(policy(0))), world.subscribed(request(policy(1)))
    updated(world, other, policy(0))
    assert world.subscribed(request(policy(0))) == first
    world.delete(other)
    world.settle()
    assert world.subscribed(request(policy(0))) == first


def test_a_repeated_delete_is_confirmed_no_sooner_than_the_first_one_is_written_down() -> None:
    world = World()
    known = world.subscribed(request())
    first, second = world.delete(known), world.delete(known)
    assert world.registry.meids[known], "whoever asks has to wait for the write"
    assert first not in world.answers
    assert second not in world.answers
    post = world.post(request(subscription_id=known))
    refused = world.answers[post]
    assert isinstance(refused, c.Refuse) and refused.status == 404
    world.write_next()
    assert isinstance(world.answers[first], c.ConfirmDelete)
    assert isinstance(world.answers[second], c.ConfirmDelete)
    assert known not in world.registry.meids
    world.settle()
    world.check_quiet()


def counted(world: World, what: c.Note) -> int:
    return sum(command.n for command in world.log if isinstance(command, c.Noted) and command.what is what)


def test_merged_and_unmerged_are_counted_once_per_endpoint_that_joins_or_leaves_whatever_its_route() -> None:
    world = World()
    world.subscribed(request(host="a-http"))
    routed = world.subscribed(request(host="b-http"))
    unrouted = world.subscribed(request(host="c-http", directives=Directives(routing=False)))
    assert counted(world, c.Note.MERGED) == 2
    again = world.subscribed(request(host="b-http", http_port=8081))
    assert counted(world, c.Note.MERGED) == 2, "the same endpoint asks once more: nothing is merged"
    world.delete(again)
    world.settle()
    assert counted(world, c.Note.UNMERGED) == 0
    world.delete(unrouted)
    world.settle()
    assert counted(world, c.Note.UNMERGED) == 1
    world.delete(routed)
    while not world.route_calls:
        world.write_next()
    world.route_next("refused")
    world.settle()
    assert counted(world, c.Note.UNMERGED) == 2


def test_a_merge_that_fails_is_none() -> None:
    world = World()
    world.subscribed(request(host="a-http"))
    token = world.post(request(host="b-http"))
    world.write_next()
    world.answered(token)
    world.write_next()
    world.route_next("refused")
    world.settle()
    assert counted(world, c.Note.MERGED) == counted(world, c.Note.UNMERGED) == 0


def test_a_partial_admission_is_counted_once_when_it_arrives() -> None:
    world = World()
    token = world.post(request(host="a-http"))
    world.write_next()
    world.answered(token)
    world.write_next()
    world.route_next()
    world.node_next(partial=True)
    world.answer_next()
    assert counted(world, c.Note.PARTIAL) == 1
    world.settle()
    world.subscribed(request(host="b-http"))
    world.subscribed(request(host="b-http"))
    assert counted(world, c.Note.PARTIAL) == 1


def test_a_partial_admission_for_an_rmr_xapp_is_counted_too() -> None:
    world = World()
    world.subscribe_over_rmr(content())
    world.write_next()
    world.route_next()
    world.node_next(partial=True)
    world.answer_next()
    assert counted(world, c.Note.PARTIAL) == 1
