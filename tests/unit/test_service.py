# SPDX-License-Identifier: Apache-2.0
"""The use cases: which refusal comes first, what is bounded in time, what is listed, what operators may do."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from msgspec.structs import replace
from support.core.outside import Outside, report, turns
from support.waiting import turns_until

from submgr import service
from submgr.core import events as e
from submgr.core.commands import Accept
from submgr.core.errors import NodeDownError, RefusedError
from submgr.core.model import ClientEndpoint, Content, Detail, RmrEndpoint, RmrHolder, SubscribeRequest
from submgr.e2ap.messages import ActionType
from submgr.orphans import Orphan
from submgr.runtime.ports import MType
from submgr.runtime.replies import Replies
from submgr.service import Accepted, Service

STATES = {"gnb_1": "connected", "gnb_2": "connected", "gnb_down": "not connected", "gnb_reset": "under reset"}


class Nodes:
    """R-NIB, as told."""

    def __init__(self) -> None:
        self.states = dict(STATES)

    def connected(self) -> list[str]:
        return sorted(name for name, state in self.states.items() if state == "connected")

    def is_connected_now(self, meid: str) -> bool:
        return self.states.get(meid) == "connected"

    def knows(self, meid: str) -> bool:
        return meid in self.states

    def describe(self, meid: str) -> str:
        return self.states.get(meid, "not known")


class Debug:
    """The database requests of the debug interface, and the restart, as a list of what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def remove_record(self, instance_id: int) -> bool:
        self.asked.append(f"remove {instance_id}")
        return instance_id == 1

    def empty(self) -> None:
        self.asked.append("empty")

    def restart(self) -> None:
        self.asked.append("restart")


class Bench:
    def __init__(self) -> None:
        self.outside = Outside()
        self.nodes = Nodes()
        self.debug = Debug()
        replies = Replies()
        self.outside.reply_to = replies.reply
        self.replies = replies
        self.service = Service(self.outside.dispatcher, replies, self.nodes, self.debug, self.debug.restart)

    def request(self, meid: str = "gnb_1", *details: Detail, host: str = "xapp-http", **more: object):
        request = SubscribeRequest(ClientEndpoint(host, 8080, 4560), meid, 2, details or (report(1),))
        return replace(request, **more)  # type: ignore[arg-type]

    def subscribe(self, request: SubscribeRequest | None = None) -> str:
        accepted = self.service.subscribe(request or self.request())
        accepted.start()
        turns()
        return accepted.subscription_id

    def refused(self, request: SubscribeRequest) -> RefusedError:
        with pytest.raises(RefusedError) as caught:
            self.service.subscribe(request)
        return caught.value


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.outside.dispatcher.stop()


class AnyNode:
    def connected(self) -> list[str]:
        return ["gnb_1", "gnb_2"]

    def is_connected_now(self, meid: str) -> bool:
        return True

    def knows(self, meid: str) -> bool:
        return True

    def describe(self, meid: str) -> str:
        return "connected"


class NoDebug:
    def remove_record(self, instance_id: int) -> bool:
        return False

    def empty(self) -> None: ...


# --- subscribe


def test_a_ran_function_that_is_refused_leaves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[SubscribeRequest] = []

    def refuse(request: SubscribeRequest) -> None:
        asked.append(request)
        raise RefusedError(400, "no such RAN function")

    monkeypatch.setattr(bench.service, "_check_function", refuse)
    with pytest.raises(RefusedError):
        bench.service.subscribe(bench.request())
    turns()
    assert asked == [bench.request()]
    assert bench.outside.rest == {}


def test_work_starts_when_the_answer_is_written(bench: Bench) -> None:
    accepted = bench.service.subscribe(bench.request())
    assert isinstance(accepted, Accepted) and len(accepted.subscription_id) == 27
    turns()
    assert bench.outside.told == [] and bench.outside.sent == []
    assert list(bench.outside.rest) == [accepted.subscription_id]
    accepted.start()
    turns()
    assert [note.subscription_id for note in bench.outside.told] == [accepted.subscription_id]


def test_the_same_request_again_has_the_same_id(bench: Bench) -> None:
    assert bench.subscribe() == bench.subscribe()
    assert len(bench.outside.sent) == 1
    assert len(bench.outside.told) == 2


