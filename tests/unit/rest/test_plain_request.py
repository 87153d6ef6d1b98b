# SPDX-License-Identifier: Apache-2.0
"""Which bodies the quick reader takes. That it reads them as the other one does: `test_schemas_properties.py`."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from submgr.platform.http.json_body import MOST_NAMES
from submgr.rest.plain_request import read_plain
from submgr.rest.schemas import parse_field_by_field

Body = dict[str, Any]
ACTION = {
    "ActionID": 1,
    "ActionType": "report",
    "ActionDefinition": [5, 6, 7, 8],
    "SubsequentAction": {"SubsequentActionType": "continue", "TimeToWait": "w10ms"},
}
BODY: Body = {
    "SubscriptionId": "",
    "ClientEndpoint": {"Host": "service-ricxapp-x-http.ricxapp", "HTTPPort": 8080, "RMRPort": 4560},
    "Meid": "gnb_208_092_000001",
    "RANFunctionID": 2,
    "E2SubscriptionDirectives": {"E2TimeoutTimerValue": 2, "E2RetryCount": 1, "RMRRoutingNeeded": True},
    "SubscriptionDetails": [
        {
            "XappEventInstanceId": 12345,
            "EventTriggers": [1, 2, 3, 4],
            "ActionToBeSetupList": [ACTION, {"ActionID": 2, "ActionType": "report"}],
        }
    ],
}


def changed(change: Callable[[Body], object]) -> bytes:
    body = copy.deepcopy(BODY)
    change(body)
    return json.dumps(body).encode()


def test_a_plain_body_is_read_as_the_other_reader_reads_it() -> None:
    body = json.dumps(BODY).encode()
    assert read_plain(body) == parse_field_by_field(body) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("E2SubscriptionDirectives"),
        lambda body: body.update(E2SubscriptionDirectives=None, SubscriptionId=None),
        lambda body: body["E2SubscriptionDirectives"].clear() or body["ClientEndpoint"].pop("RMRPort"),
        lambda body: body["ClientEndpoint"].update(Host="[::1]"),
        lambda body: body["SubscriptionDetails"][0].update(EventTriggers=[]),
    ],
)
def test_what_may_be_left_out_is_plain(change: Callable[[Body], object]) -> None:
    body = changed(change)
    assert read_plain(body) == parse_field_by_field(body) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(meid=body.pop("Meid")),
        lambda body: body.update(more=1),
        lambda body: body["SubscriptionDetails"][0]["EventTriggers"].append(256),
        lambda body: body["SubscriptionDetails"][0]["EventTriggers"].append(True),
        lambda body: body["SubscriptionDetails"].append(copy.deepcopy(body["SubscriptionDetails"][0])),
        lambda body: body["SubscriptionDetails"][0]["ActionToBeSetupList"].append(ACTION),
        lambda body: body["SubscriptionDetails"][0]["ActionToBeSetupList"][1].update(ActionType="policy"),
        lambda body: body["ClientEndpoint"].update(RMRPort=0),
        lambda body: body["ClientEndpoint"].update(HTTPPort=0),
        lambda body: body["ClientEndpoint"].update(Host="http://x"),
        lambda body: body.update(Meid="a\x1bb"),
        lambda body: body.update(Meid="ä" * 16),
        lambda body: body.update(RANFunctionID=2.0),
    ],
)
def test_everything_else_is_left_to_the_other_reader(change: Callable[[Body], object]) -> None:
    assert read_plain(changed(change)) is None


def test_a_large_body_is_left_to_the_reader_that_takes_turns() -> None:
    assert read_plain(json.dumps(BODY).encode().ljust(MOST_NAMES)) is not None
    assert read_plain(json.dumps(BODY).encode().ljust(MOST_NAMES + 1)) is None
