# SPDX-License-Identifier: Apache-2.0
"""The RMR messages that leave an E2 Termination for an answer of a node: the right one, or what a rule makes of it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from submgr.e2ap import aper_write, codec
from submgr.e2ap.messages import (
    Cause,
    Message,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionResponse,
    SubscriptionToRemove,
)
from submgr.rmr import mtypes
from submgr.simulators.rules import E2Rule

_MTYPES: dict[type, int] = {
    SubscriptionResponse: mtypes.RIC_SUB_RESP,
    SubscriptionFailure: mtypes.RIC_SUB_FAILURE,
    SubscriptionDeleteResponse: mtypes.RIC_SUB_DEL_RESP,
    SubscriptionDeleteFailure: mtypes.RIC_SUB_DEL_FAILURE,
}
# Sizes of the two elements that every answer begins with, behind head, length and count.
_REQUEST_ID_SIZE = 9
_FUNCTION_ID_SIZE = 6


class Outgoing(Struct, frozen=True):
    """One RMR message to be sent `delay` seconds from now. `meid` None is the request's Meid."""

    delay: float
    mtype: int
    payload: bytes
    meid: str | None = None


def outgoing(answer: Message, rule: E2Rule | None) -> list[Outgoing]:
    """The messages for one answer of a node, in their order."""
    mtype = _MTYPES[type(answer)]
    if rule is None:
        return [Outgoing(0.0, mtype, codec.encode(answer))]
    if rule.payload is not None:
        payload = bytes.fromhex(rule.payload)
    else:
        payload = codec.encode(_renumbered(answer, rule))
        if rule.unordered:
            payload = swap_elements(payload)
    sent_as = mtype if rule.mtype is None else rule.mtype
    return [
        Outgoing(rule.delay + copy * rule.copy_delay, sent_as, payload, rule.answer_meid) for copy in range(rule.copies)
    ]


def _renumbered(answer: Message, rule: E2Rule) -> Message:
    if rule.answer_instance is None and rule.answer_requestor is None:
        return answer
    assert not isinstance(answer, SubscriptionDeleteRequired)
    was = answer.request_id
    return replace(
        answer,
        request_id=RequestId(
            was.requestor if rule.answer_requestor is None else rule.answer_requestor,
            was.instance if rule.answer_instance is None else rule.answer_instance,
        ),
    )


def swap_elements(payload: bytes) -> bytes:
    """The PDU with its first two information elements, request id and RAN function id, in each other's place."""
    at = 4 if payload[3] < 128 else 5
    at += 3
    middle, end = at + _REQUEST_ID_SIZE, at + _REQUEST_ID_SIZE + _FUNCTION_ID_SIZE
    return payload[:at] + payload[middle:end] + payload[at:middle] + payload[end:]


def delete_required(items: tuple[tuple[RequestId, int], ...], cause: Cause, older_numbering: bool) -> bytes:
    """A RIC SUBSCRIPTION DELETE REQUIRED for (request id, RAN function) pairs.

    Raises:
        EncodeError: no items, or more than 1024.
    """
    message = SubscriptionDeleteRequired(tuple(SubscriptionToRemove(*item, cause) for item in items))
    if older_numbering:
        heads = aper_write.REMOVED_LIST_OF_2_00, aper_write.REMOVED_OF_2_00
        return aper_write.write_delete_required(message, *heads)
    return codec.encode(message)
