# SPDX-License-Identifier: Apache-2.0
"""Reads the seven messages in all their forms: other criticalities, elements out of order or of other releases,
extensions, diagnostics, fragments (E2AP 9.3, 10.3).

What later releases have added behind an extension mark is passed over. `submgr.e2ap.aper_read` reads the plain form
in a third of the time; a runtime that walks the ASN.1 takes nine times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from submgr.e2ap.aper_bits import Bits
from submgr.e2ap.aper_causes import MAX_ACTIONS, read_refused
from submgr.e2ap.causes import GROUPS
from submgr.e2ap.errors import DecodeError
from submgr.e2ap.messages import (
    Action,
    ActionType,
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
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)

T = TypeVar("T")

_MAX_ELEMENTS = 64
"""More information elements than this have never been in a subscription message, and a PDU could claim 65535."""
_MAX_REMOVED = 1024
_REJECT = 0

_PLACES = ("initiatingMessage", "successfulOutcome", "unsuccessfulOutcome")

# Ids of information elements (E2AP 9.3.7).
_CAUSE = 1
_DIAGNOSTICS = 2
_FUNCTION_ID = 5
_ADMITTED = 14
_NOT_ADMITTED = 16
_ADMITTED_LIST = 17
_NOT_ADMITTED_LIST = 18
_TO_BE_SETUP = 19
_REQUEST_ID = 29
_DETAILS = 30
_REMOVED_LIST_OF_2_00 = 50
_REMOVED_OF_2_00 = 51
_REMOVED_LIST = 60
_REMOVED = 61
_START_TIME = 62
_END_TIME = 63


class _Form(Struct, frozen=True):
    """The elements of a kind of message in their order, and how the message is made of their values.

    `elements`: by id, and whether it must be there. A failure's list of refused actions is E2AP 1.x; later releases
    have a cause in its place. Neither is insisted on: a refusal without a reason is still a refusal. Times are an
    extension that nobody has asked for yet.
    """

    elements: Mapping[int, bool]
    make: Callable[[Mapping[int, Bits]], Message]


def read(data: bytes, strict_order: bool) -> Message:
    """The message in these octets. Octets after the end of the PDU are ignored.

    `strict_order`: whether elements out of order are an error. Raises DecodeError.
    """
    bits = Bits(data)
    place, extended = bits.alternative(len(_PLACES), "CHOICE")
    if extended:
        raise DecodeError(f"E2AP-PDU: alternative _ext_{place} is not known here")
    code = bits.octet()
    if bits.bits(2) > 2:
        raise DecodeError("invalid ENUMERATED value: the criticality of the procedure")
    content = Bits(bits.whole())
    form = _FORMS.get((place, code))
    if form is None:
        raise DecodeError(f"{_PLACES[place]} of procedure {code} is not a subscription message")
    found = _elements(form, content, strict_order)
    for element, mandatory in form.elements.items():
        if mandatory and element not in found:
            raise DecodeError(f"mandatory information element {element} is missing")
    return form.make(found)


def _elements(form: _Form, content: Bits, strict_order: bool) -> dict[int, Bits]:
    """The values of the known elements, by id. An unknown one is ignored unless its criticality is reject (10.3)."""
    more = content.bits(1)
    count = content.pair()
    if count > _MAX_ELEMENTS:
        raise DecodeError(f"{count} information elements, at most {_MAX_ELEMENTS} are read")
    order = list(form.elements)
    found: dict[int, Bits] = {}
    last = -1
    for _ in range(count):
        element, criticality, value = _field(content)
        if element not in form.elements:
            if criticality == _REJECT:
                raise DecodeError(f"information element {element} with criticality reject is not known")
            continue
        known = _REMOVED_LIST if element == _REMOVED_LIST_OF_2_00 else element
        if known in found:
            raise DecodeError(f"information element {element} occurs twice")
        if strict_order and order.index(element) < last:
            raise DecodeError(f"information element {element} is out of order")
        last = order.index(element)
        found[known] = value
    content.additions(more)
    content.finish()
    return found


def _field(bits: Bits) -> tuple[int, int, Bits]:
    """A ProtocolIE-Field: id, criticality, and the value that is still to be read."""
    number, criticality = bits.pair(), bits.bits(2)
    if criticality > 2:
        raise DecodeError(f"invalid ENUMERATED value: the criticality of information element {number}")
    return number, criticality, Bits(bits.whole())


def _items(bits: Bits, count: int, read_item: Callable[[Bits], T], *ids: int) -> tuple[T, ...]:
    """The items of a list. Raises DecodeError for one with another id."""
    items = []
    for _ in range(count):
        number, _, value = _field(bits)
        if number not in ids:
            raise DecodeError(f"item {number} in a list of items {ids[0]}")
        items.append(_whole(value, read_item))
    return tuple(items)


def _whole(bits: Bits, read_value: Callable[[Bits], T]) -> T:
    """A value that takes all its octets."""
    value = read_value(bits)
    bits.finish()
    return value


def _request_id(bits: Bits) -> RequestId:
    more = bits.bits(1)
    request_id = RequestId(bits.pair(), bits.pair())
    bits.additions(more)
    return request_id


def _function_id(bits: Bits) -> int:
    number = bits.pair()
    if number > 4095:
        raise DecodeError(f"RANfunctionID: INTEGER value out of constraint, {number}")
    return number


def _ids(elements: Mapping[int, Bits]) -> tuple[RequestId, int]:
    return _whole(elements[_REQUEST_ID], _request_id), _whole(elements[_FUNCTION_ID], _function_id)


def _subscription_request(elements: Mapping[int, Bits]) -> Message:
    trigger, actions = _whole(elements[_DETAILS], _details)
    return SubscriptionRequest(*_ids(elements), trigger, actions)


def _details(bits: Bits) -> tuple[bytes, tuple[Action, ...]]:
    more = bits.bits(1)
    trigger = bits.whole()
    actions = _items(bits, bits.bits(4) + 1, _action, _TO_BE_SETUP)
    bits.additions(more)
    return trigger, actions


def _action(bits: Bits) -> Action:
    more, has_definition, has_subsequent = bits.bits(1), bits.bits(1), bits.bits(1)
    action_id = bits.octet()
    action_type = ActionType(_known(bits, len(ActionType), "ActionType"))
    definition = bits.whole() if has_definition else None
    subsequent = _subsequent(bits) if has_subsequent else None
    bits.additions(more)
    return Action(action_id, action_type, definition, subsequent)


def _subsequent(bits: Bits) -> SubsequentAction:
    more = bits.bits(1)
    kind = _known(bits, len(SubsequentActionType), "SubsequentActionType")
    # the ASN.1 begins with w1ms
    wait = _known(bits, len(TimeToWait) - 1, "TimeToWait") + 1
    bits.additions(more)
    return SubsequentAction(SubsequentActionType(kind), TimeToWait(wait))


def _known(bits: Bits, count: int, name: str) -> int:
    """The number of an ENUMERATED value. Raises DecodeError for one of a later release."""
    value, extended = bits.alternative(count, "ENUMERATED")
    if extended:
        raise DecodeError(f"{name}: _ext_{value} is not known here")
    return value


def _subscription_response(elements: Mapping[int, Bits]) -> Message:
    admitted = _whole(elements[_ADMITTED_LIST], _admitted_list)
    refused = elements.get(_NOT_ADMITTED_LIST)
    return SubscriptionResponse(
        *_ids(elements), admitted, _whole(refused, _not_admitted_list) if refused is not None else ()
    )


def _admitted_list(bits: Bits) -> tuple[int, ...]:
    return _items(bits, bits.bits(4) + 1, _admitted, _ADMITTED)


def _admitted(bits: Bits) -> int:
    more = bits.bits(1)
    action_id = bits.octet()
    bits.additions(more)
    return action_id


def _not_admitted_list(bits: Bits) -> tuple[NotAdmitted, ...]:
    count = bits.bits(5)
    if count > MAX_ACTIONS:
        raise DecodeError(f"RICaction-NotAdmitted-List: {count} items, at most {MAX_ACTIONS}")
    return _items(bits, count, _not_admitted, _NOT_ADMITTED)


def _not_admitted(bits: Bits) -> NotAdmitted:
    more = bits.bits(1)
    refused = NotAdmitted(bits.octet(), _cause(bits))
    bits.additions(more)
    return refused


def _subscription_failure(elements: Mapping[int, Bits]) -> Message:
    refused = elements.get(_NOT_ADMITTED_LIST)
    taken = read_refused(refused.rest()) if refused is not None else ()
    return SubscriptionFailure(*_ids(elements), _optional_cause(elements), taken)


def _delete_failure(elements: Mapping[int, Bits]) -> Message:
    return SubscriptionDeleteFailure(*_ids(elements), _optional_cause(elements))


def _optional_cause(elements: Mapping[int, Bits]) -> Cause | None:
    return _whole(elements[_CAUSE], _cause) if _CAUSE in elements else None


def _cause(bits: Bits) -> Cause:
    """Of a group from a later release only the group's number is known; the value is 0."""
    group, extended = bits.alternative(len(GROUPS), "CHOICE")
    if extended:
        bits.whole()
        return Cause(len(GROUPS) + 1 + group, 0)
    root = len(GROUPS[group + 1][1])
    value, extended = bits.alternative(root, "ENUMERATED")
    return Cause(group + 1, root + value if extended else value)


