# SPDX-License-Identifier: Apache-2.0
"""xApps that subscribe over RMR: what they send again, what they are answered, and when they are not."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.waiting import eventually

from submgr.e2ap.messages import (
    Action,
    ActionType,
    RequestId,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
)
from submgr.rmr.message import Message
from submgr.simulators.xapp import RmrAnswer

SUBSCRIBED, REFUSED, DELETED = 12011, 12012, 12021
REQUESTOR = 77


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[Neighbourhood, Daemon]]:
    with Neighbourhood(rmr=True) as around, Daemon(around) as daemon:
        yield around, daemon


@pytest.fixture
def around(_running: tuple[Neighbourhood, Daemon]) -> Iterator[Neighbourhood]:
    around, daemon = _running
    yield around
    around.e2term.rules.clear()
    around.rtmgr.rules.clear()
    for meid in around.e2term.nodes:
        daemon.platform("DELETE", f"delete_all_e2node_subscriptions/{meid}")
    eventually(lambda: around.empty() and daemon.listed() == [])
    around.reset()


@pytest.fixture
def daemon(_running: tuple[Neighbourhood, Daemon]) -> Daemon:
    return _running[1]


class OldXapp:
    """An xApp of the older guide."""

    def __init__(self, around: Neighbourhood, daemon: Daemon) -> None:
        self.xapp = around.xapp
        self.to = f"127.0.0.1:{daemon.rmr_port}"

    def subscribe(self, xid: str, trigger: bytes = b"\1", kind: ActionType = ActionType.REPORT) -> None:
        wanted = SubscriptionRequest(RequestId(REQUESTOR, 0), 2, trigger, (Action(1, kind, b"\5\6"),))
        self.xapp.subscribe("gnb_1", wanted, xid.encode(), self.to)

    def delete(self, xid: str, instance: int) -> None:
        self.xapp.unsubscribe("gnb_1", RequestId(REQUESTOR, instance), 2, xid.encode(), self.to)

    def answers(self, count: int) -> list[RmrAnswer]:
        """So many, and no more in a while."""
        assert self.xapp.wait_for_answers(count), self.xapp.answers
        gevent.sleep(0.2)
        assert len(self.xapp.answers) == count, self.xapp.answers
        return self.xapp.answers


@pytest.fixture
def old(around: Neighbourhood, daemon: Daemon) -> OldXapp:
    return OldXapp(around, daemon)


def words(answer: RmrAnswer) -> tuple[int, str]:
    return answer.mtype, answer.xid.rstrip(b"\0").decode()


@pytest.mark.parametrize("kind", list(ActionType))
def test_subscribed_and_deleted(around: Neighbourhood, daemon: Daemon, old: OldXapp, kind: ActionType) -> None:
    old.subscribe("a", kind=kind)
    (answer,) = old.answers(1)
    assert words(answer) == (SUBSCRIBED, "a") and answer.meid == "gnb_1"
    number = answer.sub_id
    assert answer.message is not None and answer.message.request_id == RequestId(REQUESTOR, number)
    assert around.holds() == {number}
    assert around.rtmgr.routes[number] == [f"127.0.0.1:{around.xapp.rmr_port}"]
    assert [item["SubscriptionId"] for item in daemon.listed()] == [number]
    old.delete("b", number)
    deleted = old.answers(2)[1]
    assert words(deleted) == (DELETED, "b")
    assert isinstance(deleted.message, SubscriptionDeleteResponse)
    assert deleted.message.request_id == RequestId(REQUESTOR, number)
    assert around.empty()


def test_sent_again_while_it_is_worked_on(around: Neighbourhood, daemon: Daemon, old: OldXapp) -> None:
    around.node_does(procedure="subscribe", delay=0.2)
    for _ in range(3):
        old.subscribe("same")
    assert [words(answer) for answer in old.answers(1)] == [(SUBSCRIBED, "same")]
    assert around.e2term.received[12010] == 1


def test_the_same_content_in_another_transaction(around: Neighbourhood, daemon: Daemon, old: OldXapp) -> None:
    around.node_does(procedure="subscribe", delay=0.2)
    old.subscribe("one")
    old.subscribe("two")
    answers = old.answers(2)
    assert {words(answer) for answer in answers} == {(SUBSCRIBED, "one"), (SUBSCRIBED, "two")}
    assert len({answer.sub_id for answer in answers}) == 1
    assert around.e2term.received[12010] == 1


def test_a_delete_sent_again(around: Neighbourhood, daemon: Daemon, old: OldXapp) -> None:
    old.subscribe("a")
    number = old.answers(1)[0].sub_id
    around.node_does(procedure="delete", delay=0.2)
    for _ in range(3):
        old.delete("d", number)
    assert [words(answer) for answer in old.answers(2)[1:]] == [(DELETED, "d")]
    assert around.e2term.received[12020] == 1
    old.delete("d", number)
    assert words(old.answers(3)[2]) == (DELETED, "d")
    assert around.e2term.received[12020] == 1


def test_refused(around: Neighbourhood, daemon: Daemon, old: OldXapp) -> None:
    around.node_does(refuse="ricRequest: action-not-supported")
    old.subscribe("a")
    (answer,) = old.answers(1)
    assert words(answer) == (REFUSED, "a")
    assert isinstance(answer.message, SubscriptionFailure)
    assert answer.message.request_id.requestor == REQUESTOR
    assert answer.message.cause is not None
    eventually(around.empty)


def test_a_node_that_is_silent_is_not_answered_for(around: Neighbourhood, daemon: Daemon, old: OldXapp) -> None:
    around.node_does(procedure="subscribe", silent="answer")
    old.subscribe("a")
    eventually(lambda: around.e2term.received[12020] == 1)
    eventually(around.empty)
    old.answers(0)


@pytest.mark.parametrize("rule", [{"refuse": "ricRequest: request-id-unknown"}, {"silent": "request"}], ids=str)
def test_a_delete_is_always_answered_with_a_response(
    around: Neighbourhood, daemon: Daemon, old: OldXapp, rule: dict[str, str]
) -> None:
    old.subscribe("a")
    number = old.answers(1)[0].sub_id
    around.node_does(procedure="delete", **rule)
    old.delete("d", number)
    assert words(old.answers(2)[1]) == (DELETED, "d")
    assert daemon.listed() == []
    around.e2term.nodes["gnb_1"].lose_all()


def test_what_rest_and_rmr_share_ends_with_the_last_of_them(
    around: Neighbourhood, daemon: Daemon, old: OldXapp
) -> None:
    old.subscribe("a", b"\1\2\3")
    number = old.answers(1)[0].sub_id
    over_rest = daemon.subscribe(around.request("gnb_1", detail(1)))
    assert around.xapp.wait(1)
    assert around.xapp.instances()[0]["E2EventInstanceId"] == number
    old.delete("d", number)
    old.answers(2)
    assert around.holds() == {number}
    assert around.rtmgr.routes == {number: ["127.0.0.1:4560"]}
    daemon.unsubscribe(over_rest)
    eventually(around.empty)


def test_garbage_is_not_answered_and_hurts_nobody(around: Neighbourhood, daemon: Daemon, old: OldXapp) -> None:
    for payload in (b"", b"\xff" * 40, b"\x00\x08\x00"):
        for mtype in (12010, 12020, 12023, 999):
            around.e2term.send(Message(mtype, payload, xid=b"g", meid="gnb_1"), old.to)
    old.subscribe("after")
    assert words(old.answers(1)[0]) == (SUBSCRIBED, "after")
