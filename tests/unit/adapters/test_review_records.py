# SPDX-License-Identifier: Apache-2.0
"""The additional key for a route that may not have been made."""

from __future__ import annotations

import json

import pytest

from submgr.adapters.records.rest import decode_e2, encode_e2
from submgr.core.model import Content, E2Record, Holder, RestHolder, RmrEndpoint
from submgr.e2ap.messages import Action, ActionType


@pytest.mark.parametrize("unsure", [True, False])
def test_unsure_routes_are_stored_and_otherwise_not_mentioned(unsure: bool) -> None:
    endpoint = RmrEndpoint("h", 1)
    holder = Holder(RestHolder("id", 1), endpoint, True)
    content = Content(2, b"\x01", (Action(1, ActionType.REPORT),))
    record = E2Record(
        1, "gnb", 123, 1, content, (endpoint,), (holder,), (endpoint,), admitted=(1,), routes_unsure=unsure
    )
    stored = encode_e2(record)
    assert json.loads(stored).get("RoutesUnsure", False) is unsure
    assert ("RoutesUnsure" in json.loads(stored)) is unsure
    assert decode_e2("1", stored) == record
