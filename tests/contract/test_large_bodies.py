# SPDX-License-Identifier: Apache-2.0
"""The largest bodies that are taken: nobody else waits for those who send them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gevent

from submgr.core.errors import RefusedError
from submgr.platform.http.json_body import take_turn
from submgr.rest.schemas import parse_subscribe

LARGEST = 1 << 20


def _body(details: int, octets: int) -> bytes:
    action: dict[str, Any] = {"ActionID": 1, "ActionType": "report", "ActionDefinition": [7] * octets}
    return json.dumps(
        {
            "ClientEndpoint": {"Host": "xapp", "HTTPPort": 8080, "RMRPort": 4560},
            "Meid": "gnb_1",
            "RANFunctionID": 2,
            "SubscriptionDetails": [
                {"XappEventInstanceId": number, "EventTriggers": [1], "ActionToBeSetupList": [action]}
                for number in range(details)
            ],
        }
    ).encode()


def test_ten_of_the_largest_subscribe_requests_hold_up_nobody(longest_gap: Callable[[], float]) -> None:
    many, long = _body(4000, 1), _body(30, 11_000)
    wrong = many.replace(b'"report"', b'"no type"')
    assert all(LARGEST // 2 < len(body) < LARGEST for body in (many, long, wrong))
    before = longest_gap()
    greenlets = [gevent.spawn(_read, body) for body in (many, long, wrong) * 3]
    gevent.joinall(greenlets)
    assert [greenlet.value for greenlet in greenlets] == [4000, 30, 0] * 3
    assert longest_gap() < max(0.2, 2 * before)


def _read(body: bytes) -> int:
    take_turn(len(body))
    try:
        return len(parse_subscribe(body).details)
    except RefusedError as refused:
        assert refused.status == 400
        return 0
