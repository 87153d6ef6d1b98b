# SPDX-License-Identifier: Apache-2.0
"""PDUs of other implementations, octet for octet, and what the codec says about bad ones."""

from __future__ import annotations

import pytest
from support.e2ap import pycrate_codec

from submgr.e2ap import codec
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

ID = RequestId(123, 1)
ACTION = Action(1, ActionType.REPORT, b"\5\6\7\x08", SubsequentAction(SubsequentActionType.CONTINUE, TimeToWait.W20MS))
REQUEST = SubscriptionRequest(ID, 2, b"\1\2\3\4", (ACTION,))
RESPONSE = SubscriptionResponse(ID, 2, (1,))
REFUSED = (NotAdmitted(7, Cause(1, 5)), NotAdmitted(8, Cause(6, 3)))
REFUSED_BY_1X = (NotAdmitted(7, Cause(1, 5, release=1)), NotAdmitted(8, Cause(5, 3, release=1)))

GOLDEN = [
    (
        REQUEST,
        "0008002b000003001d000500007b0001000500020002001e0015000401020304000013400a60010004050607080200",
    ),
    (RESPONSE, "2008001d000003001d000500007b00010005000200020011000700000e40020001"),
    (SubscriptionDeleteRequest(ID, 2), "00090012000002001d000500007b0001000500020002"),
    (SubscriptionDeleteResponse(ID, 2), "20090012000002001d000500007b0001000500020002"),
    (
        SubscriptionResponse(ID, 2, (1, 2), REFUSED),
        "20080037000004001d000500007b00010005000200020011000d10000e40020001000e400200020012001010"
        "001040040007028000104003000856",
    ),
    (SubscriptionFailure(ID, 2, Cause(1, 1)), "40080018000003001d000500007b0001000500020002000100020080"),
    (SubscriptionDeleteFailure(ID, 2, Cause(1, 6)), "40090018000003001d000500007b0001000500020002000140020300"),
    (
        SubscriptionDeleteRequired((SubscriptionToRemove(ID, 2, Cause(6, 3)),)),
        "000c4015000001003c400e0000003d400800007b0001000256",
    ),
    (
        SubscriptionFailure(ID, 2, None, REFUSED_BY_1X),
        "40080026000003001d000500007b00010005000200020012001010001040040007028000104003000846",
    ),
]


@pytest.mark.parametrize(("message", "octets"), GOLDEN, ids=lambda value: type(value).__name__)
def test_octets_both_ways(message: Message, octets: str) -> None:
    expected = bytes.fromhex(octets)
    assert codec.encode(message).hex() == octets
    assert pycrate_codec.encode(message) == expected
    assert codec.decode(expected) == message
    assert pycrate_codec.decode(expected, strict_order=True) == message


@pytest.mark.parametrize("index", [0, 2])
def test_requests_with_procedure_criticality_ignore_are_taken(index: int) -> None:
    message, octets = GOLDEN[index]
    assert codec.decode(bytes.fromhex(octets[:4] + "40" + octets[6:])) == message


@pytest.mark.parametrize("wait", TimeToWait)
def test_time_to_wait_on_the_wire(wait: TimeToWait) -> None:
    """The ASN.1 begins with w1ms = 0; zero is sent as that, and read as w1ms."""
    subsequent = SubsequentAction(SubsequentActionType.CONTINUE, wait)
    message = SubscriptionRequest(ID, 2, b"", (Action(1, ActionType.POLICY, b"", subsequent),))
    sent = codec.encode(message)
    assert sent == pycrate_codec.encode(message)
    assert int.from_bytes(sent[-2:], "big") >> 7 == max(wait - 1, 0)
    decoded = codec.decode(sent)
    assert isinstance(decoded, SubscriptionRequest)
    assert decoded.actions[0].subsequent == SubsequentAction(SubsequentActionType.CONTINUE, wait or TimeToWait.W1MS)


def test_delete_required_in_the_numbering_of_2_00() -> None:
    message, octets = GOLDEN[7]
    older = octets.replace("003c40", "003240").replace("003d40", "003340")
    assert older != octets
    assert codec.decode(bytes.fromhex(older)) == message


def test_delete_required_lists_many() -> None:
    items = tuple(SubscriptionToRemove(RequestId(123, n), 2, Cause(1, 6)) for n in range(1, 1025))
    assert codec.decode(codec.encode(SubscriptionDeleteRequired(items))) == SubscriptionDeleteRequired(items)


def _swapped(octets: str) -> bytes:
    request_id, function = "001d000500007b0001", "000500020002"
    assert request_id + function in octets
    return bytes.fromhex(octets.replace(request_id + function, function + request_id))


@pytest.mark.parametrize("index", range(4))
def test_elements_out_of_order_are_undecodable_unless_allowed(index: int) -> None:
    message, octets = GOLDEN[index]
    with pytest.raises(DecodeError, match="information element 29 is out of order"):
        codec.decode(_swapped(octets))
    assert codec.decode(_swapped(octets), strict_order=False) == message


def test_lists_out_of_order_too() -> None:
    message, octets = GOLDEN[4]
    admitted, refused = octets[44:78], octets[78:]
    assert admitted.startswith("00110") and refused.startswith("00120")
    swapped = bytes.fromhex(octets[:44] + refused + admitted)
    with pytest.raises(DecodeError, match="out of order"):
        codec.decode(swapped)
    assert codec.decode(swapped, strict_order=False) == message


def _with_element(octets: str, element: str) -> bytes:
    """The PDU with one more element at its end."""
    data = bytes.fromhex(octets)
    more = bytes.fromhex(element)
    count = int.from_bytes(data[5:7], "big") + 1
    return data[:3] + bytes((data[3] + len(more),)) + data[4:5] + count.to_bytes(2, "big") + data[7:] + more


