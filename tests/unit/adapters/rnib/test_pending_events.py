# SPDX-License-Identifier: Apache-2.0
from submgr.adapters.rnib.messages import ConnectionState, NodeEntry
from submgr.adapters.rnib.pending_events import PendingEvents

UP, DOWN, RESET = ConnectionState.CONNECTED, ConnectionState.DISCONNECTED, ConnectionState.UNDER_RESET


def taken(*states: ConnectionState) -> list[ConnectionState]:
    pending = PendingEvents()
    for state in states:
        pending.add([NodeEntry("a", state)])
    return [event.state for event in iter(pending.take, None)]


def test_one_or_two_events_stay_as_they_are() -> None:
    assert taken(UP) == [UP]
    assert taken(UP, UP) == [UP, UP], "the connection may have been lost in between"
    assert taken(DOWN, UP) == [DOWN, UP]


def test_of_more_the_worst_and_the_last_stay() -> None:
    assert taken(UP, DOWN, UP) == [DOWN, UP]
    assert taken(UP, RESET, UP, UP) == [RESET, UP]
    assert taken(RESET, DOWN, RESET, UP, RESET) == [DOWN, RESET]
    assert taken(*[UP, DOWN] * 1000) == [DOWN, DOWN]


def test_events_are_taken_in_the_order_they_came() -> None:
    pending = PendingEvents()
    pending.add([NodeEntry("a", UP), NodeEntry("b", DOWN), NodeEntry("a", DOWN)])
    assert list(iter(pending.take, None)) == [NodeEntry("a", UP), NodeEntry("b", DOWN), NodeEntry("a", DOWN)]
    assert pending.take() is None
