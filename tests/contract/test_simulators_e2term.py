# SPDX-License-Identifier: Apache-2.0
"""The E2 Termination simulator over its RMR port and its control interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from gevent import socket
from support.waiting import eventually

from submgr.e2ap import codec
from submgr.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
)
from submgr.platform.http.client import HttpClient
from submgr.platform.http.listen import ListenError
from submgr.rmr.message import Message, Status
from submgr.rmr.routing.reader import TableBuilder
from submgr.rmr.transport import TransportConfig, TransportError
from submgr.rmr.wire.transport import WireTransport
from submgr.simulators.e2term import E2TermConfig, E2TermSimulator
from submgr.simulators.nodes import NodeState
from submgr.simulators.rules import E2Rule
from submgr.simulators.xapp import RmrAnswer, XappConfig, XappSimulator

ACTIONS = (Action(1, ActionType.REPORT, b"\5"), Action(2, ActionType.REPORT, b"\6"))


def request(instance: int, trigger: bytes = b"\1") -> SubscriptionRequest:
    return SubscriptionRequest(RequestId(123, instance), 2, trigger, ACTIONS)


@pytest.fixture
def e2term() -> Iterator[E2TermSimulator]:
    simulator = E2TermSimulator(E2TermConfig(nodes=("gnb1", "gnb2")))
    simulator.start()
    yield simulator
    simulator.stop()


class Asker:
    """Stands for the Subscription Manager: asks, and has the answers in their order."""

    def __init__(self, e2term: E2TermSimulator) -> None:
        self._peer = XappSimulator(XappConfig(rmr_port=0, submgr=e2term.endpoint))
        self._peer.start()
        self.stop = self._peer.stop

    def subscribe(self, meid: str, instance: int, xid: bytes = b"") -> None:
        assert self._peer.subscribe(meid, request(instance), xid) is Status.OK

    def delete(self, meid: str, instance: int, xid: bytes = b"") -> None:
        assert self._peer.unsubscribe(meid, RequestId(123, instance), 2, xid) is Status.OK

    def answers(self, count: int) -> list[RmrAnswer]:
        assert self._peer.wait_for_answers(count), self._peer.answers
        assert len(self._peer.answers) == count
        return self._peer.answers


@pytest.fixture
def asker(e2term: E2TermSimulator) -> Iterator[Asker]:
    asker = Asker(e2term)
    yield asker
    asker.stop()


@pytest.fixture
def control(e2term: E2TermSimulator) -> Iterator[Any]:
    client = HttpClient()
    assert e2term.control is not None
    base = f"http://{e2term.control.address}"

    def call(method: str, path: str, body: object = None, status: int = 200) -> Any:
        answer = client.request(method, base + path, body=None if body is None else json.dumps(body).encode())
        assert answer.status == status, answer.body
        return json.loads(answer.body) if answer.body else None

    yield call
    client.close()


def test_subscribes_and_deletes(e2term: E2TermSimulator, asker: Asker) -> None:
    asker.subscribe("gnb1", 7, b"x1")
    (answer,) = asker.answers(1)
    assert (answer.mtype, answer.meid, answer.xid.rstrip(b"\0")) == (12011, "gnb1", b"x1")
    assert answer.message == SubscriptionResponse(RequestId(123, 7), 2, (1, 2))
    assert e2term.nodes["gnb1"].subscriptions[7].actions == ACTIONS
    asker.delete("gnb1", 7)
    asker.delete("gnb1", 7)
    _, deleted, again = asker.answers(3)
    assert (deleted.mtype, again.mtype) == (12021, 12022)
    assert isinstance(deleted.message, SubscriptionDeleteResponse)
    assert isinstance(again.message, SubscriptionDeleteFailure) and again.message.cause == Cause(1, 6)
    assert not e2term.nodes["gnb1"].subscriptions
    assert dict(e2term.received) == {12010: 1, 12020: 2}


def test_nodes_are_separate_and_unknown_ones_are_silent(e2term: E2TermSimulator, asker: Asker) -> None:
    asker.subscribe("nobody", 1)
    asker.subscribe("gnb1", 1)
    asker.subscribe("gnb2", 1)
    assert [answer.meid for answer in asker.answers(2)] == ["gnb1", "gnb2"]
    assert [entry["why"] for entry in e2term.log.entries(event="dropped")] == ["unknown node"]


def test_any_node(asker: Asker) -> None:
    e2term = E2TermSimulator(E2TermConfig(any_node=True, control=None))
    e2term.start()
    peer = XappSimulator(XappConfig(rmr_port=0, submgr=e2term.endpoint))
    peer.start()
    peer.subscribe("new", request(1))
    assert peer.wait_for_answers(1)
    assert list(e2term.nodes) == ["new"]
    peer.stop()
    e2term.stop()


def test_silence_before_and_behind_the_node(e2term: E2TermSimulator, asker: Asker) -> None:
    e2term.rules.add(E2Rule(silent="request", count=1), E2Rule(silent="answer", count=1))
    asker.subscribe("gnb1", 1)
    assert e2term.log.wait(lambda: len(e2term.log.entries(event="dropped")) == 1)
    assert not e2term.nodes["gnb1"].subscriptions
    asker.subscribe("gnb1", 1)
    assert e2term.log.wait(lambda: len(e2term.log.entries(event="dropped")) == 2)
    assert list(e2term.nodes["gnb1"].subscriptions) == [1]
    asker.subscribe("gnb1", 1)
    asker.answers(1)


def test_refusals_and_wrong_types(e2term: E2TermSimulator, asker: Asker) -> None:
    e2term.rules.add(
        E2Rule(procedure="subscribe", refuse="ricRequest: action-not-supported", count=1),
        E2Rule(procedure="delete", refuse="misc: unspecified", mtype=12012, count=1),
        E2Rule(instance=3, answer_meid="gnb2"),
        E2Rule(instance=4, answer_meid=""),
        E2Rule(instance=5, payload="deadbeef"),
    )
    asker.subscribe("gnb1", 1)
    asker.delete("gnb1", 1)
    for instance in (3, 4, 5):
        asker.subscribe("gnb1", instance)
    refused, not_deleted, wrong, none, garbage = asker.answers(5)
    assert isinstance(refused.message, SubscriptionFailure) and refused.message.cause == Cause(1, 1)
    assert not_deleted.mtype == 12012 and isinstance(not_deleted.message, SubscriptionDeleteFailure)
    assert [answer.meid for answer in (wrong, none)] == ["gnb2", ""]
    assert garbage.message is None


def test_late_and_double_answers_come_when_they_are_due(e2term: E2TermSimulator, asker: Asker) -> None:
    e2term.rules.add(E2Rule(instance=1, delay=0.15), E2Rule(instance=2, copies=2, copy_delay=0.05))
    for instance in (1, 2, 3):
        asker.subscribe("gnb1", instance)
    order = []
    for answer in asker.answers(4):
        assert isinstance(answer.message, SubscriptionResponse)
        order.append(answer.message.request_id.instance)
    assert order == [2, 3, 2, 1]
    sent = e2term.log.entries(event="sent")
    received = e2term.log.entries(event="received")
    assert sent[-1]["time"] - received[0]["time"] >= 0.15
    assert e2term.nodes["gnb1"].max_running == 2


def test_how_many_procedures_at_once(e2term: E2TermSimulator, asker: Asker) -> None:
    e2term.rules.add(E2Rule(delay=0.1))
    for meid, instance in (("gnb1", 1), ("gnb1", 2), ("gnb2", 3), ("gnb1", 1)):
        asker.subscribe(meid, instance)
    asker.answers(4)
    state = e2term.state()
    assert [state["nodes"][name]["max_running"] for name in ("gnb1", "gnb2")] == [2, 1]
    assert (state["max_running"], state["max_busy_nodes"]) == (3, 2)
    assert [state["nodes"][name]["running"] for name in ("gnb1", "gnb2")] == [0, 0]


def test_delete_required_after_an_answer(e2term: E2TermSimulator, asker: Asker) -> None:
    e2term.rules.add(E2Rule(instance=1, delete_required=0), E2Rule(delete_required=0.02, older_numbering=True))
    asker.subscribe("gnb1", 1)
    asker.answers(2)
    asker.subscribe("gnb1", 2)
    answers = asker.answers(4)
    for wanted, answer in zip((1, 2), (answers[1], answers[3]), strict=True):
        assert (answer.mtype, answer.meid) == (12023, "gnb1")
        assert isinstance(answer.message, SubscriptionDeleteRequired)
        assert [item.request_id for item in answer.message.items] == [RequestId(123, wanted)]
    assert sorted(e2term.nodes["gnb1"].subscriptions) == [1, 2]


def test_a_lost_node_takes_its_subscriptions_and_pending_answers(e2term: E2TermSimulator, asker: Asker) -> None:
    e2term.rules.add(E2Rule(instance=2, delay=0.05))
    asker.subscribe("gnb1", 1)
    asker.answers(1)
    asker.subscribe("gnb1", 2)
    assert e2term.log.wait(lambda: 2 in e2term.nodes["gnb1"].subscriptions)
    e2term.disconnect("gnb1")
    assert not e2term.nodes["gnb1"].subscriptions
    asker.subscribe("gnb1", 3)
    assert e2term.log.wait(lambda: bool(e2term.log.entries(event="dropped")))
    e2term.connect("gnb1")
    e2term.rules.replace([E2Rule(delay=0.1)])
    asker.subscribe("gnb1", 4)
    answers = asker.answers(2)
    assert isinstance(answers[1].message, SubscriptionResponse)
    assert answers[1].message.request_id.instance == 4
    assert e2term.state()["nodes"]["gnb1"]["running"] == 0


def test_state_changes_are_told() -> None:
    told: list[tuple[str, NodeState]] = []
    e2term = E2TermSimulator(
        E2TermConfig(nodes=("gnb1",), control=None), lambda name, state: told.append((name, state))
    )
    e2term.start()
    e2term.disconnect("gnb1")
    e2term.reset_node("gnb1")
    e2term.stop()
    e2term.start()
    e2term.reset()
    e2term.stop()
    assert told == [
        ("gnb1", NodeState.CONNECTED),
        ("gnb1", NodeState.DISCONNECTED),
        ("gnb1", NodeState.UNDER_RESET),
        ("gnb1", NodeState.CONNECTED),
    ]


def test_garbage_and_foreign_messages_are_dropped(e2term: E2TermSimulator, asker: Asker) -> None:
    transport = WireTransport(TransportConfig("127.0.0.1", 0, name="127.0.0.1"), lambda message: None)
    transport.start()
    response = codec.encode(SubscriptionResponse(RequestId(1, 1), 2, (1,)))
    for payload in (b"", b"garbage", response):
        transport.send_to(e2term.endpoint, Message(12010, payload, meid="gnb1"))
    assert e2term.log.wait(lambda: len(e2term.log.entries(event="dropped")) == 3)
    transport.stop()
    asker.subscribe("gnb1", 1)
    asker.answers(1)


def test_its_route_table_leads_to_it(e2term: E2TermSimulator) -> None:
    (outcome,) = TableBuilder().feed(e2term.route_table())
    assert outcome.table is not None
    got: list[Message] = []
    transport = WireTransport(TransportConfig("127.0.0.1", 0, name="127.0.0.1"), got.append)
    transport.start()
    transport.set_routes(outcome.table)
    assert transport.send(Message(12010, codec.encode(request(1)), meid="gnb1")) is Status.OK
    eventually(lambda: got, 5)
    assert got[0].mtype == 12011
    transport.stop()


def test_stop_and_start_keep_port_and_nodes(e2term: E2TermSimulator, asker: Asker) -> None:
    asker.subscribe("gnb1", 1)
    asker.answers(1)
    endpoint = e2term.endpoint
    control = e2term.control.address if e2term.control else ""
    e2term.stop()
    e2term.start()
    assert (e2term.endpoint, e2term.control.address if e2term.control else "") == (endpoint, control)
    asker.delete("gnb1", 1)
    assert asker.answers(2)[1].mtype == 12021


def test_a_port_that_is_taken_is_named_and_nothing_stays_open(e2term: E2TermSimulator) -> None:
    rmr, control = e2term.endpoint, e2term.control
    assert control is not None
    port = int(rmr.rpartition(":")[2])
    with pytest.raises(TransportError, match=str(port)):
        E2TermSimulator(E2TermConfig(port=port, control=None)).start()
    with pytest.raises(TransportError, match=str(port)):
        XappSimulator(XappConfig(rmr_port=port)).start()
    other = E2TermSimulator(E2TermConfig(control=control.address))
    with pytest.raises(ListenError, match=str(control.port)):
        other.start()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(other.endpoint.rpartition(":")[2])))


def test_control_interface(e2term: E2TermSimulator, asker: Asker, control: Any) -> None:
    control("PUT", "/rules", [{"procedure": "subscribe", "count": 1, "refuse": "misc: unspecified"}])
    control("POST", "/rules", {"delay": 0.01})
    asker.subscribe("gnb1", 1)
    asker.subscribe("gnb1", 1)
    asker.answers(2)
    assert [rule["seen"] for rule in control("GET", "/rules")] == [1, 1]
    state = control("GET", "/state")
    assert list(state["nodes"]["gnb1"]["subscriptions"]) == ["1"]
    assert state["received"] == {"12010": 2}
    counts = {"connected": 2, "subscriptions": 1, "handled": 2, "running": 0}
    assert control("GET", "/counts") == counts
    log = control("GET", "/log?event=sent")
    assert [entry["mtype"] for entry in log] == [12012, 12011]
    assert control("GET", f"/log?since={log[0]['n']}&event=sent") == log[1:]
    control("POST", "/nodes/gnb1/delete_required", {"instances": [1, 9], "older_numbering": True})
    required = asker.answers(3)[2].message
    assert isinstance(required, SubscriptionDeleteRequired)
    assert [item.request_id for item in required.items] == [RequestId(123, 1), RequestId(0, 9)]
    control("POST", "/send", {"mtype": 12011, "payload": "00ff", "meid": "gnb2"})
    assert asker.answers(4)[3].message is None
    control("POST", "/nodes/gnb1/disconnected", status=204)
    control("POST", "/nodes/gnb3/connected", status=204)
    control("POST", "/nodes/gnb2/under_reset", status=204)
    states = {name: node["state"] for name, node in control("GET", "/state")["nodes"].items()}
    assert states == {"gnb1": "DISCONNECTED", "gnb2": "UNDER_RESET", "gnb3": "CONNECTED"}
    control("DELETE", "/rules", status=204)
    assert control("GET", "/rules") == []
    control("POST", "/reset", status=204)
    state = control("GET", "/state")
    assert {node["state"] for node in state["nodes"].values()} == {"CONNECTED"}
    assert state["received"] == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/rules", {"delayy": 1}, 400),
        ("PUT", "/rules", None, 400),
        ("POST", "/state", None, 405),
        ("GET", "/log?since=x", None, 400),
        ("GET", "/nothing", None, 404),
        ("POST", "/nodes/gnb1/explode", None, 404),
        ("POST", "/nodes/nobody/delete_required", {"instances": [1]}, 404),
        ("POST", "/nodes/gnb1/delete_required", {"instances": []}, 400),
        ("POST", "/nodes/gnb1/delete_required", {"instances": [70000]}, 400),
        ("POST", "/nodes/gnb1/delete_required", {"instances": [1], "cause": "?"}, 400),
        ("POST", "/nodes/gnb1/delete_required", {"instances": [1]}, 503),
        ("POST", "/send", {"mtype": 1, "payload": "xx"}, 400),
    ],
)
def test_control_says_what_is_wrong(control: Any, method: str, path: str, body: object, status: int) -> None:
    answer = control(method, path, body, status)
    assert answer.get("message") or answer["status"] == "NOENDPT"
