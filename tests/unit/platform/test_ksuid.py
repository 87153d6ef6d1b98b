# SPDX-License-Identifier: Apache-2.0
"""SubscriptionIds: 27 base62 digits, in order of time, never twice."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from submgr.platform.ksuid import DIGITS, EPOCH, LENGTH, encode, new_ksuid


def decode(text: str) -> bytes:
    number = 0
    for digit in text:
        number = number * 62 + DIGITS.index(digit)
    return number.to_bytes(20, "big")


def test_published_values() -> None:
    assert encode(bytes(20)) == "0" * 27
    assert encode(b"\xff" * 20) == "aWgEPTl1tmebfsQzFP4bxwgy80V"
    assert encode(bytes.fromhex("0669F7EFB5A1CD34B5F99D1154FB6853345C9735")) == "0ujtsYcgvSTl8PAuAdqWYSMnLOv"


def test_url_safe_and_never_twice() -> None:
    made = {new_ksuid() for _ in range(10_000)}
    assert len(made) == 10_000
    assert all(len(text) == LENGTH and text.isascii() and text.isalnum() for text in made)


def test_its_time() -> None:
    before = int(time.time())
    seconds = int.from_bytes(decode(new_ksuid())[:4], "big") + EPOCH
    assert before <= seconds <= int(time.time())


@given(st.binary(min_size=20, max_size=20), st.binary(min_size=20, max_size=20))
def test_the_order_of_the_bytes_is_that_of_the_text(one: bytes, two: bytes) -> None:
    assert decode(encode(one)) == one
    assert (encode(one) < encode(two)) == (one < two)
