# SPDX-License-Identifier: Apache-2.0
"""Requests for a RAN function that the E2 node does not have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from submgr.adapters.rnib.function_check import FunctionCheck
from submgr.adapters.rnib.ran_functions import RanFunction
from submgr.core.errors import RefusedError
from submgr.core.model import ClientEndpoint, SubscribeRequest

NODES = {
    "gnb_1": (
        RanFunction(2, 1, "1.2.3", b"\x60\x30ORAN-E2SM-KPM\x00\x00\x18"),
        RanFunction(142, 0, "0.0.0", b"MAC_STATS_V0"),
    )
}


def check(refuses: bool, odd: Callable[..., None] = lambda *_: None) -> FunctionCheck:
    return FunctionCheck(lambda name: NODES.get(name, ()), lambda: refuses, odd)


def asking(meid: str, function: int) -> SubscribeRequest:
    return SubscribeRequest(ClientEndpoint("xapp-http", 8080, 4560), meid, function, ())


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize(("meid", "function"), [("gnb_1", 2), ("gnb_1", 142), ("gnb_2", 3)])
def test_what_the_node_has_or_nobody_knows_is_accepted_silently(
    refuses: bool, meid: str, function: int, caplog: pytest.LogCaptureFixture
) -> None:
    check(refuses)(asking(meid, function))
    assert caplog.records == []


def test_another_function_is_a_warning_that_lists_what_the_node_has(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    checking = check(refuses=False, odd=lambda request, words: told.append(f"{request.endpoint.host}: {words}"))
    checking(asking("gnb_1", 3))
    checking(asking("gnb_1", 3))
    (record,) = caplog.records
    assert told == [f"xapp-http: {record.getMessage()}"] * 2
    assert record.levelname == "WARNING"
    assert record.getMessage() == "E2 node gnb_1 has no RAN function 3; it has 2 (ORAN-E2SM-KPM), 142 (0.0.0)"


def test_another_function_is_refused_where_that_is_wanted() -> None:
    with pytest.raises(RefusedError) as refused:
        check(refuses=True)(asking("gnb_1", 3))
    assert refused.value.status == 400
    assert "it has 2 (ORAN-E2SM-KPM), 142 (0.0.0)" in refused.value.message
    assert [error.field for error in refused.value.errors] == ["RANFunctionID"]


def test_a_long_list_is_cut() -> None:
    many = tuple(RanFunction(number, 0, "", b"") for number in range(25))
    with pytest.raises(RefusedError) as refused:
        FunctionCheck(lambda _: many, lambda: True, lambda *_: None)(asking("gnb_1", 99))
    assert refused.value.message.endswith("19 (no name) and 5 more")
