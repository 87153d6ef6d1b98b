# SPDX-License-Identifier: Apache-2.0
"""Which endpoints the list of subscriptions shows: the Routing Manager makes a route of each."""

from __future__ import annotations

from submgr.core.model import Content, E2Record, Holder, RestHolder, RmrEndpoint
from submgr.e2ap.messages import Action, ActionType
from submgr.rest.views import e2_subscription_view

A, B, C = (RmrEndpoint(name, 4560) for name in "abc")


def record(holders: tuple[Holder, ...] | None, routes: tuple[RmrEndpoint, ...] | None) -> E2Record:
    content = Content(2, b"\x01", (Action(1, ActionType.REPORT),))
    return E2Record(1, "gnb", 123, 1, content, (A, B), holders, routes, admitted=(1,))


def held(endpoint: RmrEndpoint, routed: bool = True) -> Holder:
    return Holder(RestHolder(str(endpoint), 1), endpoint, routed)


def test_an_endpoint_that_has_left_is_not_shown_though_its_route_is_still_there() -> None:
    shown = e2_subscription_view(record((held(A), held(B, routed=False)), (A, B, C)))
    assert shown["ClientEndpoint"] == ["a:4560"]


def test_an_endpoint_that_is_joining_is_not_shown_yet() -> None:
    assert e2_subscription_view(record((held(A), held(B)), (A,)))["ClientEndpoint"] == ["a:4560"]


def test_of_another_implementation_every_endpoint_is() -> None:
    assert e2_subscription_view(record(None, None))["ClientEndpoint"] == ["a:4560", "b:4560"]
