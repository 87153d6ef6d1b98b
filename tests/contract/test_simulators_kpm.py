# SPDX-License-Identifier: Apache-2.0
"""E2 nodes that measure: KPM indications go over RMR to the routed xApp, which counts them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.waiting import eventually

from submgr.e2ap.messages import Action, ActionType, RequestId, SubscriptionDeleteRequest, SubscriptionRequest
from submgr.simulators.e2term import E2TermConfig, E2TermSimulator
from submgr.simulators.kpm_reports import KPM
from submgr.simulators.xapp import XappConfig, XappSimulator

EVERY_20_MS = bytes.fromhex("0013")
TWO = bytes.fromhex("00010100000100a04452422e5545546870446c01200000200006012000000063")
"""KPM style 1 format 1: DRB.UEThpDl and measurement 7."""
INSTANCE = 7


class Pair:
    """An E2 Termination and an xApp, which plays the Subscription Manager, too."""

    def __init__(self) -> None:
        self.xapp = XappSimulator(XappConfig(rmr_port=0))
        self.routes: dict[int, list[str]] = {}
        config = E2TermConfig(nodes=("gnb_1",), control=None)
        self.e2term = E2TermSimulator(config, routes=lambda instance: self.routes.get(instance, ()))
        self.xapp.start()
        self.e2term.start()

    def stop(self) -> None:
        self.e2term.stop()
        self.xapp.stop()

    def subscribe(self, trigger: bytes = EVERY_20_MS, definition: bytes = TWO) -> None:
        self.routes[INSTANCE] = [f"127.0.0.1:{self.xapp.rmr_port}"]
        action = Action(1, ActionType.REPORT, definition)
        request = SubscriptionRequest(RequestId(123, INSTANCE), KPM, trigger, (action,))
        self.xapp.subscribe("gnb_1", request, to=self.e2term.endpoint)
        assert self.xapp.wait_for_answers(1)

    def delete(self) -> None:
        answers = len(self.xapp.answers)
        request = SubscriptionDeleteRequest(RequestId(123, INSTANCE), KPM)
        self.xapp.unsubscribe("gnb_1", request.request_id, KPM, to=self.e2term.endpoint)
        assert self.xapp.wait_for_answers(answers + 1)

    def count(self) -> int:
        return self.xapp.indications[INSTANCE]


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.stop()


def test_numbers_move_until_the_subscription_is_deleted(pair: Pair) -> None:
    pair.subscribe()
    eventually(lambda: pair.count() >= 2)
    first = pair.xapp.measured[INSTANCE]
    assert set(first) == {"DRB.UEThpDl", "7"}
    eventually(lambda: pair.xapp.measured[INSTANCE] != first)
    pair.delete()
    eventually(lambda: not pair.e2term.reporting)
    counted = pair.count()
    pair.subscribe(trigger=bytes.fromhex("08270f"))
    assert pair.count() == counted
    assert pair.xapp.state()["indications"] == {str(INSTANCE): counted}
    assert pair.xapp.counts()["indications"] == counted


def test_nothing_is_sent_without_a_route_or_after_a_loss(pair: Pair) -> None:
    pair.subscribe()
    eventually(lambda: pair.count() >= 1)
    pair.routes.clear()
    eventually(lambda: pair.e2term.reporting)
    pair.e2term.disconnect("gnb_1")
    eventually(lambda: not pair.e2term.reporting)


@pytest.mark.parametrize(("trigger", "definition"), [(b"\1\2\3\4", TWO), (EVERY_20_MS, b"\0"), (EVERY_20_MS, b"")])
def test_what_is_no_kpm_report_is_held_and_not_reported(pair: Pair, trigger: bytes, definition: bytes) -> None:
    pair.subscribe(trigger, definition)
    assert INSTANCE in pair.e2term.nodes["gnb_1"].subscriptions
    assert not pair.e2term.reporting
