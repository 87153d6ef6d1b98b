# SPDX-License-Identifier: Apache-2.0
"""Aligned PER of the seven messages, read directly.

The reader looks at the places where a plain PDU has its values and checks nothing on the way. It then writes the
message again, and trusts its reading only when it gets the very same octets. So the correctness of the reader rests on
that of `submgr.e2ap.aper_write.write` alone, and everything unusual (another criticality of an element, criticality
diagnostics, extensions, elements out of order, garbage) is left to `submgr.e2ap.aper_general`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from struct import error as StructError

from msgspec.structs import replace

from submgr.e2ap import aper_write as aper
from submgr.e2ap.aper_causes import read_cause
from submgr.e2ap.aper_removed import length
from submgr.e2ap.errors import EncodeError
from submgr.e2ap.messages import (
    Action,
    ActionType,
    Message,
    NotAdmitted,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequest,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
    SubscriptionToRemove,
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)

# The two elements every PDU but one begins with: nine octets of request id, six of RAN function id.
_ids = Struct(">xxxxxHHxxxxH").unpack_from
_IDS = 15
_pair = Struct(">HHH").unpack_from
_u16 = Struct(">H").unpack_from

# The criticality of the procedure is not looked at: 12010 and 12020 of other implementations carry `ignore`.
_CRITICALITIES = (0x00, 0x40, 0x80)
_REMOVED_IDS = (
    (aper.REMOVED_LIST[:2], aper.REMOVED[:2]),
    (aper.REMOVED_LIST_OF_2_00[:2], aper.REMOVED_OF_2_00[:2]),
)
_ACTION_TYPES = tuple(ActionType)
_SUBSEQUENT_TYPES = tuple(SubsequentActionType)
# Wire number -> name: the ASN.1 begins with w1ms.
_TIMES = tuple(TimeToWait)[1:]

_DELETE_REQUIRED = aper.DELETE_REQUIRED[:2]
# A PDU of one octet of length has its request id here. The shortest one has nothing but the ids.
_request_id = Struct(">12xHH").unpack_from
_BEFORE_ID, _NO_ID, _AFTER_ID = slice(12), bytes(4), slice(16, None)
_SHORTEST = 7 + _IDS
_REMEMBERED_SIZE = 128
_REMEMBERED = 1024


def read(data: bytes) -> Message | None:
    """The message in these octets, or None when they are not plain.

    The answers of a node are alike but for the request id: what else a short one says is remembered.
    """
    if not _SHORTEST <= len(data) <= _REMEMBERED_SIZE or data.startswith(_DELETE_REQUIRED):
        return _read(data)
    message = _remembered(data[_BEFORE_ID] + _NO_ID + data[_AFTER_ID])
    return None if message is None else replace(message, request_id=RequestId(*_request_id(data)))


def _read(data: bytes) -> Message | None:
    try:
        reader = _READERS.get(data[:2])
        if reader is None or data[2] not in _CRITICALITIES:
            return None
        at = _element(data, 0) + 3
        message = reader(data, at)
        if isinstance(message, SubscriptionDeleteRequired):
            written = _removed_again(message, data, at)
        else:
            written = aper.write(message)
    except (LookupError, StructError, _Unusual, EncodeError):
        return None
    if written is None or written[3:] != data[3:]:
        return None
    return message


_remembered = lru_cache(maxsize=_REMEMBERED)(_read)


def _removed_again(message: SubscriptionDeleteRequired, data: bytes, at: int) -> bytes | None:
    """The octets of a delete required, written with the heads that it came with.

    Up to 1024 items are worth the direct way in the numbering of every release.
    """
    item = _element(data, at) + 2
    heads = data[at : at + 3], data[item : item + 3]
    if (heads[0][:2], heads[1][:2]) not in _REMOVED_IDS:
        return None
    if heads[0][2] not in _CRITICALITIES or heads[1][2] not in _CRITICALITIES:
        return None
    return aper.write_delete_required(message, *heads)


class _Unusual(Exception):
    """Not a plain PDU."""


def _element(data: bytes, at: int) -> int:
    """The place of the value of the PDU, or the information element, that begins here: three octets, and a length."""
    return at + (4 if data[at + 3] < 128 else 5)


def _ids_at(data: bytes, at: int) -> tuple[RequestId, int]:
    requestor, instance, function = _ids(data, at)
    return RequestId(requestor, instance), function


def _subscription_request(data: bytes, at: int) -> Message:
    request_id, function = _ids_at(data, at)
    at = _element(data, at + _IDS) + 1
    trigger, at = _octets(data, at)
    count = (data[at] >> 4) + 1
    at += 1
    actions = []
    for _ in range(count):
        size, at = length(data, at + 3)
        actions.append(_action(data, at))
        at += size
    return SubscriptionRequest(request_id, function, trigger, tuple(actions))


def _octets(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = length(data, at)
    end = at + size
    if end > len(data):
        raise _Unusual
    return data[at:end], end


def _action(data: bytes, at: int) -> Action:
    head, action_id, kind = data[at], data[at + 1], data[at + 2]
    action_type = _ACTION_TYPES[kind >> 5 & 3]
    definition: bytes | None = None
    if head & 0x40:
        definition, at = _octets(data, at + 3)
        bits = _u16(data, at)[0] >> 7 if head & 0x20 else 0
    else:
        bits = _u16(data, at + 2)[0] >> 4 & 0x1FF if head & 0x20 else 0
    subsequent = None
    if head & 0x20:
        subsequent = SubsequentAction(_SUBSEQUENT_TYPES[bits >> 6 & 1], _TIMES[bits & 31])
    return Action(action_id, action_type, definition, subsequent)


def _subscription_response(data: bytes, at: int) -> Message:
    request_id, function = _ids_at(data, at)
    at = _element(data, at + _IDS)
    count = (data[at] >> 4) + 1
    end = at + 1 + 6 * count
    admitted = tuple(data[at + 6 : end : 6])
    if end >= len(data):
        return SubscriptionResponse(request_id, function, admitted)
    at = _element(data, end)
    count = data[at] >> 3
    at += 1
    refused = []
    for _ in range(count):
        size, at = length(data, at + 3)
        refused.append(NotAdmitted(data[at + 1], read_cause(data, at + 2)))
        at += size
    return SubscriptionResponse(request_id, function, admitted, tuple(refused))


def _subscription_failure(data: bytes, at: int) -> Message:
    request_id, function = _ids_at(data, at)
    return SubscriptionFailure(request_id, function, read_cause(data, _element(data, at + _IDS)))


def _delete_request(data: bytes, at: int) -> Message:
    return SubscriptionDeleteRequest(*_ids_at(data, at))


def _delete_response(data: bytes, at: int) -> Message:
    return SubscriptionDeleteResponse(*_ids_at(data, at))


def _delete_failure(data: bytes, at: int) -> Message:
    request_id, function = _ids_at(data, at)
    return SubscriptionDeleteFailure(request_id, function, read_cause(data, _element(data, at + _IDS)))


def _delete_required(data: bytes, at: int) -> Message:
    at = _element(data, at)
    count = _u16(data, at)[0] + 1
    if count > aper.MAX_REMOVED:
        raise _Unusual
    at += 2
    items = []
    for _ in range(count):
        size, at = length(data, at + 3)
        requestor, instance, function = _pair(data, at + 1)
        items.append(SubscriptionToRemove(RequestId(requestor, instance), function, read_cause(data, at + 7)))
        at += size
    return SubscriptionDeleteRequired(tuple(items))


_READERS: dict[bytes, Callable[[bytes, int], Message]] = {
    aper.REQUEST[:2]: _subscription_request,
    aper.RESPONSE[:2]: _subscription_response,
    aper.FAILURE[:2]: _subscription_failure,
    aper.DELETE_REQUEST[:2]: _delete_request,
    aper.DELETE_RESPONSE[:2]: _delete_response,
    aper.DELETE_FAILURE[:2]: _delete_failure,
    _DELETE_REQUIRED: _delete_required,
}