@pytest.mark.parametrize(
    ("meid", "words"), [("gnb_down", "not connected"), ("gnb_reset", "under reset"), ("gnb_9", "not known")]
)
def test_a_node_that_is_not_there_is_named_with_those_that_are(bench: Bench, meid: str, words: str) -> None:
    error = bench.refused(bench.request(meid))
    assert isinstance(error, NodeDownError) and error.status == 503
    assert error.message == f"E2 node {meid} is {words}; connected E2 nodes: gnb_1, gnb_2"


def test_very_many_nodes_are_not_all_named(bench: Bench) -> None:
    bench.nodes.states = {f"gnb_{n:04}": "connected" for n in range(1000)}
    message = bench.refused(bench.request("nobody")).message
    assert message.endswith("and 950 more") and message.count("gnb_") == 50


def test_no_node_at_all(bench: Bench) -> None:
    bench.nodes.states = {}
    assert bench.refused(bench.request()).message.endswith("connected E2 nodes: none")


def test_the_order_of_refusals(bench: Bench) -> None:
    """404 unknown id, 503 node, 400 other node, 409, 400 other content."""
    known = bench.subscribe()
    other = replace(report(1), content=Content(2, b"\x99", report(1).content.actions))
    assert bench.refused(bench.request("gnb_down", subscription_id="gone")).status == 404
    assert bench.refused(bench.request("gnb_down", subscription_id=known)).status == 503
    moved = bench.refused(bench.request("gnb_2", subscription_id=known))
    assert (moved.status, moved.errors[0].field) == (400, "Meid")
    assert bench.refused(bench.request("gnb_1", other, subscription_id=known)).status == 400
    bench.service.subscribe(bench.request("gnb_1", report(2), subscription_id=known))
    assert bench.refused(bench.request("gnb_1", other, subscription_id=known)).status == 409


