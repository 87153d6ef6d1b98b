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

_u16 = Struct(">H").pack
_request_id = Struct(">HH").pack


def write(message: Message) -> bytes:
    """The octets of a message. Raises EncodeError when the ASN.1 does not allow it."""
    return _pdu(*_WRITERS[type(message)](message))  # type: ignore[operator]


def write_delete_required(message: SubscriptionDeleteRequired, list_head: bytes, item_head: bytes) -> bytes:
    """The octets of a delete required with other heads (ids and criticalities) than those of the present ASN.1."""
    return _pdu(*_delete_required(message, list_head, item_head))


def _pdu(head: bytes, elements: list[bytes]) -> bytes:
    return _element(head, b"\x00" + _u16(len(elements)) + b"".join(elements))


def _subscription_request(message: SubscriptionRequest) -> tuple[bytes, list[bytes]]:
    actions = message.actions
    _bound("ricAction-ToBeSetup-List", len(actions), 1, MAX_ACTIONS)
    parts = [b"\x00", _octets(message.event_trigger), bytes((len(actions) - 1 << 4,))]
    parts += [_element(_TO_BE_SETUP, _action(action)) for action in actions]
    return REQUEST, [*_ids(message), _element(_DETAILS, b"".join(parts))]


def _subscription_response(message: SubscriptionResponse) -> tuple[bytes, list[bytes]]:
    admitted = message.admitted
    _bound("RICaction-Admitted-List", len(admitted), 1, MAX_ACTIONS)
    items = [bytes((len(admitted) - 1 << 4,))]
    items += [_ADMITTED + bytes((_in_range("ricActionID", action_id, 255),)) for action_id in admitted]
    elements = [*_ids(message), _element(_ADMITTED_LIST, b"".join(items))]
    if message.not_admitted:
        elements.append(_not_admitted_list(message.not_admitted))
    return RESPONSE, elements


def _subscription_failure(message: SubscriptionFailure) -> tuple[bytes, list[bytes]]:
    elements = _ids(message)
    if message.not_admitted:
        # E2AP 1.x
        elements.append(_element(_NOT_ADMITTED_LIST, write_refused(message.not_admitted)))
    if message.cause is not None:
        elements.append(_element(_FAILURE_CAUSE, _cause(message.cause)))
    if len(elements) == 2:
        raise EncodeError("RICsubscriptionFailure without a cause or a list of actions")
    return FAILURE, elements


def _delete_request(message: SubscriptionDeleteRequest) -> tuple[bytes, list[bytes]]:
    return DELETE_REQUEST, _ids(message)


def _delete_response(message: SubscriptionDeleteResponse) -> tuple[bytes, list[bytes]]:
    return DELETE_RESPONSE, _ids(message)


def _delete_failure(message: SubscriptionDeleteFailure) -> tuple[bytes, list[bytes]]:
    if message.cause is None:
        raise EncodeError("RICsubscriptionDeleteFailure without a cause")
    return DELETE_FAILURE, [*_ids(message), _element(_DELETE_FAILURE_CAUSE, _cause(message.cause))]


def _delete_required(
    message: SubscriptionDeleteRequired, list_head: bytes = REMOVED_LIST, item_head: bytes = REMOVED
) -> tuple[bytes, list[bytes]]:
    _bound("RICsubscription-List-withCause", len(message.items), 1, MAX_REMOVED)
    items = [_u16(len(message.items) - 1)]
    items += [_element(item_head, _to_remove(item)) for item in message.items]
    return DELETE_REQUIRED, [_element(list_head, b"".join(items))]


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


def _in_range(name: str, number: int, most: int) -> int:
    if not 0 <= number <= most:
        raise EncodeError(f"{name}: INTEGER value out of constraint, {number}")
    return number


def _octets(value: bytes) -> bytes:
    size = len(value)
    if size < 128:
        return bytes((size,)) + value
    if size < FRAGMENT:
        return _u16(0x8000 | size) + value
    return _fragments(value)


def _fragments(value: bytes) -> bytes:
    count = min(len(value) // FRAGMENT, 4)
    end = count * FRAGMENT
    return bytes((0xC0 | count,)) + value[:end] + _octets(value[end:])


def _element(head: bytes, value: bytes) -> bytes:
    return head + _octets(value)


def _pair(request_id: RequestId) -> bytes:
    return _request_id(
        _in_range("ricRequestorID", request_id.requestor, 65535),
        _in_range("ricInstanceID", request_id.instance, 65535),
    )


def _ids(
    message: (
        SubscriptionRequest
        | SubscriptionResponse
        | SubscriptionFailure
        | SubscriptionDeleteRequest
        | SubscriptionDeleteResponse
        | SubscriptionDeleteFailure
    ),
) -> list[bytes]:
    return [
        _REQUEST_ID + _pair(message.request_id),
        _FUNCTION_ID + _u16(_in_range("RANfunctionID", message.ran_function_id, 4095)),
    ]


def _action(action: Action) -> bytes:
    definition, subsequent = action.definition, action.subsequent
    # Three bits: extension, is there a definition, is there a subsequent action. The id is octet aligned.
    head = bytes(
        (
            (definition is not None) << 6 | (subsequent is not None) << 5,
            _in_range("ricActionID", action.action_id, 255),
        )
    )
    kind = _in_range("ricActionType", action.action_type, 2)
    if subsequent is None:
        return head + bytes((kind << 5,)) + (b"" if definition is None else _octets(definition))
    wait = subsequent.time_to_wait
    kind_after = _in_range("ricSubsequentActionType", subsequent.type, 1)
    bits = kind_after << 6 | (_in_range("ricTimeToWait", wait, 17) - 1 if wait else 0)
    if definition is None:
        # Three bits of kind and nine of subsequent action follow each other without alignment.
        return head + _u16((kind << 9 | bits) << 4)
    return head + bytes((kind << 5,)) + _octets(definition) + _u16(bits << 7)


def _not_admitted_list(items: Sequence[NotAdmitted]) -> bytes:
    _bound("RICaction-NotAdmitted-List", len(items), 0, MAX_ACTIONS)
    parts = [bytes((len(items) << 3,))]
    for item in items:
        action_id = _in_range("ricActionID", item.action_id, 255)
        parts.append(_element(_NOT_ADMITTED, bytes((0, action_id)) + _cause(item.cause)))
    return _element(_NOT_ADMITTED_LIST, b"".join(parts))


def _cause(cause: Cause) -> bytes:
    written = write_cause(cause) if cause.release == 2 else None
    if written is None:
        raise EncodeError(f"Cause: group {cause.group}, value {cause.value} is not in the ASN.1")
    return written


def _to_remove(item: SubscriptionToRemove) -> bytes:
    function = _in_range("ranFunctionID", item.ran_function_id, 4095)
    return b"\x00" + _pair(item.request_id) + _u16(function) + _cause(item.cause)
