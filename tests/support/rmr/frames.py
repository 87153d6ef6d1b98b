# SPDX-License-Identifier: Apache-2.0
"""RMR frames written byte by byte from the field table of header version 3, without the code under test."""

from __future__ import annotations


def frame(
    payload: bytes = b"",
    *,
    mtype: int = 12010,
    sub_id: int = -1,
    xid: bytes = b"",
    sid: bytes = b"",
    src: bytes = b"",
    meid: bytes = b"",
    flags: int = 0,
    d1: bytes = bytes(4),
    trace: bytes = b"",
    d2: bytes = b"",
    srcip: bytes = b"",
    total: int | None = None,
    plen: int | None = None,
    len0: int = 280,
    len2: int | None = None,
    version: int = 3,
    mark: bytes = b"$",
    big_endian_total: int | None = None,
) -> bytes:
    """A frame; `total`, `plen`, `len0`, `len2`, `version` and `mark` let it lie."""
    size = 50 + 280 + len(trace) + len(d1) + len(d2) + len(payload)
    told = size if total is None else total
    raw = bytearray(330)

    def put(offset: int, data: bytes, width: int) -> None:
        assert len(data) <= width
        raw[offset : offset + len(data)] = data

    def number(offset: int, value: int) -> None:
        put(offset, value.to_bytes(4, "big", signed=True), 4)

    put(0, (told & 0xFFFFFFFF).to_bytes(4, "little"), 4)
    put(4, ((told if big_endian_total is None else big_endian_total) & 0xFFFFFFFF).to_bytes(4, "big"), 4)
    put(8, mark, 1)
    number(50, mtype)
    number(54, len(payload) if plen is None else plen)
    number(58, version)
    put(62, xid, 32)
    put(94, sid, 32)
    put(126, src, 64)
    put(190, meid, 32)
    put(242, flags.to_bytes(4, "little"), 4)
    number(246, len0)
    number(250, len(trace))
    number(254, len(d1) if len2 is None else len2)
    number(258, len(d2))
    number(262, sub_id)
    put(266, srcip, 64)
    return bytes(raw) + trace + d1 + d2 + payload
