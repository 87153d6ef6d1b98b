# SPDX-License-Identifier: Apache-2.0
"""What octets say: the layout that fits, what does not fit, and bounds."""

from __future__ import annotations

import time

import pytest
from support.e2sm.samples import SAMPLES, Sample

from submgr.e2sm import bits
from submgr.e2sm.choices import Chosen
from submgr.e2sm.decoding import Body, Decoded, Undecoded, decode, encode
from submgr.e2sm.layouts import LAYOUTS, Model
from submgr.e2sm.rc_action import ActionDefinition, Policies, Policy, PolicyAction, PolicyParameter
from submgr.e2sm.rc_parameters import Element, StructureItem

ACTION = Body.ACTION_DEFINITION
MEASUREMENT = bytes.fromhex("00a04452422e5545546870446c01200000")
"""DRB.UEThpDl, without a label."""


def measurements(count: int) -> bytes:
    return bytes.fromhex("00010100") + (count - 1).to_bytes(2) + count * MEASUREMENT + bytes.fromhex("4003e7")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_samples_are_read_and_written_again(sample: Sample) -> None:
    decoded = decode(bytes.fromhex(sample.octets), Body(sample.body), [Model(sample.model)])
    assert isinstance(decoded, Decoded)
    assert decoded.tree() == sample.tree
    assert sample.version in decoded.versions
    assert decoded.layout.flexric == sample.flexric
    assert encode(decoded.value, decoded.body, decoded.layout).hex() == (sample.canonical or sample.octets)


@pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if one.body != Body.ACTION_DEFINITION], ids=lambda one: one.name
)
def test_the_model_is_found_by_trying(sample: Sample) -> None:
    decoded = decode(bytes.fromhex(sample.octets), Body(sample.body))
    assert isinstance(decoded, Decoded)
    assert decoded.model == sample.model


def named(name: str) -> Sample:
    return next(sample for sample in SAMPLES if sample.name == name)


@pytest.mark.parametrize(
    ("octets", "versions"),
    [
        (measurements(1).hex(), ("2.00", "2.01", "2.03", "3.00")),
        (named("three du ues").octets, ("2.01", "2.03", "3.00")),
        (named("common condition rSRP (v2.01: no or)").octets, ("2.01",)),
        (named("v2.00 condition list label and test").octets, ("2.00", "2.01")),
        (named("or of two tests and a label").octets, ("2.03", "3.00")),
        (named("all root labels and the three v2.03 additions").octets, ("2.03", "3.00")),
    ],
    ids=["format 1", "format 5", "format 4", "format 3, old", "format 3, new", "labels"],
)
def test_versions_are_those_that_write_the_same(octets: str, versions: tuple[str, ...]) -> None:
    decoded = decode(bytes.fromhex(octets), ACTION)
    assert isinstance(decoded, Decoded)
    assert decoded.versions == versions


@pytest.mark.parametrize(
    ("octets", "body", "reason"),
    [
        ("", ACTION, "no octets"),
        ("00", ACTION, "placeholder"),
        ("02", Body.EVENT_TRIGGER, "placeholder"),
        ("4d41435f53544154535f5630", Body.RAN_FUNCTION, "plain text, no PER: MAC_STATS_V0"),
        ("000c4000036f6e6600000040747269616c000048210200c90014403038", ACTION, "a number of 12 octets"),
        (measurements(3)[:-20].hex(), ACTION, "the octets end after"),
        (measurements(1).hex() + "89", ACTION, "1 of 27 octets are left over"),
        (measurements(2)[:-1].hex() + "e7e7", ACTION, "1 of 44 octets are left over"),
    ],
)
def test_what_fits_no_layout_says_why(octets: str, body: Body, reason: str) -> None:
    undecoded = decode(bytes.fromhex(octets), body)
    assert isinstance(undecoded, Undecoded)
    assert reason in undecoded.reason
    assert undecoded.octets.hex() == octets


