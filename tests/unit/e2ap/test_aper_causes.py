# SPDX-License-Identifier: Apache-2.0
"""Causes of each release, and the list that only E2AP 1.x has."""

from __future__ import annotations

import pytest

from submgr.e2ap import codec
from submgr.e2ap.aper_causes import read_cause, read_refused, write_cause, write_refused
from submgr.e2ap.causes import RELEASES, describe
from submgr.e2ap.errors import DecodeError, EncodeError
from submgr.e2ap.messages import Cause, NotAdmitted, SubscriptionFailure

FAILURE_OF_1X = "4008001e000003001d000500007b000100050002000900120008080010400300"
"""A RIC SUBSCRIPTION FAILURE with a list of one action; its action id and cause follow."""


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("46", "misc: unspecified"),
        ("24", "transport: transport-resource-unavailable"),
        ("20", "transport: unspecified"),
        ("36", "protocol: unspecified"),
        ("31", "protocol: abstract-syntax-error-reject"),
        ("40", "misc: control-processing-overload"),
        ("10", "ricService: function-not-required"),
        ("14", "ricService: ric-resource-limit"),
    ],
)
def test_a_failure_with_a_list_proves_release_1(octets: str, words: str) -> None:
    message = codec.decode(bytes.fromhex(f"{FAILURE_OF_1X}01{octets}"))
    assert isinstance(message, SubscriptionFailure) and message.cause is None
    (refused,) = message.not_admitted
    assert refused.action_id == 1 and describe(refused.cause) == words
    assert codec.encode(message).hex() == f"{FAILURE_OF_1X}01{octets}"


@pytest.mark.parametrize("release", RELEASES)
def test_every_cause_both_ways(release: int) -> None:
    for group, (_, root, more) in RELEASES[release].items():
        for value in range(len(root) + len(more)):
            cause = Cause(group, value, release)
            octets = write_cause(cause)
            assert octets is not None and read_cause(octets, 0, release) == cause


@pytest.mark.parametrize("cause", [Cause(9, 0), Cause(0, 0), Cause(6, 0, 1), Cause(1, -1), Cause(1, 1 << 32)])
def test_what_a_release_does_not_have_is_not_written(cause: Cause) -> None:
    assert write_cause(cause) is None


def test_a_cause_that_cannot_be_read_does_not_take_the_list_with_it() -> None:
    """A group of a later release keeps its number."""
    octets = bytes.fromhex("100010400300014600104003000270")
    assert read_refused(octets) == (NotAdmitted(1, Cause(5, 3, 1)), NotAdmitted(2, Cause(8, 0, 1)))


@pytest.mark.parametrize("octets", ["", "08", "0800104003", "080010400100", "0800114003000146", "1000104003000146"])
def test_a_list_that_is_cut_or_of_something_else_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        read_refused(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "items",
    [
        [NotAdmitted(1, Cause(3, 0))],
        [NotAdmitted(256, Cause(1, 0, 1))],
        [NotAdmitted(1, Cause(6, 0, 1))],
        [NotAdmitted(1, Cause(1, 0, 1))] * 17,
    ],
)
def test_what_release_1_does_not_have_is_not_encoded(items: list[NotAdmitted]) -> None:
    with pytest.raises(EncodeError):
        write_refused(items)
