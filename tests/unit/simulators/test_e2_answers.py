# SPDX-License-Identifier: Apache-2.0
"""What leaves the E2 Termination simulator for an answer of a node."""

from __future__ import annotations

import pytest

from submgr.e2ap import codec
from submgr.e2ap.codec import DecodeError
from submgr.e2ap.messages import (
    Cause,
    NotAdmitted,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionResponse,
    SubscriptionToRemove,
)
from submgr.simulators.e2_answers import delete_required, outgoing
from submgr.simulators.rules import E2Rule

ID = RequestId(123, 7)


@pytest.mark.parametrize(
    ("answer", "mtype"),
    [
        (SubscriptionResponse(ID, 2, (1,)), 12011),
        (SubscriptionFailure(ID, 2, Cause(1, 1)), 12012),
        (SubscriptionDeleteResponse(ID, 2), 12021),
        (SubscriptionDeleteFailure(ID, 2, Cause(1, 1)), 12022),
    ],
)
def test_answers_leave_under_their_type(
    answer: SubscriptionResponse | SubscriptionFailure | SubscriptionDeleteResponse | SubscriptionDeleteFailure,
    mtype: int,
) -> None:
    for rule in (None, E2Rule()):
        (message,) = outgoing(answer, rule)
        assert (message.delay, message.mtype, message.meid) == (0, mtype, None)
        assert codec.decode(message.payload) == answer
    (wrong,) = outgoing(answer, E2Rule(mtype=12012, answer_meid=""))
    assert (wrong.mtype, wrong.meid) == (12012, "")
    (other,) = outgoing(answer, E2Rule(answer_instance=9))
    decoded = codec.decode(other.payload)
    assert not isinstance(decoded, SubscriptionDeleteRequired) and decoded.request_id == RequestId(123, 9)
    (unordered,) = outgoing(answer, E2Rule(unordered=True))
    assert codec.decode(unordered.payload, strict_order=False) == answer
    with pytest.raises(DecodeError, match="out of order"):
        codec.decode(unordered.payload)
    (garbage,) = outgoing(answer, E2Rule(payload="00ff"))
    assert garbage.payload == b"\x00\xff"


def test_unordered_long_pdu() -> None:
    answer = SubscriptionResponse(ID, 2, tuple(range(16)), tuple(NotAdmitted(9, Cause(1, 1)) for _ in range(16)))
    (message,) = outgoing(answer, E2Rule(unordered=True))
    assert message.payload[3] & 0x80
    assert codec.decode(message.payload, strict_order=False) == answer


def test_copies_and_their_delays() -> None:
    messages = outgoing(SubscriptionResponse(ID, 2, (1,)), E2Rule(delay=1, copies=3, copy_delay=0.5))
    assert [message.delay for message in messages] == [1, 1.5, 2]
    assert len({message.payload for message in messages}) == 1


@pytest.mark.parametrize("older", [False, True])
def test_delete_required(older: bool) -> None:
    payload = delete_required(((ID, 2), (RequestId(123, 8), 3)), Cause(6, 3), older)
    assert payload[7:9] == (b"\x00\x32" if older else b"\x00\x3c")
    assert codec.decode(payload) == SubscriptionDeleteRequired(
        (SubscriptionToRemove(ID, 2, Cause(6, 3)), SubscriptionToRemove(RequestId(123, 8), 3, Cause(6, 3)))
    )
