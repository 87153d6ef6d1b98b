# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import gevent
from msgspec.structs import replace

from submgr.core.model import Content, E2Record, Holder, RestHolder, RestRecord, RmrEndpoint, RmrHolder
from submgr.e2ap.messages import Action, ActionType
from submgr.rest.views import e2_subscription_view, encode_dict, encode_list, rest_subscription_view

A = RmrEndpoint("service-ricxapp-a-rmr.ricxapp", 4560)
B = RmrEndpoint("service-ricxapp-b-rmr.ricxapp", 4560)
UNROUTED = RmrEndpoint("service-ricxapp-c-rmr.ricxapp", 0)
RECORD = E2Record(
    instance_id=7,
    meid="gnb_1",
    requestor_id=123,
    xapp_requestor_id=12345,
    content=Content(2, b"\x01", (Action(1, ActionType.REPORT),)),
    endpoints=(A, B, UNROUTED),
    holders=(
        Holder(RestHolder("first", 12345), A, routed=True),
        Holder(RestHolder("first", 2), A, routed=True),
        Holder(RestHolder("second", 3), UNROUTED, routed=False),
        Holder(RmrHolder(B, 99), B, routed=True),
    ),
    routes=(A,),
    admitted=(1,),
)
FIRST, SECOND, THIRD = (RmrEndpoint(name, 4560) for name in "abc")


def record(holders: tuple[Holder, ...] | None, routes: tuple[RmrEndpoint, ...] | None) -> E2Record:
    content = Content(2, b"\x01", (Action(1, ActionType.REPORT),))
    return E2Record(1, "gnb", 123, 1, content, (FIRST, SECOND), holders, routes, admitted=(1,))


def held(endpoint: RmrEndpoint, routed: bool = True) -> Holder:
    return Holder(RestHolder(str(endpoint), 1), endpoint, routed)


def test_e2_subscription() -> None:
    assert e2_subscription_view(RECORD) == {
        "SubscriptionId": 7,
        "Meid": "gnb_1",
        "ClientEndpoint": ["service-ricxapp-a-rmr.ricxapp:4560"],
        "SubscriptionInstances": [
            {"XappEventInstanceId": 12345, "E2EventInstanceId": 7, "ErrorCause": ""},
            {"XappEventInstanceId": 2, "E2EventInstanceId": 7, "ErrorCause": ""},
            {"XappEventInstanceId": 3, "E2EventInstanceId": 7, "ErrorCause": ""},
        ],
        "RestSubscriptionIds": ["first", "second"],
    }


def test_e2_subscription_of_another_implementation() -> None:
    view = e2_subscription_view(replace(RECORD, holders=None, routes=None))
    assert view["ClientEndpoint"] == [str(A), str(B)]
    assert view["SubscriptionInstances"] == [{"XappEventInstanceId": 12345, "E2EventInstanceId": 7, "ErrorCause": ""}]
    assert view["RestSubscriptionIds"] == []


def test_rest_subscription() -> None:
    record = RestRecord(
        subscription_id="2ab",
        created="2026-11-22 00:33:40.850",
        host="service-ricxapp-a-http.ricxapp",
        http_port=8080,
        rmr=A,
        meid="gnb_1",
        instances=((12345, 7), (2, 7), (3, 9)),
        request_ongoing=False,
        delete_ongoing=True,
        digests=(),
    )
    assert rest_subscription_view(record) == {
        "Created": "2026-11-22 00:33:40.850",
        "Meid": "gnb_1",
        "InstanceIds": [7, 9],
        "SubReqOngoing": False,
        "SubDelReqOngoing": True,
    }


def test_lists_of_every_length() -> None:
    for length in (0, 1, 199, 200, 201, 1000):
        numbers = range(length)
        assert json.loads(encode_list(numbers, lambda n: {"n": n})) == [{"n": n} for n in numbers]
        assert json.loads(encode_dict(numbers, str, lambda n: {"n": n})) == {str(n): {"n": n} for n in numbers}


def test_other_greenlets_run_while_a_long_list_is_made() -> None:
    turns: list[int] = []

    def other() -> None:
        while len(turns) < 1000:
            turns.append(1)
            gevent.sleep(0)

    greenlet = gevent.spawn(other)
    encode_list(range(2000), lambda n: {"n": n})
    greenlet.kill()
    assert len(turns) >= 10


# --- which endpoints the list of subscriptions shows: the Routing Manager makes a route of each


def test_an_endpoint_that_has_left_is_not_shown_though_its_route_is_still_there() -> None:
    shown = e2_subscription_view(record((held(FIRST), held(SECOND, routed=False)), (FIRST, SECOND, THIRD)))
    assert shown["ClientEndpoint"] == ["a:4560"]


def test_an_endpoint_that_is_joining_is_not_shown_yet() -> None:
    assert e2_subscription_view(record((held(FIRST), held(SECOND)), (FIRST,)))["ClientEndpoint"] == ["a:4560"]


def test_of_another_implementation_every_endpoint_is() -> None:
    assert e2_subscription_view(record(None, None))["ClientEndpoint"] == ["a:4560", "b:4560"]
