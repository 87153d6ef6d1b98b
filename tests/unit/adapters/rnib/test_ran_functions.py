# SPDX-License-Identifier: Apache-2.0
"""RAN functions in the records of R-NIB: what is read, and what is taken for none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.adapters.protobuf import number, octets

from submgr.adapters.rnib.ran_functions import MOST_FUNCTIONS, RanFunction, RanFunctionTable, read_functions

KPM_OID = "1.3.6.1.4.1.53148.1.2.2.2"
KPM = RanFunction(2, 1, KPM_OID, b"\x60\x30ORAN-E2SM-KPM")
RC = RanFunction(3, 0, "", b"\x00\x05")


def function(one: RanFunction) -> bytes:
    """As protobuf writes it: what is 0 or empty is left out."""
    written = number(1, one.id) if one.id else b""
    written += octets(2, one.definition.hex().encode())
    written += number(3, one.revision) if one.revision else b""
    return written + (octets(4, one.oid.encode()) if one.oid else b"")


def gnb(*functions: RanFunction) -> bytes:
    cell = octets(1, number(1, 7) + octets(2, b"0011"))
    return octets(1, cell) + b"".join(octets(2, function(one)) for one in functions) + number(3, 1)


def nodeb(configuration: bytes, field: int = 9) -> bytes:
    begin = octets(1, b"gnb_1") + octets(2, b"10.0.0.1") + number(3, 36422) + number(5, 1)
    identity = octets(6, octets(1, b"208092") + octets(2, b"0" * 29)) + number(7, 2)
    return begin + identity + octets(field, configuration) + octets(12, b"10.0.2.3:38000")


@pytest.mark.parametrize("field", [9, 10, 12], ids=lambda field: f"gnb = {field}")
def test_functions_are_read_from_the_gnb_wherever_a_release_has_it(field: int) -> None:
    assert read_functions(nodeb(gnb(RC, KPM), field)) == (KPM, RC)


def test_function_0_and_plain_text() -> None:
    written = octets(2, b"MAC_STATS_V0") + octets(4, b"0.0.0")
    assert read_functions(nodeb(octets(2, written))) == (RanFunction(0, 0, "0.0.0", b"MAC_STATS_V0"),)


def test_cells_of_an_enb_are_no_functions() -> None:
    cell = number(1, 5) + octets(2, b"0011") + octets(3, b"0102")
    assert read_functions(nodeb(number(1, 1) + octets(2, cell), 8)) == ()


@pytest.mark.parametrize(
    "record", [b"", b"\xff", nodeb(b""), nodeb(b"\x12\x80"), nodeb(gnb())[:-3], octets(9, b"\x12\0")]
)
def test_no_functions(record: bytes) -> None:
    assert read_functions(record) == ()


def test_no_more_than_there_can_be_and_none_too_long() -> None:
    many = gnb(*(RanFunction(id, 0, "1", b"") for id in range(MOST_FUNCTIONS + 9)))
    assert len(read_functions(nodeb(many))) == MOST_FUNCTIONS
    (long,) = read_functions(nodeb(gnb(RanFunction(1, 0, "1", bytes(70_000)))))
    assert long.definition == b""


@given(st.binary(max_size=200))
def test_garbage_raises_nothing(record: bytes) -> None:
    read_functions(record)
    read_functions(nodeb(record))


def test_a_table_knows_what_the_last_record_had() -> None:
    table = RanFunctionTable()
    assert table.of("gnb_1") == ()
    table.read("gnb_1", nodeb(gnb(KPM)))
    table.read("gnb_2", nodeb(gnb(RC)))
    assert (table.of("gnb_1"), table.of("gnb_2")) == ((KPM,), (RC,))
    table.read("gnb_1", nodeb(gnb(KPM, RC)))
    assert table.of("gnb_1") == (KPM, RC)
    table.keep({"gnb_1"})
    assert table.of("gnb_2") == ()
    table.forget("gnb_1")
    assert table.of("gnb_1") == ()
