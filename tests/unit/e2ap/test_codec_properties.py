# SPDX-License-Identifier: Apache-2.0
"""The direct codec against pycrate, over messages and over octets of every kind."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from submgr.e2ap import aper_read, aper_write, codec, pycrate_codec
from submgr.e2ap.causes import GROUPS
from submgr.e2ap.codec import DecodeError, EncodeError
from submgr.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    Message,
    NotAdmitted,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequest,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
    SubscriptionToRemove,
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)

u8 = st.integers(0, 255)
u16 = st.integers(0, 65535)
functions = st.integers(0, 4095)
request_ids = st.builds(RequestId, u16, u16)
octets = st.binary(max_size=300)
causes = st.one_of(
    st.sampled_from(
        [Cause(group, value) for group, (_, root, more) in GROUPS.items() for value in range(len(root + more))]
    ),
    st.builds(Cause, st.integers(1, 6), st.integers(0, 60)),
)
# zero comes back as w1ms, so it is left to its own test.
waits = st.sampled_from(list(TimeToWait)[1:])
subsequents = st.builds(SubsequentAction, st.sampled_from(SubsequentActionType), waits)
actions = st.builds(Action, u8, st.sampled_from(ActionType), st.none() | octets, st.none() | subsequents)
refused = st.lists(st.builds(NotAdmitted, u8, causes), max_size=16).map(tuple)
messages = st.one_of(
    st.builds(
        SubscriptionRequest,
        request_ids,
        functions,
        octets,
        st.lists(actions, min_size=1, max_size=16).map(tuple),
    ),
    st.builds(
        SubscriptionResponse,
        request_ids,
        functions,
        st.lists(u8, min_size=1, max_size=16).map(tuple),
        refused,
    ),
    st.builds(SubscriptionFailure, request_ids, functions, causes, refused),
    st.builds(SubscriptionFailure, request_ids, functions, st.none(), refused.filter(bool)),
    st.builds(SubscriptionDeleteRequest, request_ids, functions),
    st.builds(SubscriptionDeleteResponse, request_ids, functions),
    st.builds(SubscriptionDeleteFailure, request_ids, functions, causes),
    st.builds(
        SubscriptionDeleteRequired,
        st.lists(st.builds(SubscriptionToRemove, request_ids, functions, causes), min_size=1, max_size=40).map(tuple),
    ),
)

# Numbers that may be out of range everywhere.
wild = st.integers(-2, 70000)
wild_ids = st.builds(RequestId, wild, wild)
wild_causes = st.builds(Cause, st.integers(-1, 9), st.integers(-1, 90))
wild_messages = st.one_of(
    st.builds(
        SubscriptionRequest,
        wild_ids,
        wild,
        octets,
        st.lists(st.builds(Action, wild, st.sampled_from(ActionType)), max_size=18).map(tuple),
    ),
    st.builds(
        SubscriptionResponse,
        wild_ids,
        wild,
        st.lists(st.integers(-1, 257), max_size=18).map(tuple),
        st.lists(st.builds(NotAdmitted, st.integers(-1, 257), wild_causes), max_size=18).map(tuple),
    ),
    st.builds(SubscriptionFailure, request_ids, functions, wild_causes),
    st.builds(SubscriptionDeleteFailure, request_ids, functions, wild_causes),
)

more = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@more
@given(messages)
def test_both_ways_give_the_same_octets_and_come_back(message: Message) -> None:
    sent = pycrate_codec.encode(message)
    assert aper_write.write(message) in (sent, None)
    assert codec.encode(message) == sent
    assert pycrate_codec.decode(sent, strict_order=True) == message
    assert codec.decode(sent) == message


@more
@given(messages)
def test_the_direct_way_is_taken_for_all_but_failures_of_1_x(message: Message) -> None:
    older = isinstance(message, SubscriptionFailure) and bool(message.not_admitted)
    written = aper_write.write(message)
    assert (written is None) == older
    if written is not None:
        assert aper_read.read(written) == message


@more
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
    assert sent is not None
    assert aper_read.read(sent) == message
    assert pycrate_codec.decode(sent, strict_order=True) == message


@more
@given(wild_messages)
def test_whatever_the_numbers_both_agree(message: Message) -> None:
    try:
        expected: bytes | None = pycrate_codec.encode(message)
    except EncodeError:
        expected = None
    assert aper_write.write(message) in (expected, None)


def _both(data: bytes, strict_order: bool) -> None:
    try:
        expected: Message | None = pycrate_codec.decode(data, strict_order)
    except DecodeError:
        expected = None
    assert aper_read.read(data) in (expected, None)
    try:
        assert codec.decode(data, strict_order) == expected
    except DecodeError:
        assert expected is None


@more
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


@more
@given(st.binary(max_size=60), st.booleans())
@example(b"\x20\x08\x00\x80" + b"\x00" * 40, True)
@example(b"\x00\x08\x00\xc4" + b"\xff" * 40, True)
def test_random_octets(data: bytes, strict_order: bool) -> None:
    _both(data, strict_order)


@more
@given(
    st.sampled_from(["000800", "200800", "400800", "000900", "200900", "400900", "000c40"]),
    st.binary(max_size=60),
    st.booleans(),
)
def test_random_contents_behind_a_right_head(head: str, content: bytes, strict_order: bool) -> None:
    _both(bytes.fromhex(head) + bytes((len(content),)) + content, strict_order)
