# SPDX-License-Identifier: Apache-2.0
"""The writer against pycrate, over messages of every kind."""

from __future__ import annotations

from hypothesis import given
from support.e2ap import pycrate_codec
from support.e2ap.strategies import MORE, messages, wild_messages

from submgr.e2ap import aper_read, aper_write, codec
from submgr.e2ap.errors import EncodeError
from submgr.e2ap.messages import Message, SubscriptionFailure


@MORE
@given(messages)
def test_both_ways_give_the_same_octets_and_come_back(message: Message) -> None:
    sent = pycrate_codec.encode(message)
    assert aper_write.write(message) == sent
    assert pycrate_codec.decode(sent, strict_order=True) == message
    assert codec.decode(sent) == message


@MORE
@given(messages)
def test_the_short_way_reads_all_but_failures_of_1_x(message: Message) -> None:
    older = isinstance(message, SubscriptionFailure) and bool(message.not_admitted)
    assert aper_read.read(aper_write.write(message)) == (None if older else message)


@MORE
@given(wild_messages)
def test_whatever_the_numbers_both_agree(message: Message) -> None:
    try:
        expected: bytes | None = pycrate_codec.encode(message)
    except EncodeError:
        expected = None
    try:
        written: bytes | None = aper_write.write(message)
    except EncodeError:
        written = None
    assert written == expected
