# SPDX-License-Identifier: Apache-2.0
"""The readable items of a RIC SUBSCRIPTION DELETE REQUIRED that is not right as a whole (E2AP 9.1.1.7).

One bad item does not take the others with it: each item names a subscription that the E2 node has given up.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError

from submgr.e2ap import aper_write as aper
from submgr.e2ap.aper_causes import read_cause
from submgr.e2ap.messages import Cause, RequestId, SubscriptionDeleteRequired, SubscriptionToRemove

_pair = Struct(">HHH").unpack_from
_u16 = Struct(">H").unpack_from
_LISTS = {
    aper.REMOVED_LIST[:2]: aper.REMOVED[:2],
    aper.REMOVED_LIST_OF_2_00[:2]: aper.REMOVED_OF_2_00[:2],
}
"""Id of the list → id of its items, in present releases and in E2AP 2.00."""
_MAX_ELEMENTS = 64


def read_removed(data: bytes) -> SubscriptionDeleteRequired | None:
    """Reads what can be read, and counts the other items.

    None: the octets are no such message, or are cut, or say other lengths than they have, or every item is right and
    something else is wrong: then nothing in them can be trusted.
    """
    if data[:2] != aper.DELETE_REQUIRED[:2]:
        return None
    try:
        return _read(data)
    except (IndexError, StructError, ValueError):
        return None


def _read(data: bytes) -> SubscriptionDeleteRequired | None:
    """Raises IndexError, struct.error or ValueError where a length is not right."""
    size, at = length(data, 3)
    data = _whole(data, at, size)
    count = _u16(data, at + 1)[0]
    at += 3
    message = None
    for _ in range(min(count, _MAX_ELEMENTS)):
        size, value = length(data, at + 3)
        content = _whole(data, value, size)[value:]
        if data[at : at + 2] in _LISTS:
            message = _items(content, _LISTS[data[at : at + 2]])
        at = value + size
    return message if at == len(data) else None


def _whole(data: bytes, at: int, size: int) -> bytes:
    """The octets up to the end of a part. Raises ValueError when there are fewer."""
    if at + size > len(data):
        raise ValueError
    return data[: at + size]


def _items(data: bytes, item: bytes) -> SubscriptionDeleteRequired | None:
    count = _u16(data, 0)[0] + 1
    if count > aper.MAX_REMOVED:
        return None
    at, found, wrong = 2, [], 0
    for _ in range(count):
        size, value = length(data, at + 3)
        content = _whole(data, value, size)[value:]
        one, right = _item(content) if data[at : at + 2] == item else (None, False)
        if one is not None:
            found.append(one)
        wrong += not right
        at = value + size
    if not found or not wrong or at != len(data):
        return None
    return SubscriptionDeleteRequired(tuple(found), count - len(found))


def _item(data: bytes) -> tuple[SubscriptionToRemove | None, bool]:
    """An item, and whether all of it is right. An item whose cause cannot be read still names its subscription."""
    try:
        requestor, instance, function = _pair(data, 1)
    except StructError:
        return None, False
    try:
        cause, right = read_cause(data, 7), True
    except (LookupError, StructError):
        cause, right = Cause((data[7] >> 4) + 1 if len(data) > 7 else 0, 0), False
    return SubscriptionToRemove(RequestId(requestor, instance), function, cause), right


def length(data: bytes, at: int) -> tuple[int, int]:
    """A length determinant (up to 16383), and the place after it. Raises IndexError at the end of the octets."""
    first = data[at]
    if first < 128:
        return first, at + 1
    return (first & 0x3F) << 8 | data[at + 1], at + 2
