# SPDX-License-Identifier: Apache-2.0
"""An RMR message as a plain value, and the outcome of a send."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

XID_SIZE = 32
"""Bytes of the transaction id field ("xaction") of an RMR header."""
SID_SIZE = 32
MEID_MAX = 31
"""Longest meid in bytes: the field has 32 and librmr wants a terminator."""
SRC_MAX = 63
"""Longest "host:port" of a sender in bytes."""
CALL_MSG = 0x04
"""Header flag of a message whose sender blocks until it is answered (rmr_call, rmr_mt_call, rmr_wh_call)."""
NO_SUB_ID = -1


class Status(IntEnum):
    """Outcome of a send, with librmr's state numbers.

    The transports of this package return OK (accepted for sending), BADARG, NOENDPT, OVERFLOW and RETRY. librmr may
    return any of them.
    """

    OK = 0
    BADARG = 1
    NOENDPT = 2
    EMPTY = 3
    NOHDR = 4
    SENDFAILED = 5
    CALLFAILED = 6
    NOWHOPEN = 7
    WHID = 8
    OVERFLOW = 9
    RETRY = 10
    RCVFAILED = 11
    TIMEOUT = 12
    UNSET = 13
    TRUNC = 14
    INITFAILED = 15


class Message(Struct, frozen=True):
    """One RMR message. It owns its bytes, so it may be kept for any length of time.

    `xid` has at most 32 raw bytes, filled up with zeros on the wire. A received message has all 32, so that a reply
    echoes them unchanged; `transaction` leaves the filling out. `meid` has at most 31 and `src` at most 63 bytes of
    UTF-8. `src` is the "host:port" the sender listens on; a transport writes its own there, whatever the message to be
    sent has. `d1` begins with the call id of a blocking call, and `trace` is opaque: a reply echoes both. `origin`
    names the connection the message came in on, for its transport only. `more`: the payload goes on in the next message
    from the same origin (TransportConfig.stream_above).
    """

    mtype: int
    payload: bytes = b""
    sub_id: int = NO_SUB_ID
    xid: bytes = b""
    meid: str = ""
    src: str = ""
    sid: bytes = b""
    d1: bytes = b""
    flags: int = 0
    trace: bytes = b""
    origin: object = None
    more: bool = False

    @property
    def transaction(self) -> bytes:
        """The transaction id without the zeros it is filled up with."""
        return self.xid.rstrip(b"\0")


def answer_to(request: Message, mtype: int, payload: bytes, changes: Mapping[str, Any]) -> Message:
    """The answer to a request, as rmr_rts_msg makes it: sub_id, xid, meid, src, sid, d1 and trace are the request's,
    and the flag CALL_MSG is off. `changes` replaces fields by name.
    """
    answer = Message(
        mtype,
        payload,
        request.sub_id,
        request.xid,
        request.meid,
        request.src,
        request.sid,
        request.d1,
        request.flags & ~CALL_MSG,
        request.trace,
    )
    return replace(answer, **changes) if changes else answer
