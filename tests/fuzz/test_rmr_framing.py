# SPDX-License-Identifier: Apache-2.0
"""Any bytes in any pieces: the framer never raises, keeps little, and does not depend on the pieces."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.rmr.frames import frame

from submgr.rmr.framing import Encoder, Framer, decode, encode
from submgr.rmr.message import CALL_MSG, Message

LARGEST = 2048
INT32 = st.integers(-(2**31), 2**31 - 1)
LENGTHS = st.one_of(st.sampled_from([0, 1, -1, 279, 280, 281, 2**31 - 1, -(2**31)]), INT32)


def names(limit: int) -> st.SearchStrategy[str]:
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=limit)
    return text.filter(lambda name: len(name.encode()) <= limit)


MESSAGES = st.builds(
    Message,
    mtype=INT32,
    payload=st.binary(max_size=600),
    sub_id=INT32,
    xid=st.binary(min_size=32, max_size=32),
    meid=names(31),
    src=names(63),
    sid=st.binary(min_size=32, max_size=32),
    d1=st.binary(max_size=40),
    flags=st.integers(0, 2**32 - 1),
    trace=st.binary(max_size=40),
)
LYING_FRAMES = st.builds(
    frame,
    st.binary(max_size=50),
    total=st.one_of(st.none(), LENGTHS),
    plen=st.one_of(st.none(), LENGTHS),
    len0=st.one_of(st.just(280), LENGTHS),
    len2=st.one_of(st.none(), LENGTHS),
    meid=st.binary(max_size=32),
    src=st.binary(max_size=64),
    mark=st.binary(min_size=1, max_size=1),
)
STREAMS = st.lists(st.one_of(MESSAGES.map(encode), LYING_FRAMES, st.binary(max_size=400)), max_size=6).map(b"".join)


def outcome(stream: bytes, cuts: list[int]) -> tuple[Any, ...]:
    framer = Framer(LARGEST)
    got, begin = [], 0
    for end in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        got += framer.feed(stream[begin:end])
        assert framer.pending <= min(LARGEST, end)
        begin = end
    return got, framer.error and framer.error.reason, framer.unreadable, framer.error or framer.pending


@settings(deadline=None)
@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=20))
def test_pieces_do_not_matter(stream: bytes, cuts: list[int]) -> None:
    whole, pieces = outcome(stream, []), outcome(stream, cuts)
    assert whole[:3] == pieces[:3]
    if whole[1] is None:
        assert whole[3] == pieces[3]


@settings(deadline=None)
@given(st.lists(MESSAGES, max_size=5), STREAMS)
def test_what_comes_before_garbage_is_not_lost(messages: list[Message], rest: bytes) -> None:
    framer = Framer(LARGEST)
    got = framer.feed(b"".join(encode(message) for message in messages) + rest)
    assert got[: len(messages)] == messages


@settings(deadline=None)
@given(MESSAGES)
def test_a_message_comes_through_unchanged(message: Message) -> None:
    assert decode(encode(message)) == message


@settings(deadline=None)
@given(MESSAGES)
@example(Message(1, d1=b"\x01"))
def test_no_message_of_ours_is_lost_as_an_answer_nobody_waits_for(message: Message) -> None:
    sent = decode(Encoder("me:1").originate(message))
    assert sent.flags & CALL_MSG or sent.d1[:1] in (b"", b"\0")
    answered = decode(Encoder("me:1").answer(message))
    assert not answered.flags & CALL_MSG
    assert answered.d1 == message.d1
