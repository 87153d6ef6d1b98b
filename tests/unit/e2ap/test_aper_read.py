# SPDX-License-Identifier: Apache-2.0
"""Both readers against pycrate, over octets of every kind."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.e2ap import pycrate_codec
from support.e2ap.strategies import MORE, causes, functions, messages, request_ids, u8

from submgr.e2ap import aper_read, aper_write, codec
from submgr.e2ap.aper_removed import read_removed
from submgr.e2ap.errors import DecodeError
from submgr.e2ap.messages import (
    Message,
    RequestId,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionToRemove,
)


@MORE
@given(
    st.lists(st.builds(SubscriptionToRemove, request_ids, functions, causes), min_size=1, max_size=8),
    st.sampled_from([(60, 61), (50, 51)]),
    st.sampled_from([0x00, 0x40, 0x80]),
    st.sampled_from([0x00, 0x40, 0x80]),
)
def test_delete_required_of_all_releases(
    items: list[SubscriptionToRemove], numbers: tuple[int, int], of_list: int, of_items: int
) -> None:
    message = SubscriptionDeleteRequired(tuple(items))
    heads = bytes((0, numbers[0], of_list)), bytes((0, numbers[1], of_items))
    sent = aper_write.write_delete_required(message, *heads)
    assert aper_read.read(sent) == message
    assert pycrate_codec.decode(sent, strict_order=True) == message


def _both(data: bytes, strict_order: bool) -> None:
    try:
        expected: Message | None = pycrate_codec.decode(data, strict_order)
    except DecodeError:
        expected = None
    assert aper_read.read(data) in (expected, None)
    try:
        decoded = codec.decode(data, strict_order)
    except DecodeError:
        # pycrate also reads values that have another length than they say, and goes on where they end
        return
    if decoded == read_removed(data):
        # of a delete required, pycrate takes all items or none
        return
    if expected is None:
        # never octets that are no message: with the lengths put right, pycrate reads it too
        expected = pycrate_codec.decode(pycrate_codec.encode(decoded), strict_order)
    assert decoded == expected


@MORE
@given(messages, st.data(), st.booleans())
def test_damaged_pdus(message: Message, data: st.DataObject, strict_order: bool) -> None:
    """Octets changed, taken out, put in, cut off: never anything but a message or DecodeError, the same from both."""
    octets = bytearray(codec.encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(len(octets) - 1, 0)))
        match data.draw(st.integers(0, 3)):
            case 0:
                octets[at : at + 1] = bytes((data.draw(u8),))
            case 1:
                del octets[at]
            case 2:
                octets[at:at] = data.draw(st.binary(min_size=1, max_size=3))
            case _:
                del octets[at:]
        if not octets:
            break
    _both(bytes(octets), strict_order)


@MORE
@given(st.binary(max_size=60), st.booleans())
@example(b"\x20\x08\x00\x80" + b"\x00" * 40, True)
@example(b"\x00\x08\x00\xc4" + b"\xff" * 40, True)
def test_random_octets(data: bytes, strict_order: bool) -> None:
    _both(data, strict_order)


@MORE
@given(
    st.sampled_from(["000800", "200800", "400800", "000900", "200900", "400900", "000c40"]),
    st.binary(max_size=60),
    st.booleans(),
)
def test_random_contents_behind_a_right_head(head: str, content: bytes, strict_order: bool) -> None:
    _both(bytes.fromhex(head) + bytes((len(content),)) + content, strict_order)


@MORE
@given(messages, request_ids)
def test_one_that_differs_only_in_its_request_id(message: Message, other: RequestId) -> None:
    """What was remembered of the first has nothing to do with the id of the second, nor of the first again."""
    if isinstance(message, SubscriptionDeleteRequired):
        return
    second = replace(message, request_id=other)
    for each in (message, second, message):
        sent = codec.encode(each)
        decoded = codec.decode(sent)
        assert decoded == pycrate_codec.decode(sent, strict_order=True)
        assert not isinstance(decoded, SubscriptionDeleteRequired) and decoded.request_id == each.request_id


def test_a_length_in_more_octets_than_it_needs_is_not_plain() -> None:
    sent = codec.encode(SubscriptionDeleteResponse(RequestId(123, 7), 3))
    assert aper_read.read(sent) is not None
    assert aper_read.read(sent[:3] + b"\x80" + sent[3:]) is None
    assert aper_read.read(sent[:21]) is None
