# SPDX-License-Identifier: Apache-2.0
"""E2AP messages to octets and back (aligned PER, E2AP 9.3).

Plain messages take a direct way of some microseconds; the rest goes through pycrate, which takes 20 to 80
times as long. Both give the same octets and the same messages (the property tests hold them to it), so a caller
sees one codec.
"""

from __future__ import annotations

from submgr.e2ap import aper_read, aper_write, pycrate_codec
from submgr.e2ap.errors import DecodeError, EncodeError
from submgr.e2ap.messages import Message

__all__ = ["DecodeError", "EncodeError", "decode", "encode"]


def encode(message: Message) -> bytes:
    """The PDU of a message. Criticalities are those of the ASN.1; `zero` as time to wait leaves as w1ms.

    Raises:
        EncodeError: the ASN.1 does not allow it (more than 16 actions, a number out of range, a failure
            without a reason); its text says what, in the codec's words.
    """
    written = aper_write.write(message)
    return pycrate_codec.encode(message) if written is None else written


def decode(data: bytes, strict_order: bool = True) -> Message:
    """The message in a PDU. Older releases' forms are understood where they differ:

    a failure with a list of actions (E2AP 1.x), and both numberings of a delete required's list. A cause
    that is newer than the codec keeps its number; one of an unknown group keeps the group's, with value 0.

    Args:
        data: one PDU; octets after its end are ignored.
        strict_order: information elements out of order are an error (E2AP 10.3.6); False takes them.

    Raises:
        DecodeError: anything else that is not one of the seven messages. Nothing else is ever raised.
    """
    message = aper_read.read(data)
    return pycrate_codec.decode(data, strict_order) if message is None else message
