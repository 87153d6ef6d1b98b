# SPDX-License-Identifier: Apache-2.0
"""The direct writer against pycrate, over messages of every kind."""

from __future__ import annotations

from hypothesis import given
from support.e2ap.strategies import MORE, messages, wild_messages

from submgr.e2ap import aper_read, aper_write, codec, pycrate_codec
from submgr.e2ap.errors import EncodeError
from submgr.e2ap.messages import Message, SubscriptionFailure


@MORE
@given(messages)
def test_both_ways_give_the_same_octets_and_come_back(message: Message) -> None:
    sent = pycrate_codec.encode(message)
    assert aper_write.write(message) in (sent, None)
    assert codec.encode(message) == sent
    assert pycrate_codec.decode(sent, strict_order=True) == message
    assert codec.decode(sent) == message


@MORE
@given(messages)
def test_the_direct_way_is_taken_for_all_but_failures_of_1_x(message: Message) -> None:
    older = isinstance(message, SubscriptionFailure) and bool(message.not_admitted)
    written = aper_write.write(message)
    assert (written is None) == older
    if written is not None:
        assert aper_read.read(written) == message


@MORE
@given(wild_messages)
def test_whatever_the_numbers_both_agree(message: Message) -> None:
    try:
        expected: bytes | None = pycrate_codec.encode(message)
    except EncodeError:
        expected = None
    assert aper_write.write(message) in (expected, None)
