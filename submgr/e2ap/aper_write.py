# SPDX-License-Identifier: Apache-2.0
"""Writes the seven messages in aligned PER (ITU-T X.691; E2AP 9.1.1 and 9.3).

The seven shapes are fixed, so a message is a join of a few constants and lengths: some twenty times faster than a
runtime that walks the ASN.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from submgr.e2ap.aper_causes import MAX_ACTIONS, write_cause, write_refused
from submgr.e2ap.errors import EncodeError
from submgr.e2ap.messages import (
    Action,
    Cause,
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
)

MAX_REMOVED = 1024
# From here on X.691 cuts octets into fragments of one to four times as many.
FRAGMENT = 16384

# Heads of a PDU: place in the CHOICE, procedure code, criticality.
REQUEST = b"\x00\x08\x00"
RESPONSE = b"\x20\x08\x00"
FAILURE = b"\x40\x08\x00"
DELETE_REQUEST = b"\x00\x09\x00"
DELETE_RESPONSE = b"\x20\x09\x00"
DELETE_FAILURE = b"\x40\x09\x00"
DELETE_REQUIRED = b"\x00\x0c\x40"

# Heads of the list of a delete required and of its items, with the present ids and those of E2AP 2.00.
REMOVED_LIST = b"\x00\x3c\x40"
REMOVED = b"\x00\x3d\x40"
REMOVED_LIST_OF_2_00 = b"\x00\x32\x40"
REMOVED_OF_2_00 = b"\x00\x33\x40"

# Heads of an information element: id and criticality.
_REQUEST_ID = b"\x00\x1d\x00\x05\x00"
_FUNCTION_ID = b"\x00\x05\x00\x02"
_DETAILS = b"\x00\x1e\x00"
_TO_BE_SETUP = b"\x00\x13\x40"
_ADMITTED_LIST = b"\x00\x11\x00"
_ADMITTED = b"\x00\x0e\x40\x02\x00"
_NOT_ADMITTED_LIST = b"\x00\x12\x00"
_NOT_ADMITTED = b"\x00\x10\x40"
_FAILURE_CAUSE = b"\x00\x01\x00"
_DELETE_FAILURE_CAUSE = b"\x00\x01\x40"

_U8, _U16, _FUNCTIONS = range(256), range(65536), range(4096)
_KINDS, _KINDS_AFTER, _WAITS = range(3), range(2), range(18)

_OCTET = [bytes((number,)) for number in _U8]
_u16 = Struct(">H").pack
_request_id = Struct(">HH").pack
_two_elements = Struct(">5sHH4sH").pack

_Content = tuple[bytes, int, bytes]
"""The head of a PDU, and how many elements it has, which follow."""


def write(message: Message) -> bytes:
    """The octets of a message. Raises EncodeError when the ASN.1 does not allow it."""
    return _pdu(*_WRITERS[type(message)](message))  # type: ignore[operator]


def write_delete_required(message: SubscriptionDeleteRequired, list_head: bytes, item_head: bytes) -> bytes:
    """The octets of a delete required with other heads (ids and criticalities) than those of the present ASN.1."""
    return _pdu(*_delete_required(message, list_head, item_head))


def _pdu(head: bytes, count: int, elements: bytes) -> bytes:
    return _element(head, b"\x00" + _u16(count) + elements)


def _subscription_request(message: SubscriptionRequest) -> _Content:
    actions = message.actions
    _bound("ricAction-ToBeSetup-List", len(actions), 1, MAX_ACTIONS)
    items = b"".join([_element(_TO_BE_SETUP, _action(action)) for action in actions])
    details = _element(b"\x00", message.event_trigger) + _OCTET[len(actions) - 1 << 4] + items
    return REQUEST, 3, _ids(message) + _element(_DETAILS, details)


def _subscription_response(message: SubscriptionResponse) -> _Content:
    admitted = message.admitted
    _bound("RICaction-Admitted-List", len(admitted), 1, MAX_ACTIONS)
    items = b"".join([_ADMITTED + _OCTET[_within("ricActionID", action_id, _U8)] for action_id in admitted])
    elements = _ids(message) + _element(_ADMITTED_LIST, _OCTET[len(admitted) - 1 << 4] + items)
    if message.not_admitted:
        return RESPONSE, 4, elements + _not_admitted_list(message.not_admitted)
    return RESPONSE, 3, elements


def _subscription_failure(message: SubscriptionFailure) -> _Content:
    count, elements = 2, _ids(message)
    if message.not_admitted:
        # E2AP 1.x
        count, elements = 3, elements + _element(_NOT_ADMITTED_LIST, write_refused(message.not_admitted))
    if message.cause is not None:
        count, elements = count + 1, elements + _element(_FAILURE_CAUSE, _cause(message.cause))
    if count == 2:
        raise EncodeError("RICsubscriptionFailure without a cause or a list of actions")
    return FAILURE, count, elements


def _delete_request(message: SubscriptionDeleteRequest) -> _Content:
    return DELETE_REQUEST, 2, _ids(message)


def _delete_response(message: SubscriptionDeleteResponse) -> _Content:
    return DELETE_RESPONSE, 2, _ids(message)


def _delete_failure(message: SubscriptionDeleteFailure) -> _Content:
    if message.cause is None:
        raise EncodeError("RICsubscriptionDeleteFailure without a cause")
    return DELETE_FAILURE, 3, _ids(message) + _element(_DELETE_FAILURE_CAUSE, _cause(message.cause))


def _delete_required(
    message: SubscriptionDeleteRequired, list_head: bytes = REMOVED_LIST, item_head: bytes = REMOVED
) -> _Content:
    _bound("RICsubscription-List-withCause", len(message.items), 1, MAX_REMOVED)
    items = [_u16(len(message.items) - 1)]
    items += [_element(item_head, _to_remove(item)) for item in message.items]
    return DELETE_REQUIRED, 1, _element(list_head, b"".join(items))


_WRITERS = {
    SubscriptionRequest: _subscription_request,
    SubscriptionResponse: _subscription_response,
    SubscriptionFailure: _subscription_failure,
    SubscriptionDeleteRequest: _delete_request,
    SubscriptionDeleteResponse: _delete_response,
    SubscriptionDeleteFailure: _delete_failure,
    SubscriptionDeleteRequired: _delete_required,
}


def _bound(name: str, count: int, least: int, most: int) -> None:
    if not least <= count <= most:
        raise EncodeError(f"{count} items in {name}: value out of size constraint")


def _within(name: str, number: int, numbers: range) -> int:
    if number not in numbers:
        raise EncodeError(f"{name}: INTEGER value out of constraint, {number}")
    return number


def _element(head: bytes, value: bytes) -> bytes:
    """Octets behind their head and their length."""
    size = len(value)
    if size < 128:
        return head + _OCTET[size] + value
    if size < FRAGMENT:
        return head + _u16(0x8000 | size) + value
    return head + _fragments(value)


def _fragments(value: bytes) -> bytes:
    count = min(len(value) // FRAGMENT, 4)
    end = count * FRAGMENT
    return _element(_OCTET[0xC0 | count] + value[:end], value[end:])


def _ids(
    message: (
        SubscriptionRequest
        | SubscriptionResponse
        | SubscriptionFailure
        | SubscriptionDeleteRequest
        | SubscriptionDeleteResponse
        | SubscriptionDeleteFailure
    ),
) -> bytes:
    """The two elements that all of these begin with."""
    request_id, function = message.request_id, message.ran_function_id
    requestor, instance = request_id.requestor, request_id.instance
    if requestor in _U16 and instance in _U16 and function in _FUNCTIONS:
        return _two_elements(_REQUEST_ID, requestor, instance, _FUNCTION_ID, function)
    # One of them raises.
    return _pair(request_id) + _u16(_within("RANfunctionID", function, _FUNCTIONS))


def _pair(request_id: RequestId) -> bytes:
    return _request_id(
        _within("ricRequestorID", request_id.requestor, _U16), _within("ricInstanceID", request_id.instance, _U16)
    )


def _action(action: Action) -> bytes:
    action_id = _within("ricActionID", action.action_id, _U8)
    kind = _within("ricActionType", action.action_type, _KINDS)
    definition, subsequent = action.definition, action.subsequent
    # Three bits: extension, is there a definition, is there a subsequent action. The id is octet aligned.
    head = _OCTET[(definition is not None) << 6 | (subsequent is not None) << 5] + _OCTET[action_id]
    if subsequent is None:
        head += _OCTET[kind << 5]
        return head if definition is None else _element(head, definition)
    wait = subsequent.time_to_wait
    kind_after = _within("ricSubsequentActionType", subsequent.type, _KINDS_AFTER)
    bits = kind_after << 6 | (_within("ricTimeToWait", wait, _WAITS) - 1 if wait else 0)
    if definition is None:
        # Three bits of kind and nine of subsequent action follow each other without alignment.
        return head + _u16((kind << 9 | bits) << 4)
    return _element(head + _OCTET[kind << 5], definition) + _u16(bits << 7)


def _not_admitted_list(items: Sequence[NotAdmitted]) -> bytes:
    _bound("RICaction-NotAdmitted-List", len(items), 0, MAX_ACTIONS)
    parts = [_OCTET[len(items) << 3]]
    for item in items:
        action_id = _within("ricActionID", item.action_id, _U8)
        parts.append(_element(_NOT_ADMITTED, b"\x00" + _OCTET[action_id] + _cause(item.cause)))
    return _element(_NOT_ADMITTED_LIST, b"".join(parts))


def _cause(cause: Cause) -> bytes:
    written = write_cause(cause) if cause.release == 2 else None
    if written is None:
        raise EncodeError(f"Cause: group {cause.group}, value {cause.value} is not in the ASN.1")
    return written


def _to_remove(item: SubscriptionToRemove) -> bytes:
    function = _within("ranFunctionID", item.ran_function_id, _FUNCTIONS)
    return b"\x00" + _pair(item.request_id) + _u16(function) + _cause(item.cause)
