# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random

import pytest
from msgspec.structs import replace
from support.rmr.frames import frame

from submgr.rmr.framing import EncodeError, Encoder, Framer, FramingError, decode, encode
from submgr.rmr.message import CALL_MSG, Message, Status

FULL = Message(
    mtype=12010,
    payload=b"payload",
    sub_id=7,
    xid=b"x" * 32,
    meid="gnb_001",
    src="host:4560",
    sid=b"s" * 32,
    d1=b"\x05\x01\x02\x03",
    flags=CALL_MSG,
    trace=b"trace",
)
FULL_FRAME = frame(
    b"payload", sub_id=7, xid=b"x" * 32, meid=b"gnb_001", src=b"host:4560", sid=b"s" * 32,
    d1=b"\x05\x01\x02\x03", flags=CALL_MSG, trace=b"trace",
)  # fmt: skip


def test_every_field_is_read_from_its_offset() -> None:
    assert decode(FULL_FRAME) == FULL


def test_every_field_is_written_at_its_offset() -> None:
    assert encode(FULL) == FULL_FRAME


def test_payload_is_found_by_adding_the_four_lengths() -> None:
    assert decode(frame(b"body", trace=b"t" * 9, d1=b"", d2=b"dd")).payload == b"body"
    assert decode(frame(b"body", d1=b"")).payload == b"body"


def test_a_longer_header_of_a_later_version_is_passed_over() -> None:
    assert decode(frame(b"newbody", version=4, len0=283, d1=b"", plen=4)).payload == b"body"


def test_a_sender_writes_its_own_names_and_four_bytes_of_d1() -> None:
    sent = Encoder("me:4560", "10.0.0.1:4560").originate(Message(100, b"hi", src="somebody:1"))
    assert sent == frame(b"hi", mtype=100, src=b"me:4560", srcip=b"10.0.0.1:4560")


@pytest.mark.parametrize(
    ("message", "d1", "flags"),
    [
        (Message(1, d1=b"\x05abc"), b"\0abc", 0),
        (Message(1, d1=b"\x05abc", flags=CALL_MSG), b"\x05abc", CALL_MSG),
        (Message(1), bytes(4), 0),
    ],
    ids=["a call id without a call is zeroed", "a call keeps its id", "none"],
)
def test_call_id_of_an_originated_message(message: Message, d1: bytes, flags: int) -> None:
    sent = decode(Encoder().originate(message))
    assert (sent.d1, sent.flags) == (d1, flags)


@pytest.mark.parametrize("d1", [b"", b"\x05", b"\x05abc", b"\x05" + bytes(40)])
def test_an_answer_has_d1_as_it_came_and_is_no_call(d1: bytes) -> None:
    sent = decode(Encoder().answer(Message(1, d1=d1, flags=CALL_MSG | 1, trace=b"tr")))
    assert (sent.d1, sent.flags, sent.trace) == (d1, 1, b"tr")


@pytest.mark.parametrize(
    ("message", "status", "names"),
    [
        (Message(1, meid="m" * 32), Status.OVERFLOW, "meid has 32 bytes, at most 31 fit"),
        (Message(1, meid="é" * 16), Status.OVERFLOW, "meid has 32 bytes"),
        (Message(1, meid="a\0b"), Status.BADARG, "zero byte"),
        (Message(1, meid="\ud800"), Status.BADARG, "UTF-8"),
        (Message(1, xid=b"x" * 33), Status.OVERFLOW, "xid of 33"),
        (Message(1, sid=b"x" * 33), Status.OVERFLOW, "sid of 33"),
        (Message(1, bytes(1000)), Status.OVERFLOW, "frame of 1334 bytes, at most 1000"),
        (Message(1 << 31), Status.BADARG, "mtype 2147483648"),
        (Message(1, sub_id=-(1 << 31) - 1), Status.BADARG, "sub_id -2147483649"),
        (Message(1, flags=-1), Status.BADARG, "flags -1"),
    ],
)  # fmt: skip
def test_a_message_that_does_not_fit_is_refused(message: Message, status: Status, names: str) -> None:
    with pytest.raises(EncodeError, match=names) as refused:
        Encoder(max_frame=1000).originate(message)
    assert refused.value.status is status


def test_own_name_has_to_fit() -> None:
    Encoder("h" * 63)
    with pytest.raises(EncodeError, match="src has 64 bytes"):
        Encoder("h" * 64)