def _delete_required(elements: Mapping[int, Bits]) -> Message:
    return SubscriptionDeleteRequired(_whole(elements[_REMOVED_LIST], _removed_list))


def _removed_list(bits: Bits) -> tuple[SubscriptionToRemove, ...]:
    count = bits.pair() + 1
    if count > _MAX_REMOVED:
        raise DecodeError(f"RICsubscription-List-withCause: {count} items, at most {_MAX_REMOVED}")
    return _items(bits, count, _to_remove, _REMOVED, _REMOVED_OF_2_00)


def _to_remove(bits: Bits) -> SubscriptionToRemove:
    more = bits.bits(1)
    item = SubscriptionToRemove(_request_id(bits), _function_id(bits), _cause(bits))
    bits.additions(more)
    return item


_IDS = {_REQUEST_ID: True, _FUNCTION_ID: True}
_FORMS: Mapping[tuple[int, int], _Form] = {
    (0, 8): _Form({**_IDS, _DETAILS: True, _START_TIME: False, _END_TIME: False}, _subscription_request),
    (1, 8): _Form({**_IDS, _ADMITTED_LIST: True, _NOT_ADMITTED_LIST: False}, _subscription_response),
    (2, 8): _Form({**_IDS, _NOT_ADMITTED_LIST: False, _CAUSE: False, _DIAGNOSTICS: False}, _subscription_failure),
    (0, 9): _Form(_IDS, lambda elements: SubscriptionDeleteRequest(*_ids(elements))),
    (1, 9): _Form(_IDS, lambda elements: SubscriptionDeleteResponse(*_ids(elements))),
    (2, 9): _Form({**_IDS, _CAUSE: False, _DIAGNOSTICS: False}, _delete_failure),
    (0, 12): _Form({_REMOVED_LIST: True, _REMOVED_LIST_OF_2_00: False}, _delete_required),
}
"""By place in the CHOICE and procedure code."""
