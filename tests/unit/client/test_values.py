# SPDX-License-Identifier: Apache-2.0
"""Values, and their JSON: what is sent is what the interface wants, what comes is read with care."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submgr.client.values import (
    Action,
    Detail,
    Directives,
    Instance,
    Listed,
    Notification,
    SubsequentAction,
    digest,
    field_errors,
    listed_of,
    notification_of,
    number_of,
)

KEYS = st.sampled_from(["SubscriptionId", "SubscriptionInstances", "ClientEndpoint", "errors", "XappEventInstanceId"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | KEYS, inner),
)


def test_a_detail() -> None:
    detail = Detail(
        5, b"\x01\xff", [Action(1, "report", [2, 1234], SubsequentAction("wait", "w10ms")), Action(2, "report")]
    )
    assert detail.as_json() == {
        "XappEventInstanceId": 5,
        "EventTriggers": [1, 255],
        "ActionToBeSetupList": [
            {
                "ActionID": 1,
                "ActionType": "report",
                "ActionDefinition": [2, 1234],
                "SubsequentAction": {"SubsequentActionType": "wait", "TimeToWait": "w10ms"},
            },
            {"ActionID": 2, "ActionType": "report"},
        ],
    }


def test_routing_is_always_said() -> None:
    """Absent it means no in an object of directives, and yes without one."""
    assert Directives().as_json() == {"RMRRoutingNeeded": True}
    assert Directives(3, 0, False).as_json() == {
        "E2TimeoutTimerValue": 3,
        "E2RetryCount": 0,
        "RMRRoutingNeeded": False,
    }


@pytest.mark.parametrize("key", ["XappEventInstanceId", "XappEventInstanceID", "xapp_event_instance_id"])
def test_the_number_of_a_detail(key: str) -> None:
    assert number_of({"other": 1, key: 7}) == 7


def test_what_has_no_number() -> None:
    assert number_of({"XappEventInstanceId": "7"}) == -1


def test_a_notification() -> None:
    body = {
        "SubscriptionId": "2ab",
        "SubscriptionInstances": [
            {"XappEventInstanceId": 1, "E2EventInstanceId": 9, "ErrorCause": ""},
            {"XappEventInstanceId": 2, "ErrorCause": "why", "ErrorSource": "SUBMGR", "TimeoutType": "E2-Timeout"},
        ],
        "more": [],
    }
    told = notification_of(body)
    assert told == Notification("2ab", (Instance(1, 9), Instance(2, 0, "why", "SUBMGR", "E2-Timeout")))
    assert [instance.succeeded for instance in told.instances] == [True, False]
    assert [instance.may_pass for instance in told.instances] == [False, True]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"SubscriptionId": 1},
        {"SubscriptionId": "2ab", "SubscriptionInstances": {}},
        {"SubscriptionId": "2ab", "SubscriptionInstances": [1]},
        {"SubscriptionId": "2ab", "SubscriptionInstances": [{"XappEventInstanceId": True}]},
        {"SubscriptionId": "2ab", "SubscriptionInstances": [{"XappEventInstanceId": 65536}]},
        {"SubscriptionId": "2ab", "SubscriptionInstances": [{"XappEventInstanceId": 1, "ErrorCause": 5}]},
    ],
)
def test_what_is_no_notification(body: Any) -> None:
    with pytest.raises(ValueError, match=r"is|not"):
        notification_of(body)


@given(ANYTHING)
def test_whatever_comes_is_a_value_error_or_a_value(value: Any) -> None:
    for read in (notification_of, listed_of):
        with suppress(ValueError):
            read(value)
    field_errors(value)


def test_a_list() -> None:
    item = {"SubscriptionId": 3, "Meid": "gnb_1", "ClientEndpoint": None, "SubscriptionInstances": None}
    assert listed_of([item]) == (Listed(3, "gnb_1", (), ()),)


def test_equal_requests_have_equal_digests() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})