def test_any_cut_of_the_stream_gives_the_same_messages() -> None:
    cut = random.Random(7)
    sent = [Message(number, bytes(cut.randrange(2000)), xid=bytes(32), sid=bytes(32)) for number in range(200)]
    stream = b"".join(encode(message) for message in sent)
    for _ in range(5):
        framer, got, at = Framer(), [], 0
        while at < len(stream):
            size = cut.choice((1, 3, 50, 329, 330, 331, 5000))
            got += framer.feed(stream[at : at + size])
            at += size
        assert got == sent
        assert (framer.pending, framer.error) == (0, None)


def test_messages_carry_the_origin() -> None:
    origin = object()
    (message,) = Framer(origin=origin).feed(FULL_FRAME)
    assert message.origin is origin
    assert replace(message, origin=None) == FULL


def test_nothing_is_kept_but_what_was_received() -> None:
    framer = Framer(max_frame=1 << 20)
    assert framer.feed(frame(total=1 << 20)[:100]) == []
    assert framer.pending == 100


def test_a_name_that_is_no_text_costs_its_message_only() -> None:
    framer = Framer()
    stream = frame(mtype=1) + frame(mtype=2, meid=b"\xff\xfe") + frame(mtype=3, meid=b"m" * 32) + frame(mtype=4)
    assert [message.mtype for message in framer.feed(stream)] == [1, 4]
    assert framer.unreadable == 2
    assert framer.error is None


@pytest.mark.parametrize("size", [0, 1, 329, 333])
def test_a_cut_frame_does_not_decode(size: int) -> None:
    with pytest.raises(FramingError):
        decode(frame()[:size])


def test_decode_refuses_names_that_are_no_text() -> None:
    with pytest.raises(FramingError, match="not UTF-8"):
        decode(frame(src=b"\xff"))


def test_transaction_is_the_xid_without_its_filling() -> None:
    assert decode(frame(xid=b"abc")).xid == b"abc" + bytes(29)
    assert decode(frame(xid=b"abc")).transaction == b"abc"


GOOD = frame(b"good", mtype=1)

# What broken and hostile peers send: (what it is, the bytes, the reason for which the connection is closed, or None
# when it is taken as a message, what librmr 4.9 makes of it).
GARBAGE = [
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


@pytest.mark.parametrize(("stream", "reason"), [row[1:3] for row in GARBAGE], ids=[row[0] for row in GARBAGE])
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


def streamed(data: bytes, piece: int) -> tuple[list[Message], Framer]:
    framer = Framer(1 << 20, stream_above=8000)
    messages: list[Message] = []
    for at in range(0, len(data), piece):
        messages += framer.feed(data[at : at + piece])
    return messages, framer


@pytest.mark.parametrize("piece", [3, 1000, 4096, 9000, 1 << 20])
def test_a_large_payload_comes_in_pieces_and_the_frames_round_it_whole(piece: int) -> None:
    payload = bytes(range(256)) * 100
    data = FULL_FRAME + frame(payload, mtype=20, src=b"rm:4560", d1=b"\1abc", d2=b"dd") + FULL_FRAME
    messages, framer = streamed(data, piece)
    assert (messages[0], messages[-1]) == (FULL, FULL)
    parts = messages[1:-1]
    assert b"".join(part.payload for part in parts) == payload
    assert {(part.mtype, part.src, part.d1) for part in parts} == {(20, "rm:4560", b"\1abc")}
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    assert (framer.pending, framer.unfinished, framer.error) == (0, False, None)


def test_of_a_large_frame_nothing_is_kept() -> None:
    framer = Framer(1 << 20, stream_above=8000)
    data = frame(b"x" * 500_000)
    for at in range(0, 400_000, 5000):
        framer.feed(data[at : at + 5000])
        assert framer.pending < 5000
        assert framer.unfinished


def test_what_lies_behind_the_payload_of_a_large_frame_is_passed_over() -> None:
    data = frame(b"p" * 9000 + b"behind" * 1000, plen=9000) + FULL_FRAME
    messages, _ = streamed(data, 500)
    assert b"".join(message.payload for message in messages[:-1]) == b"p" * 9000
    assert messages[-1] == FULL


def test_a_large_frame_with_a_name_that_is_no_text_is_passed_over() -> None:
    messages, framer = streamed(frame(b"p" * 9000, src=b"\xff") + FULL_FRAME, 700)
    assert (messages, framer.unreadable) == ([FULL], 1)


def test_a_large_frame_whose_payload_begins_too_far_behind_is_a_breach() -> None:
    messages, framer = streamed(frame(b"p" * 9000, trace=b"t" * 5000), 700)
    assert messages == []
    assert framer.error is not None
    assert framer.error.reason == "length_sum"