def test_criticality_diagnostics_are_read_past() -> None:
    message, octets = GOLDEN[5]
    assert codec.decode(_with_element(octets, "000240020000")) == message


def test_unknown_element() -> None:
    message, octets = GOLDEN[1]
    assert codec.decode(_with_element(octets, "03e7400100")) == message
    with pytest.raises(DecodeError, match="999 with criticality reject is not known"):
        codec.decode(_with_element(octets, "03e7000100"))


def test_element_twice() -> None:
    _, octets = GOLDEN[3]
    for strict in (True, False):
        with pytest.raises(DecodeError, match="5 occurs twice"):
            codec.decode(_with_element(octets, "000500020002"), strict)


def test_missing_element() -> None:
    with pytest.raises(DecodeError, match="mandatory information element 5 is missing"):
        codec.decode(bytes.fromhex("2009000c000001001d000500007b0001"))


def test_failure_without_any_reason_is_still_a_failure() -> None:
    assert codec.decode(bytes.fromhex("40080012000002001d000500007b0001000500020002")) == SubscriptionFailure(
        ID, 2, None
    )


def test_octets_after_the_end_do_not_matter() -> None:
    for message, octets in GOLDEN:
        assert codec.decode(bytes.fromhex(octets) + b"\0garbage") == message


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16383, 16384, 20000, 65536, 70000])
def test_long_definitions(size: int) -> None:
    """From 16384 on X.691 cuts into fragments."""
    message = SubscriptionRequest(ID, 2, b"t" * size, (Action(1, ActionType.REPORT, b"d" * size),))
    sent = codec.encode(message)
    assert sent == pycrate_codec.encode(message)
    assert codec.decode(sent) == message


def test_cause_newer_than_the_codec_keeps_its_number() -> None:
    message = SubscriptionFailure(ID, 2, Cause(1, 45))
    assert codec.decode(codec.encode(message)) == message
    assert pycrate_codec.decode(pycrate_codec.encode(message), strict_order=True) == message


def test_cause_of_an_unknown_group() -> None:
    octets = bytes.fromhex("40080019000003001d000500007b000100050002000200010003810101")
    assert codec.decode(octets) == SubscriptionFailure(ID, 2, Cause(8, 0))


def test_time_to_wait_newer_than_the_codec() -> None:
    octets = bytes.fromhex(GOLDEN[0][1][:-4] + "1000")
    with pytest.raises(DecodeError, match="TimeToWait: _ext_0 is not known here"):
        codec.decode(octets)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (SubscriptionRequest(ID, 2, b"", (ACTION,) * 17), "ToBeSetup-List: value out of size constraint$"),
        (SubscriptionRequest(ID, 2, b"", ()), "ToBeSetup-List: value out of size constraint"),
        (SubscriptionRequest(ID, 4096, b"", (ACTION,)), "INTEGER value out of constraint, 4096"),
        (SubscriptionRequest(RequestId(65536, 1), 2, b"", (ACTION,)), "ricRequestorID.*65536"),
        (SubscriptionRequest(RequestId(1, -1), 2, b"", (ACTION,)), "ricInstanceID.*-1"),
        (SubscriptionRequest(ID, 2, b"", (Action(256, ActionType.REPORT),)), "ricActionID.*256"),
        (SubscriptionResponse(ID, 2, ()), "value out of size constraint"),
        (SubscriptionFailure(ID, 2, None), "without a cause or a list"),
        (SubscriptionFailure(ID, 2, None, REFUSED * 9), "NotAdmitted-List: value out of size constraint"),
        (SubscriptionFailure(ID, 2, Cause(9, 0)), "group 9"),
        (SubscriptionDeleteFailure(ID, 2, None), "without a cause"),
        (SubscriptionDeleteFailure(ID, 2, Cause(1, -1)), "value -1"),
        (SubscriptionDeleteRequired(()), "value out of size constraint"),
    ],
)
def test_what_the_asn1_does_not_allow(message: Message, words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        codec.encode(message)


def test_an_error_leaves_nothing_behind() -> None:
    with pytest.raises(EncodeError):
        codec.encode(SubscriptionRequest(ID, 2, b"", (ACTION,) * 17))
    with pytest.raises(DecodeError):
        codec.decode(b"\x20\x08\x00\x05\x00")
    for message, octets in GOLDEN:
        assert pycrate_codec.encode(message).hex() == octets


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("", "overflow"),
        ("00", "overflow"),
        ("200800814800ffff" + "03e7400100" * 65, "65535 information elements, at most 64"),
        ("200800c100ffff" + "03e7400100" * 3276 + "0300" + "00", "65535 information elements, at most 64"),
        ("ff" * 40, "invalid undef count"),
        ("474554202f20485454502f312e31", "too long|overflow"),
        ("80020000", "alternative _ext_0"),
        ("600800", "invalid CHOICE index"),
        ("00010003000000", "procedure 1 is not a subscription message"),
        ("00c8000400000001", "procedure 200 is not a subscription message"),
        ("2008001d000003001d000500007b0001000500020002001100070000034002000100", "item 3 in a list of items 14"),
        ("2009001200ffff001d000500007b0001000500020002", "65535 information elements"),
    ],
)
def test_what_is_no_subscription_message(octets: str, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        codec.decode(bytes.fromhex(octets))


@pytest.mark.parametrize(("message", "octets"), GOLDEN, ids=lambda value: type(value).__name__)
def test_cut_short(message: Message, octets: str) -> None:
    data = bytes.fromhex(octets)
    for end in range(len(data)):
        with pytest.raises(DecodeError):
            codec.decode(data[:end])
