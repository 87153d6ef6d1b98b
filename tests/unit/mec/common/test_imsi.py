# SPDX-License-Identifier: Apache-2.0
"""International mobile subscriber identities in their spellings."""

from __future__ import annotations

from typing import Any

import pytest

from mec.common import imsi


@pytest.mark.parametrize("given", ["001010000000001", 1010000000001, "1010000000001", " 1010000000001 "])
def test_spellings_of_one_imsi(given: Any) -> None:
    assert imsi.same(imsi.parse(given), "001010000000001")


@pytest.mark.parametrize(
    "given",
    ["", "12345678901234567", "1" * 16, "00101000000000a", "-5", "1.5", True, None, 1.0, [], "٣٣٣٣٣٣", "0", 10**20],
)
def test_what_is_no_imsi(given: Any) -> None:
    with pytest.raises(ValueError) as refused:
        imsi.parse(given)
    assert "00101" not in str(refused.value)


def test_number_of_thousands_of_digits() -> None:
    with pytest.raises(ValueError):
        imsi.parse(10**5000)


def test_shown_as_a_number_unless_a_zero_is_lost() -> None:
    assert imsi.shown("12345678901") == 12345678901
    assert imsi.shown("001010000000001") == "001010000000001"


@pytest.mark.parametrize(
    ("given", "masked"),
    [("001010123456789", "00101********89"), ("12345678901", "12345****01"), ("1234567", "12*****")],
)
def test_masked(given: str, masked: str) -> None:
    assert imsi.masked(given) == masked
