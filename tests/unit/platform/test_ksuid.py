# SPDX-License-Identifier: Apache-2.0
"""SubscriptionIds: 27 base62 digits, in order of time, never twice."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from submgr.platform.ksuid import DIGITS, EPOCH, LENGTH, first_digits, new_ksuid

SECONDS = st.integers(0, 2**32 - 1)


def decode(text: str) -> bytes:
    number = 0
    for digit in text:
        number = number * 62 + DIGITS.index(digit)
    return number.to_bytes(20, "big")


def second_of(text: str) -> int:
    return int.from_bytes(decode(text)[:4], "big")


def test_a_published_value() -> None:
    assert decode("0ujtsYcgvSTl8PAuAdqWYSMnLOv").hex().upper() == "0669F7EFB5A1CD34B5F99D1154FB6853345C9735"
    assert first_digits(0x0669F7EF)[:5] == "0ujts"


def test_url_safe_and_never_twice() -> None:
    made = {new_ksuid() for _ in range(10_000)}
    assert len(made) == 10_000
    assert all(len(text) == LENGTH and text.isascii() and text.isalnum() for text in made)


def test_every_digit_comes_in_every_random_place() -> None:
    made = [new_ksuid() for _ in range(10_000)]
    assert all({text[place] for text in made} == set(DIGITS) for place in range(6, LENGTH))


def test_its_time() -> None:
    before = int(time.time())
    assert before <= second_of(new_ksuid()) + EPOCH <= int(time.time())


@example(0)
@example(2**32 - 1)
@given(SECONDS)
def test_all_ids_of_a_second_are_within_it(second: int) -> None:
    first, after = first_digits(second), LENGTH - 6
    assert second_of(first + "0" * after) == second_of(first + "z" * after) == second


@given(SECONDS, SECONDS)
def test_ids_are_in_order_of_time(one: int, two: int) -> None:
    assert (first_digits(one) < first_digits(two)) == (one < two)


def test_a_clock_that_was_never_set_makes_ids_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 12.0)
    made = {new_ksuid() for _ in range(100)}
    assert len(made) == 100 and {second_of(text) for text in made} == {0}
