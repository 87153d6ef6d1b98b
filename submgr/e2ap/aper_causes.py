# SPDX-License-Identifier: Apache-2.0
"""Aligned PER of causes, and of the list of refused actions that E2AP 1.x has in a failure (E2AP 9.2.1, 9.1.1.3).

A RIC SUBSCRIPTION FAILURE with a list of actions exists in E2AP 1.x only, so the causes in it are numbered as there:
the same octet means another cause than in later releases.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from struct import error as StructError

from submgr.e2ap.causes import RELEASES
from submgr.e2ap.errors import DecodeError, EncodeError
from submgr.e2ap.messages import Cause, NotAdmitted

MAX_ACTIONS = 16

_u16 = Struct(">H").unpack_from
_ITEM = bytes.fromhex("001040")
"""Id 16 of an item (RICaction-NotAdmitted-Item), criticality ignore."""

# release -> group -> bits of a value, number of values before the extension mark
_BITS = {
    release: {group: ((len(root) - 1).bit_length(), len(root)) for group, (_, root, _) in groups.items()}
    for release, groups in RELEASES.items()
}


def read_cause(data: bytes, at: int, release: int = 2) -> Cause:
    """The cause at this place. Raises LookupError or struct.error when there is none that the release has."""
    first = data[at]
    group = (first >> 4) + 1
    width, count = _BITS[release][group]
    if first & 0x0C == 0x0C:
        raise LookupError("a number that is not small: `submgr.e2ap.aper_general` reads it")
    if first & 0x08:
        return Cause(group, count + (_u16(data, at)[0] >> 4 & 0x3F), release)
    if width <= 3:
        return Cause(group, (first & 7) >> 3 - width, release)
    return Cause(group, _u16(data, at)[0] >> 11 - width & (1 << width) - 1, release)


def write_cause(cause: Cause) -> bytes | None:
    """CHOICE (extension bit, three bits), then the ENUMERATED with its own extension bit. None: the release has no
    such cause."""
    known = _BITS[cause.release].get(cause.group)
    if known is None:
        return None
    width, count = known
    head = cause.group - 1
    if 0 <= cause.value < count:
        bits, used = head << 1 + width | cause.value, 5 + width
    elif count <= cause.value < count + 64:
        # One bit "in the extension", one bit "small number", six bits of it.
        bits, used = (head << 1 | 1) << 7 | cause.value - count, 12
    elif count <= cause.value < 1 << 32:
        # One bit "not small", then the number in as many octets as it takes.
        number = cause.value - count
        size = (number.bit_length() + 7) // 8
        return bytes((head << 4 | 0x0C, size)) + number.to_bytes(size, "big")
    else:
        return None
    octets = (used + 7) // 8
    return (bits << octets * 8 - used).to_bytes(octets, "big")


def read_refused(data: bytes) -> tuple[NotAdmitted, ...]:
    """The value of a RICaction-NotAdmitted-List of E2AP 1.x.

    Raises:
        DecodeError: it is none, or shorter than it says.
    """
    try:
        count, at, refused = data[0] >> 3, 1, []
        for _ in range(count):
            if data[at : at + 2] != _ITEM[:2]:
                raise DecodeError("an item of another kind in the list of refused actions")
            size = data[at + 3]
            item = data[at + 4 : at + 4 + size]
            refused.append(NotAdmitted(item[1], _cause_or_its_group(item, 2)))
            at += 4 + size
    except LookupError as error:
        raise DecodeError("the list of refused actions is shorter than it says") from error
    return tuple(refused)


def _cause_or_its_group(data: bytes, at: int) -> Cause:
    """Of a cause that the release does not have, only the group's own number can be told: its value is 0."""
    first = data[at]
    try:
        return read_cause(data, at, release=1)
    except (LookupError, StructError):
        return Cause((first >> 4) + 1, 0, release=1)


def write_refused(items: Sequence[NotAdmitted]) -> bytes:
    """The value of a RICaction-NotAdmitted-List of E2AP 1.x.

    Raises:
        EncodeError: more than 16 actions, or a cause that E2AP 1.x does not have.
    """
    if len(items) > MAX_ACTIONS:
        words = f"value out of size constraint, {len(items)} actions, at most {MAX_ACTIONS}"
        raise EncodeError(f"RICaction-NotAdmitted-List: {words}")
    parts = [bytes((len(items) << 3,))]
    for item in items:
        cause = write_cause(item.cause) if item.cause.release == 1 else None
        if cause is None or not 0 <= item.action_id <= 255:
            raise EncodeError(f"RICaction-NotAdmitted-Item: {item} is not in E2AP 1.x")
        value = bytes((0, item.action_id)) + cause
        parts.append(_ITEM + bytes((len(value),)) + value)
    return b"".join(parts)
