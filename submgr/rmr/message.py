# SPDX-License-Identifier: Apache-2.0
"""An RMR message as a plain value, and the outcome of a send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

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

    A transport of this package returns OK (accepted for sending), BADARG, NOENDPT, OVERFLOW, RETRY and
    INITFAILED; the others are there because librmr may answer them.
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


@dataclass(frozen=True, slots=True)
class Message:
    """One RMR message; it owns its bytes and may be kept for as long as one likes.

    `xid` is at most 32 raw bytes, filled up with zeros on the wire; a received message has all 32, so
    that they are echoed as they came (`transaction` is the same without the filling). `meid` is at most
    31 and `src` at most 63 bytes of UTF-8. `src` is the address the sender listens on; a transport writes
    its own there, whatever a message to be sent has. `d1` begins with the call id of a blocking call and
    `trace` is opaque: both are echoed by a reply. `origin` tells a transport on which connection the
    message came in; it means nothing to anybody else.
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
    origin: object = field(default=None, compare=False, repr=False)

    @property
    def transaction(self) -> bytes:
        """The transaction id without the zeros it is filled up with."""
        return self.xid.rstrip(b"\0")


def answer_to(request: Message, mtype: int, payload: bytes, changes: Mapping[str, Any]) -> Message:
    """The answer to a request, addressed like it (rmr_rts_msg): with its sub_id, xid, meid, sid, d1 and trace,
    no call any more, and with the fields in `changes` other than that.
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
