# SPDX-License-Identifier: Apache-2.0
"""REAL: the octets of DER, and the other forms that encoders write."""

from __future__ import annotations

import math

import pytest

from submgr.e2sm.bits import BitReader, BitWriter
from submgr.e2sm.errors import Unreadable
from submgr.e2sm.layouts import LAYOUTS, Model
from submgr.e2sm.real import Real

LAYOUT = LAYOUTS[Model.KPM][0]


def read(octets: str) -> float:
    return Real().read(BitReader(bytes.fromhex(octets), LAYOUT))


def written(value: float) -> str:
    writer = BitWriter(LAYOUT)
    Real().write(writer, value)
    return writer.finish().hex()


@pytest.mark.parametrize(
    ("value", "octets"),
    [(0.0, "00"), (1.0, "03800001"), (-0.5, "03c0ff01"), (10.0, "03800105"), (math.inf, "0140"), (-0.0, "0143")],
)
def test_values_have_the_octets_of_der(value: float, octets: str) -> None:
    assert written(value) == octets


@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, -123.456, 1e300, 5e-324, math.inf, -math.inf])
def test_values_are_read_as_written(value: float) -> None:
    assert read(written(value)) == value
    assert math.copysign(1, read(written(value))) == math.copysign(1, value)


@pytest.mark.parametrize(
    ("octets", "value"), [("0503312e3235", 1.25), ("0503312c3235", 1.25), ("0380010a", 20.0), ("03900101", 8.0)]
)
def test_forms_that_are_not_canonical_are_read(octets: str, value: float) -> None:
    assert read(octets) == value


def test_what_json_has_no_number_for_is_shown_as_a_word() -> None:
    assert Real().tree(read("0142")) == "nan"
    assert Real().tree(math.inf) == "inf"


@pytest.mark.parametrize("octets", ["0180", "0144", "02037a", "29" + 41 * "00", "0480ff", "03b00001", "02037a00"])
def test_garbage_is_unreadable(octets: str) -> None:
    with pytest.raises(Unreadable):
        read(octets)
