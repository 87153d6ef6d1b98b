# SPDX-License-Identifier: Apache-2.0
"""E2AP messages to octets and back (aligned PER, E2AP 9.3).

Plain messages are read in some microseconds (`aper_read`), all others in some ten times as many (`aper_general`). The
property tests hold both, and the writer, to what pycrate makes of the ASN.1 (docs/decisions/0013-own-e2ap-codec.md).
"""

from __future__ import annotations

from submgr.e2ap import aper_general, aper_read, aper_write
from submgr.e2ap.aper_removed import read_removed
from submgr.e2ap.errors import DecodeError, EncodeError
from submgr.e2ap.messages import Message

__all__ = ["DecodeError", "EncodeError", "decode", "encode"]


def encode(message: Message) -> bytes:
    """The PDU of a message. Criticalities are those of the ASN.1; a time to wait `zero` is sent as w1ms.

    Raises:
        EncodeError: the ASN.1 does not allow the message (more than 16 actions, a number out of range, a failure
            without a reason). The text says why.
    """
    return aper_write.write(message)


def decode(data: bytes, strict_order: bool = True) -> Message:
    """The message in a PDU.

    Forms of older releases are understood too: a failure with a list of actions (E2AP 1.x), and the list of a delete
    required in the numbering of E2AP 2.00. A cause that the codec does not know keeps its number. A cause of an unknown
    group keeps the number of the group, and its value is 0.

    Of a delete required with unreadable items, the readable ones are taken.

    Args:
        data: one PDU; octets after its end are ignored.
        strict_order: whether information elements out of order are an error (E2AP 10.3.6).

    Raises:
        DecodeError: the octets are none of the seven messages. Nothing else is ever raised.
    """
    message = aper_read.read(data)
    if message is not None:
        return message
    try:
        return aper_general.read(data, strict_order)
    except DecodeError:
        readable = read_removed(data)
        if readable is None:
            raise
        return readable
