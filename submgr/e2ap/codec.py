# SPDX-License-Identifier: Apache-2.0
"""E2AP messages to octets and back (aligned PER, E2AP 9.3).

Plain messages take the direct codec (`aper_read`, `aper_write`), some microseconds each. All others take pycrate, which
needs 20 to 80 times as long. Both give the same octets and the same messages, and the property tests hold them to it,
so a caller sees one codec.
"""

from __future__ import annotations

from submgr.e2ap import aper_read, aper_write, pycrate_codec
from submgr.e2ap.aper_removed import read_removed
from submgr.e2ap.errors import DecodeError, EncodeError
from submgr.e2ap.messages import Message

__all__ = ["DecodeError", "EncodeError", "decode", "encode"]


def encode(message: Message) -> bytes:
    """The PDU of a message. Criticalities are those of the ASN.1; a time to wait `zero` is sent as w1ms.

    Raises:
        EncodeError: the ASN.1 does not allow the message (more than 16 actions, a number out of range, a failure
            without a reason). The text says why, in the codec's words.
    """
    written = aper_write.write(message)
    return pycrate_codec.encode(message) if written is None else written


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
        return pycrate_codec.decode(data, strict_order)
    except DecodeError:
        readable = read_removed(data)
        if readable is None:
            raise
        return readable
