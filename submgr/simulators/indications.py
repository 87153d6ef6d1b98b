# SPDX-License-Identifier: Apache-2.0
"""RIC INDICATION (E2AP 8.2.3) as aligned PER: what a node reports, and what an xApp reads. No other module has it.

The Subscription Manager neither sends nor takes indications: they go from E2 Termination to xApps.
"""

from __future__ import annotations

from msgspec import Struct

from submgr.e2ap.aper_removed import length as read_length

_HEAD = b"\x00\x05\x40"
"""Initiating message, procedure RICindication, criticality ignore."""
_REQUEST_ID, _FUNCTION, _ACTION, _NUMBER, _TYPE, _HEADER, _MESSAGE = 29, 5, 15, 27, 28, 25, 26


class Indication(Struct, frozen=True):
    """A REPORT of an action of a subscription. `number` counts the indications of the action."""

    requestor: int
    instance: int
    function: int
    action: int
    number: int
    header: bytes
    message: bytes


def write_indication(one: Indication) -> bytes:
    """The octets of the PDU."""
    elements = [
        (_REQUEST_ID, b"\0" + one.requestor.to_bytes(2) + one.instance.to_bytes(2)),
        (_FUNCTION, one.function.to_bytes(2)),
        (_ACTION, one.action.to_bytes(1)),
        (_NUMBER, one.number.to_bytes(2)),
        (_TYPE, b"\0"),
        (_HEADER, _sized(one.header)),
        (_MESSAGE, _sized(one.message)),
    ]
    body = b"\0" + len(elements).to_bytes(2)
    for number, value in elements:
        body += number.to_bytes(2) + b"\0" + _sized(value)
    return _HEAD + _sized(body)


def _sized(octets: bytes) -> bytes:
    size = len(octets)
    return (size.to_bytes(1) if size < 0x80 else (0x8000 | size).to_bytes(2)) + octets


def read_indication(data: bytes) -> Indication | None:
    """The indication in these octets; None when they are something else."""
    try:
        if data[:2] != _HEAD[:2]:
            return None
        _, at = read_length(data, 3)
        elements: dict[int, bytes] = {}
        count = int.from_bytes(data[at + 1 : at + 3])
        at += 3
        for _ in range(min(count, 20)):
            size, begin = read_length(data, at + 3)
            elements[int.from_bytes(data[at : at + 2])] = data[begin : begin + size]
            at = begin + size
        ids = elements[_REQUEST_ID]
        return Indication(
            int.from_bytes(ids[1:3]),
            int.from_bytes(ids[3:5]),
            int.from_bytes(elements[_FUNCTION]),
            int.from_bytes(elements[_ACTION]),
            int.from_bytes(elements.get(_NUMBER, b"")),
            _content(elements[_HEADER]),
            _content(elements[_MESSAGE]),
        )
    except LookupError:
        return None


def _content(value: bytes) -> bytes:
    size, begin = read_length(value, 0)
    return value[begin : begin + size]
