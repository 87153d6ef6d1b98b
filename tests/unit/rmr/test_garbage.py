# SPDX-License-Identifier: Apache-2.0
"""What broken and hostile peers send, what librmr 4.9 makes of it, and what is done here instead."""

from __future__ import annotations

import pytest
from support.rmr.frames import frame

from submgr.rmr.framing import Framer

GOOD = frame(b"good", mtype=1)

# (what comes, the bytes, the reason the connection is closed for; None = taken as a message, librmr's effect)
TABLE = [
    ("text", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "length_too_large", "542 MB buffer, the connection is deaf"),
    ("TLS hello", bytes.fromhex("16030100a5010000a10303"), "length_too_large", "66 kB are awaited as one message"),
    ("top bit set", frame(total=-2147483000), "length_negative", "the connection is dead, nobody is told"),
    ("length 0", bytes(400), "length_too_small", "endless loop: a denial of service from afar"),
    ("length 5", frame(total=5), "length_too_small", "message of uninitialised memory"),
    ("length 60", frame(total=60), "length_too_small", "message of uninitialised memory"),
    ("length 329", frame(total=329), "length_too_small", "message of uninitialised memory"),
    ("length above the maximum", frame(total=4097), "length_too_large", "20 MB were taken without question"),
    ("plen too large within librmr's buffer", frame(b"ab", plen=3), "length_sum", "tail of uninitialised memory"),
    ("plen too large for anything", frame(b"ab", plen=2**31 - 1), "length_sum", "dropped, the connection goes on"),
    ("plen negative", frame(b"ab", plen=-5), "negative_length", "delivered with a length of -5"),
    ("header length too large", frame(b"ab", len0=2**31 - 1), "length_sum", "dropped, the connection goes on"),
    ("header length too small", frame(b"ab", len0=279), "header_length", "payload from within the header"),
    ("header length negative", frame(b"ab", len0=-1), "header_length", "payload from before the header"),
    ("d1 length negative", frame(b"ab", len2=-4), "negative_length", "payload from within the header"),
    ("d1 length too large", frame(b"ab", len2=4000), "length_sum", "payload from beyond the message"),
    ("unknown version", frame(b"ab", version=9), None, "taken"),
    ("no mark", frame(b"ab", mark=b"\0"), None, "taken: the little-endian length counts"),
    ("network-order length wrong", frame(b"ab", big_endian_total=7), None, "taken: the little-endian length counts"),
    ("payload shorter than the frame", frame(b"abcd", plen=2), None, "taken, the rest is ignored"),
]


@pytest.mark.parametrize(("stream", "reason"), [row[1:3] for row in TABLE], ids=[row[0] for row in TABLE])
@pytest.mark.parametrize("piece", [10_000, 1], ids=["at once", "byte by byte"])
def test_garbage(stream: bytes, reason: str | None, piece: int) -> None:
    framer = Framer(max_frame=4096)
    stream = GOOD + stream + GOOD
    got = [message for at in range(0, len(stream), piece) for message in framer.feed(stream[at : at + piece])]
    if reason is None:
        assert framer.error is None
        assert [message.payload for message in got] == [b"good", b"ab", b"good"]
        return
    assert framer.error is not None
    assert framer.error.reason == reason
    assert [message.payload for message in got] == [b"good"], "nothing before it is lost, nothing made up"
    assert framer.pending < 4096
    assert framer.feed(GOOD) == []
