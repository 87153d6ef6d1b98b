# SPDX-License-Identifier: Apache-2.0
"""One bad item of a delete required does not take the others with it."""

from __future__ import annotations

import pytest

from submgr.e2ap import codec
from submgr.e2ap.errors import DecodeError
from submgr.e2ap.messages import Cause, RequestId, SubscriptionDeleteRequired, SubscriptionToRemove

GOOD = ("003d400800007b0001000256", "003d400800007b0003000256")
TAKEN = tuple(SubscriptionToRemove(RequestId(123, n), 2, Cause(6, 3)) for n in (1, 3))


def pdu(*items: str, list_id: str = "003c", count: int | None = None) -> bytes:
    """A delete required with these items (hexadecimal)."""
    value = (count or len(items)).__sub__(1).to_bytes(2, "big") + bytes.fromhex("".join(items))
    element = bytes.fromhex(f"{list_id}40") + bytes((len(value),)) + value
    content = bytes.fromhex("000001") + element
    return bytes.fromhex("000c40") + bytes((len(content),)) + content


def test_all_good() -> None:
    assert codec.decode(pdu(*GOOD)) == SubscriptionDeleteRequired(TAKEN)


@pytest.mark.parametrize(
    "bad",
    [
        "006340020001",  # an item of another kind
        "003d4000",  # nothing in it
        "003d400400007b00",  # too short for a subscription
    ],
)
def test_a_bad_item_among_good_ones(bad: str) -> None:
    assert codec.decode(pdu(GOOD[0], bad, GOOD[1])) == SubscriptionDeleteRequired(TAKEN, unreadable=1)


def test_an_item_whose_cause_is_not_known_still_names_its_subscription() -> None:
    message = codec.decode(pdu("003d400800007b00010002f0", "003d40020001", GOOD[1]))
    assert isinstance(message, SubscriptionDeleteRequired)
    assert [item.request_id.instance for item in message.items] == [1, 3] and message.unreadable == 1


def test_the_numbering_of_2_00_too() -> None:
    items = [item.replace("003d", "0033") for item in GOOD]
    message = codec.decode(pdu(items[0], "003d40020001", items[1], list_id="0032"))
    assert message == SubscriptionDeleteRequired(TAKEN, unreadable=1)


@pytest.mark.parametrize(
    "octets",
    [
        pdu("003d40020001"),
        pdu(GOOD[0], "003d40020001")[:-3],
        pdu(GOOD[0], "003d40ff0001"),
        pdu(GOOD[0], "003d40020001", count=5),
        pdu(GOOD[0], "003d40020001", list_id="0063"),
    ],
)
def test_what_is_cut_or_says_other_lengths_is_refused_as_a_whole(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        codec.decode(octets)
