# SPDX-License-Identifier: Apache-2.0
"""Right messages in unusual forms: the general reader makes of them what pycrate makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.e2ap import pycrate_codec
from support.e2ap.strategies import MORE, messages, octets, u8

from submgr.e2ap import aper_general, aper_read, codec
from submgr.e2ap.aper_bits import Bits
from submgr.e2ap.errors import DecodeError
from submgr.e2ap.messages import Message, RequestId, SubscriptionDeleteRequest, SubscriptionFailure

Element = tuple[int, int, bytes]
"""Id, octet of the criticality, value."""

criticalities = st.sampled_from([0x00, 0x40, 0x80])
unknown = st.lists(
    st.tuples(st.integers(900, 999), st.sampled_from([0x40, 0x80]), octets), max_size=4, unique_by=lambda e: e[0]
)


def sized(value: bytes) -> bytes:
    size = len(value)
    assert size < 16384
    return (bytes((size,)) if size < 128 else (0x8000 | size).to_bytes(2, "big")) + value


def parts(sent: bytes) -> tuple[bytes, list[Element]]:
    """The head of a PDU, and its elements."""
    pdu = Bits(sent[3:]).whole()
    content = Bits(pdu)
    content.octet()
    found = []
    for _ in range(content.pair()):
        number, criticality = content.pair(), content.octet()
        found.append((number, criticality, content.whole()))
    return sent[:3], found


def pdu(head: bytes, elements: Sequence[Element], added: bytes | None = None) -> bytes:
    """A PDU. `added`: an addition of a later release, behind the elements."""
    body = len(elements).to_bytes(2, "big")
    for number, criticality, value in elements:
        body += number.to_bytes(2, "big") + bytes((criticality,)) + sized(value)
    return head + sized(b"\0" + body if added is None else b"\x80" + body + b"\1" + sized(added))


@MORE
@given(messages, unknown, st.data())
def test_other_criticalities_orders_and_elements(message: Message, more: list[Element], data: st.DataObject) -> None:
    head, elements = parts(codec.encode(message))
    elements = [(number, data.draw(criticalities), value) for number, _, value in elements]
    shuffled = data.draw(st.permutations([*elements, *more]))
    added = data.draw(st.none() | octets.filter(bool))
    sent = pdu(head[:2] + bytes((data.draw(criticalities),)), shuffled, added)
    assert aper_general.read(sent, strict_order=False) == message
    assert pycrate_codec.decode(sent, strict_order=False) == message
    # with the known ones in their order, where nobody forbids the others
    sent = pdu(head, [*elements, *more])
    assert codec.decode(sent) == pycrate_codec.decode(sent, strict_order=True) == message


@MORE
@given(messages)
def test_it_reads_every_plain_message_too(message: Message) -> None:
    assert aper_general.read(codec.encode(message), strict_order=True) == message


@given(u8, u8, st.binary(min_size=1, max_size=40))
def test_an_addition_to_a_request_id_is_passed_over(requestor: int, instance: int, added: bytes) -> None:
    message = SubscriptionDeleteRequest(RequestId(requestor, instance), 2)
    head, (ids, function) = parts(codec.encode(message))
    longer = (ids[0], ids[1], b"\x80" + ids[2][1:] + b"\1" + sized(added))
    sent = pdu(head, [longer, function])
    assert aper_read.read(sent) is None
    assert codec.decode(sent) == pycrate_codec.decode(sent, strict_order=True) == message


def test_diagnostics_are_passed_over_whatever_is_in_them() -> None:
    _, elements = parts(bytes.fromhex("40080018000003001d000500007b0001000500020002000100020080"))
    for content in (b"\0", b"\x78\x08\x00\x40", b"\xff" * 20):
        sent = pdu(b"\x40\x08\x00", [*elements, (2, 0x40, content)])
        decoded = codec.decode(sent)
        assert isinstance(decoded, SubscriptionFailure) and decoded.request_id == RequestId(123, 1)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("00090014000002001d000700007b000100ff000500020002", "2 octets are left over"),
        ("00090013000002001d000500007b0001000500020002ff", "1 octets are left over"),
        ("00090012000002001d00c500007b0001000500020002", "invalid undef count"),
        ("00090012000002001d000500007b00010005000210ff", "RANfunctionID: INTEGER value out of constraint, 4351"),
        ("40080019000003001d000500007b0001000500020002000100038105aa", "overflow"),
    ],
)
def test_lengths_that_are_not_right(octets: str, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        codec.decode(bytes.fromhex(octets))