def test_of_two_layouts_that_fit_the_one_that_makes_sense_is_told() -> None:
    """Two labels of v2.01, which v2.03 takes for one with a PLMN of no digits."""
    decoded = decode(bytes.fromhex("0001054000000020435149000104000000c200000000f1104003e7"), ACTION)
    assert isinstance(decoded, Decoded)
    assert decoded.versions == ("2.00", "2.01")
    (measurement,) = decoded.tree()["measurements"]
    assert [condition["label"] for condition in measurement["conditions"]] == [
        {"slice": {"sst": 3}},
        {"plmn": {"plmn_hex": "00f110", "mcc": "001", "mnc": "01"}},
    ]


def test_a_plmn_of_no_digits_is_read_where_nothing_else_fits() -> None:
    octets = bytes.fromhex("00010108000000a04452422e5545546870446c0120000040270f00001f0112345c0010")
    decoded = decode(octets, ACTION)
    assert isinstance(decoded, Decoded)
    assert decoded.versions == ("2.00", "2.01", "2.03", "3.00")
    assert decoded.tree()["cell"]["plmn_hex"] == "001f01"


def test_an_addition_of_a_later_version_is_passed_over_and_told() -> None:
    """A label with four additions, of which the last is there: KPM v4 adds to labels."""
    decoded = decode(measurements(1).replace(bytes.fromhex("01200000"), bytes.fromhex("0160000006200100")), ACTION)
    assert isinstance(decoded, Decoded)
    assert decoded.versions == ("2.03", "3.00")
    assert decoded.notes == ("an addition of a later version is left out: 00",)


def test_a_marker_without_additions_is_taken() -> None:
    """Older encoders set the marker and then say that nothing is there."""
    octets = measurements(1).replace(bytes.fromhex("01200000"), bytes.fromhex("0160000000"))
    decoded = decode(octets, ACTION)
    assert isinstance(decoded, Decoded)
    assert encode(decoded.value, ACTION, decoded.layout) == measurements(1)


def test_a_body_of_a_hundred_measurements_is_read() -> None:
    decoded = decode(measurements(100), ACTION)
    assert isinstance(decoded, Decoded)
    assert len(decoded.tree()["measurements"]) == 100


@pytest.mark.parametrize(
    "octets",
    [measurements(3000), bytes.fromhex("000101080000200000bfff") + bytes(50_000), bytes(65_000), bytes(100_000)],
    ids=["measurements", "labels", "zeros", "too long"],
)
def test_large_bodies_take_bounded_work(octets: bytes) -> None:
    begin = time.thread_time()
    for body in Body:
        assert isinstance(decode(octets, body), Undecoded)
    assert time.thread_time() - begin < 0.5


def test_nested_deeper_than_anybody_needs() -> None:
    """A RAN parameter whose structure has a RAN parameter whose structure ..."""
    value = Chosen("element", Element())
    for depth in (5, 40):
        for _ in range(depth):
            value = Chosen("structure", (StructureItem(id=1, content=value),))
        action = PolicyAction(id=1, parameters=(PolicyParameter(id=1, content=value),))
        content = Chosen(2, Policies(policies=(Policy(action=action),)))
        octets = encode(ActionDefinition(style=1, content=content), ACTION, LAYOUTS[Model.RC][0])
        decoded = decode(octets, ACTION)
        assert isinstance(decoded, Decoded) == (depth == 5)
    assert isinstance(decoded, Undecoded)
    assert "nested deeper than" in decoded.reason


def test_flexric_is_read_in_its_own_layout_only() -> None:
    for sample in SAMPLES:
        if sample.flexric:
            decoded = decode(bytes.fromhex(sample.octets), Body(sample.body))
            assert isinstance(decoded, Decoded)
            published = encode(decoded.value, decoded.body, LAYOUTS[decoded.model][0])
            again = decode(published, decoded.body, [decoded.model])
            assert isinstance(again, Decoded)
            assert published.hex() != sample.octets
            assert again.value == decoded.value
            assert not again.layout.flexric


def test_the_bound_on_steps_is_what_stops_a_reader() -> None:
    undecoded = decode(measurements(3000), ACTION)
    assert isinstance(undecoded, Undecoded)
    assert str(bits.MOST_STEPS) in undecoded.reason
