# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Iterator

import gevent
import msgspec

from submgr.core.model import Holder, Listed, RestHolder, RestRecord, RmrEndpoint, RmrHolder
from submgr.rest.views import (
    encode_dict,
    encode_e2_subscriptions,
    encode_list,
    rest_subscription_data,
    subscription_data,
)

A = RmrEndpoint("service-ricxapp-a-rmr.ricxapp", 4560)
B = RmrEndpoint("service-ricxapp-b-rmr.ricxapp", 4560)
UNROUTED = RmrEndpoint("service-ricxapp-c-rmr.ricxapp", 0)
LISTED = Listed(
    instance_id=7,
    meid="gnb_1",
    holders=(
        Holder(RestHolder("first", 12345), A, routed=True),
        Holder(RestHolder("first", 2), A, routed=True),
        Holder(RestHolder("second", 3), UNROUTED, routed=False),
        Holder(RmrHolder(B, 99), B, routed=True),
    ),
    routes=(A,),
)
FIRST, SECOND, THIRD = (RmrEndpoint(name, 4560) for name in "abc")


def held(endpoint: RmrEndpoint, routed: bool = True) -> Holder:
    return Holder(RestHolder(str(endpoint), 1), endpoint, routed)


def shown(listed: Listed, show_ids: bool = True) -> dict[str, object]:
    return dict(msgspec.to_builtins(subscription_data(listed, show_ids)))


def endpoints(holders: tuple[Holder, ...], routes: tuple[RmrEndpoint, ...]) -> list[str]:
    return subscription_data(Listed(1, "gnb", holders, routes)).ClientEndpoint


def test_e2_subscription() -> None:
    assert shown(LISTED) == {
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


def test_e2_subscription_as_the_document_has_it_without_ids() -> None:
    assert list(shown(LISTED, show_ids=False)) == ["SubscriptionId", "Meid", "ClientEndpoint", "SubscriptionInstances"]


def test_the_octets_of_the_list() -> None:
    """In the order of the document, in one line, on which clients and the Routing Manager have relied."""
    one = Listed(1, 'g"1', (held(FIRST),), (FIRST,))
    assert encode_e2_subscriptions([one, one]) == (
        b'[{"SubscriptionId":1,"Meid":"g\\"1","ClientEndpoint":["a:4560"],"SubscriptionInstances":[{"XappEventInstanceId":1,'
        b'"E2EventInstanceId":1,"ErrorCause":""}],"RestSubscriptionIds":["a:4560"]},'
        b'{"SubscriptionId":1,"Meid":"g\\"1","ClientEndpoint":["a:4560"],"SubscriptionInstances":[{"XappEventInstanceId":1,'
        b'"E2EventInstanceId":1,"ErrorCause":""}],"RestSubscriptionIds":["a:4560"]}]'
    )


def test_who_may_see_some_holders_sees_nothing_of_the_others() -> None:
    (item,) = msgspec.json.decode(encode_e2_subscriptions([LISTED], only=lambda name: name == "second"))
    assert item["RestSubscriptionIds"] == ["second"] and item["ClientEndpoint"] == []
    assert [one["XappEventInstanceId"] for one in item["SubscriptionInstances"]] == [3]
    assert encode_e2_subscriptions([LISTED], only=lambda name: False) == b"[]"


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
    assert msgspec.to_builtins(rest_subscription_data(record)) == {
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


def test_what_changes_while_the_next_one_is_looked_for_is_shown_as_it_was() -> None:
    def live() -> Iterator[Listed]:
        holders = [held(A)]
        yield Listed(1, "gnb", holders, (A,))
        holders.clear()
        yield Listed(2, "gnb", [held(B)], (B,))

    shown = json.loads(encode_e2_subscriptions(live()))
    assert [len(one["SubscriptionInstances"]) for one in shown] == [1, 1]


def test_an_endpoint_that_has_left_is_not_shown_though_its_route_is_still_there() -> None:
    assert endpoints((held(FIRST), held(SECOND, routed=False)), (FIRST, SECOND, THIRD)) == ["a:4560"]


def test_an_endpoint_that_is_joining_is_not_shown_yet() -> None:
    assert endpoints((held(FIRST), held(SECOND)), (FIRST,)) == ["a:4560"]


def test_endpoints_are_in_the_order_of_their_routes() -> None:
    assert endpoints((held(FIRST), held(SECOND)), (SECOND, FIRST)) == ["b:4560", "a:4560"]