def test_everything_is_answered_within_five_seconds_whatever_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A POST and a DELETE while the store hangs, and a POST whose worker says nothing; all at once."""
    assert service.REPLY_WITHIN < 5.0
    posting, deleting, mute = Bench(), Bench(), Bench()
    deleting.outside.now = 0.0
    going = deleting.subscribe()
    monkeypatch.setattr(service, "REPLY_WITHIN", 0.001)
    posting.outside.hung = deleting.outside.hung = True
    mute.outside.reply_to = None
    waiting = [
        gevent.spawn(posting.refused, posting.request()),
        gevent.spawn(deleting.service.unsubscribe, going),
        gevent.spawn(mute.refused, mute.request()),
    ]
    gevent.joinall(waiting, timeout=5, raise_error=True)
    assert all(greenlet.ready() for greenlet in waiting)
    assert waiting[0].value.status == waiting[2].value.status == 503
    deleting.outside.advance(5.0)
    assert not deleting.outside.e2
    for bench in (posting, mute):
        # nobody was told that it was accepted: nothing is left of it
        assert bench.outside.registry.quota.total() == 0
        assert list(bench.outside.dispatcher.workers) == []
    posting.outside.hung = False
    monkeypatch.undo()  # a busy machine may take longer than that
    assert posting.subscribe()


def test_a_reply_that_comes_too_late_hurts_nobody(bench: Bench) -> None:
    token, waiting = bench.replies.open()
    bench.replies.close(token)
    bench.replies.reply(Accept(token, "x"))
    assert not waiting.ready()


def test_tokens_are_never_given_twice(bench: Bench) -> None:
    tokens = [bench.replies.open()[0], bench.replies.token(), bench.replies.open()[0], bench.replies.token()]
    assert len(set(tokens)) == 4


# --- unsubscribe


def test_a_delete_is_written_down_before_it_returns(bench: Bench) -> None:
    subscription_id = bench.subscribe()
    bench.outside.silent.add("gnb_1")
    bench.service.unsubscribe(subscription_id)
    assert bench.outside.rest[subscription_id].delete_ongoing
    assert bench.refused(bench.request(subscription_id=subscription_id)).status == 404


def test_a_delete_of_what_is_not_known_returns_at_once(bench: Bench) -> None:
    bench.service.unsubscribe("never-was")
    subscription_id = bench.subscribe()
    bench.service.unsubscribe(subscription_id)
    bench.service.unsubscribe(subscription_id)
    turns()
    assert not bench.outside.rest and not bench.outside.e2


def test_an_operator_deletes_what_anybody_has_made(bench: Bench) -> None:
    subscription_id = bench.subscribe(bench.request(owner="xapp-a"))
    bench.outside.silent.add("gnb_1")
    assert bench.service.delete_subscription(subscription_id)
    assert bench.outside.rest[subscription_id].delete_ongoing
    assert bench.service.delete_subscription(subscription_id), "it is still there, being deleted"
    assert not bench.service.delete_subscription("never-was")


# --- ownership


def test_what_another_owner_has_made_is_as_if_it_were_not_there(bench: Bench) -> None:
    mine = bench.subscribe(bench.request(owner="xapp-a"))
    assert bench.service.owns("xapp-a", mine)
    assert not bench.service.owns("xapp-b", mine)
    assert bench.refused(bench.request(owner="xapp-b", subscription_id=mine)).status == 404
    with pytest.raises(RefusedError, match="is not known") as caught:
        bench.service.unsubscribe(mine, "xapp-b")
    assert caught.value.status == 404
    assert list(bench.outside.rest) == [mine]
    assert bench.subscribe(bench.request(owner="xapp-a", subscription_id=mine)) == mine
    bench.service.unsubscribe(mine, "xapp-a")
    bench.service.unsubscribe("unknown", "xapp-a")  # taken as deleted already, as ever
    turns()
    assert list(bench.outside.rest) == []


def test_the_same_request_of_another_owner_is_another_subscription(bench: Bench) -> None:
    first = bench.subscribe(bench.request(owner="xapp-a"))
    assert bench.subscribe(bench.request(owner="xapp-a")) == first
    assert bench.subscribe(bench.request(owner="xapp-b")) != first
    assert bench.subscribe(bench.request()) != first


def test_what_has_no_owner_is_nobodys_but_the_operators(bench: Bench) -> None:
    made_before = bench.subscribe()
    assert not bench.service.owns("xapp-a", made_before)
    with pytest.raises(RefusedError):
        bench.service.unsubscribe(made_before, "xapp-a")
    bench.service.unsubscribe(made_before)
    turns()
    assert list(bench.outside.rest) == []


def test_an_owner_is_asked_to_wait_while_nobody_knows_whose_it_is(bench: Bench) -> None:
    """A worker that ended by a bug is being started anew."""
    bench.outside.registry.meids["mine"] = "gnb_1"
    for ask in (
        lambda: bench.service.unsubscribe("mine", "xapp-a"),
        lambda: bench.service.subscribe(bench.request(owner="xapp-a", subscription_id="mine")),
    ):
        with pytest.raises(RefusedError, match="send the request again") as caught:
            ask()
        assert (caught.value.status, caught.value.retry_after) == (503, 1)


# --- queries


def test_nodes(bench: Bench) -> None:
    assert bench.service.connected_nodes() == ["gnb_1", "gnb_2"]
    assert bench.service.known_node("gnb_down") and not bench.service.known_node("gnb_9")


def test_a_node_that_rnib_forgot_is_known_while_it_has_subscriptions(bench: Bench) -> None:
    bench.subscribe()
    bench.nodes.states = {}
    assert bench.service.known_node("gnb_1")


# --- operators


def test_all_of_a_node(bench: Bench) -> None:
    bench.subscribe()
    bench.subscribe(bench.request("gnb_1", report(2), host="other-http"))
    bench.subscribe(bench.request("gnb_2"))
    source = RmrEndpoint("old-rmr", 4560)
    content = Content(2, b"\x44", report(1).content.actions)
    bench.outside.dispatcher.post("gnb_1", e.SubscribeOverRmr(bench.replies.token(), source, b"x", 7, content))
    turns()
    assert len(bench.outside.e2) == 4
    assert bench.service.delete_node_subscriptions("gnb_1")
    turns()
    assert {record.meid for record in bench.outside.e2.values()} == {"gnb_2"}
    assert len(bench.outside.rest) == 1


def test_all_of_a_node_that_has_none_or_is_not_known(bench: Bench) -> None:
    assert bench.service.delete_node_subscriptions("gnb_2")
    assert not bench.service.delete_node_subscriptions("gnb_9")


def test_all_of_an_xapp_on_all_nodes(bench: Bench) -> None:
    bench.subscribe()
    bench.subscribe(bench.request("gnb_2"))
    kept = bench.subscribe(bench.request("gnb_2", report(1), host="other-http"))
    assert bench.service.delete_xapp_subscriptions("xapp-http")
    turns()
    assert list(bench.outside.rest) == [kept]
    assert not bench.service.delete_xapp_subscriptions("xapp-http")


def test_orphans_leave_as_if_their_xapps_had_asked_for_it(bench: Bench) -> None:
    gone, kept = bench.subscribe(), bench.subscribe(bench.request("gnb_1", report(2), host="other-http"))
    holder = RmrHolder(RmrEndpoint("old-rmr", 4560), 7)
    content = Content(2, b"\x44", report(1).content.actions)
    subscribe = e.SubscribeOverRmr(bench.replies.token(), holder.endpoint, b"x", holder.requestor_id, content)
    bench.outside.dispatcher.post("gnb_1", subscribe)
    turns()
    assert len(bench.outside.e2) == 3
    bench.service.remove_orphans(
        [
            Orphan(gone, "gnb_1", "xapp-http", 5.0, "gone"),
            Orphan(max(bench.outside.e2), "gnb_1", "old-rmr:4560", 5.0, "gone", holder),
            Orphan(99, "gnb_1", "was deleted meanwhile", 5.0, "gone", holder),
            Orphan("unknown", "gnb_9", "was deleted meanwhile", 5.0, "gone"),
        ]
    )
    turns()
    assert list(bench.outside.rest) == [kept]
    assert [record.holders[0].key.subscription_id for record in bench.outside.e2.values()] == [kept]
    assert sorted(gone for _, mtype, gone in bench.outside.sent if mtype is MType.DELETE) == [1, 3]


def test_debug_requests_are_passed_on(bench: Bench) -> None:
    assert bench.service.remove_record(1) and not bench.service.remove_record(2)
    bench.service.empty_database()
    bench.service.restart()
    assert bench.debug.asked == ["remove 1", "remove 2", "empty", "restart"]


def test_a_hundred_at_once_over_two_nodes(bench: Bench) -> None:
    """Each client is its own greenlet, as behind the HTTP server."""

    def client(n: int) -> str:
        detail = Detail(1, Content(2, n.to_bytes(2, "big"), report(1).content.actions))
        accepted = bench.service.subscribe(bench.request(f"gnb_{1 + n % 2}", detail))
        accepted.start()
        return accepted.subscription_id

    clients = [gevent.spawn(client, n) for n in range(100)]
    gevent.joinall(clients, timeout=10, raise_error=True)
    turns_until(lambda: len(bench.outside.told) >= 100)
    assert len({greenlet.value for greenlet in clients}) == 100
    assert {note.instance_id for note in bench.outside.told} == set(range(1, 101))


def test_kinds_are_subscribed_alike(bench: Bench) -> None:
    for n, kind in enumerate(ActionType, 1):
        actions = (replace(report(1).content.actions[0], action_type=kind),)
        bench.subscribe(bench.request("gnb_1", Detail(n, Content(2, b"\1", actions))))
    assert [note.instance_id for note in bench.outside.told] == [1, 2, 3]


# --- a known id for another E2 node


def test_another_meid_is_a_conflict_while_the_id_is_worked_on_and_a_mistake_afterwards() -> None:
    outside, replies = Outside(), Replies()
    outside.reply_to = replies.reply
    service = Service(outside.dispatcher, replies, AnyNode(), NoDebug(), lambda: None)
    accepted = service.subscribe(outside.request("gnb_1", report(1)))
    moved = replace(outside.request("gnb_2", report(1)), subscription_id=accepted.subscription_id)
    with pytest.raises(RefusedError) as caught:
        service.subscribe(moved)
    assert caught.value.status == 409
    accepted.start()
    turns()
    with pytest.raises(RefusedError) as caught:
        service.subscribe(moved)
    assert caught.value.status == 400
    assert [error.field for error in caught.value.errors] == ["Meid"]
    outside.dispatcher.stop()
