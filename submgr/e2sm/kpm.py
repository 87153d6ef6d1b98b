# SPDX-License-Identifier: Apache-2.0
"""The KPM service model: event triggers, action definitions and RAN function definitions, v2.00 to v3.00 (E2SM-KPM 8).

`since` tells the versions apart. For these three bodies v3.00 changed nothing, and v4.00 only adds.
"""

from __future__ import annotations

from submgr.e2sm.choices import Alternative, Choice, Chosen, Kind
from submgr.e2sm.common import CELL, FORMAT, NAME, PLMN, STYLE, UE, EventTriggerStyle, FunctionName, Plmn, Slice
from submgr.e2sm.layouts import Level
from submgr.e2sm.per import Bits, Boolean, Enumerated, Flag, Integer, ListOf, Octets, Text
from submgr.e2sm.real import Real
from submgr.e2sm.sequences import Boxed, part, sequence

MILLISECONDS = Integer(1, 0xFFFFFFFF)
_INDEX = Integer(1, 65535, extensible=True)
_QCI = Integer(0, 255)
_ARP = Integer(1, 15, extensible=True)
_MEASUREMENT = Choice(Alternative("name", NAME), Alternative("id", Integer(1, 65536, extensible=True)))


@sequence
class Label:
    """What a measurement is broken down by. An empty one is legal."""

    no_label: bool | None = part(Flag(), "no_label", default=None)
    plmn: Plmn | None = part(PLMN, "plmn", default=None)
    slice: Slice | None = part(Slice, "slice", default=None)
    five_qi: int | None = part(Integer(0, 255, extensible=True), "five_qi", default=None)
    qfi: int | None = part(Integer(0, 63, extensible=True), "qfi", default=None)
    qci: int | None = part(_QCI, "qci", default=None)
    qci_max: int | None = part(_QCI, "qci_max", default=None)
    qci_min: int | None = part(_QCI, "qci_min", default=None)
    arp_max: int | None = part(_ARP, "arp_max", default=None)
    arp_min: int | None = part(_ARP, "arp_min", default=None)
    bitrate_range: int | None = part(_INDEX, "bitrate_range", default=None)
    layer_mu_mimo: int | None = part(_INDEX, "layer_mu_mimo", default=None)
    sum: bool | None = part(Flag(), "sum", default=None)
    dist_bin_x: int | None = part(_INDEX, "dist_bin_x", default=None)
    dist_bin_y: int | None = part(_INDEX, "dist_bin_y", default=None)
    dist_bin_z: int | None = part(_INDEX, "dist_bin_z", default=None)
    pre_label_override: bool | None = part(Flag(), "pre_label_override", default=None)
    start_end: str | None = part(Enumerated("start", "end"), "start_end", default=None)
    min: bool | None = part(Flag(), "min", default=None)
    max: bool | None = part(Flag(), "max", default=None)
    avg: bool | None = part(Flag(), "avg", default=None)
    ssb_index: int | None = part(_INDEX, "ssb_index", default=None, addition=True, since=Level.V2_03)
    non_gob_bf_mode_index: int | None = part(
        _INDEX, "non_gob_bf_mode_index", default=None, addition=True, since=Level.V2_03
    )
    mimo_mode_index: int | None = part(
        Integer(1, 2, extensible=True), "mimo_mode_index", default=None, addition=True, since=Level.V2_03
    )


@sequence
class Measurement:
    measurement: Chosen = part(_MEASUREMENT)
    labels: tuple[Label, ...] = part(ListOf(Boxed(Label), None), "labels")


_EDGE = Choice(Alternative("int", Integer()), Alternative("real", Real()))


@sequence
class Bin:
    index: int = part(_INDEX, "index")
    start: Chosen = part(_EDGE, "start")
    end: Chosen = part(_EDGE, "end")


_BINS = ListOf(Bin, 65535)


@sequence
class Bins:
    """The bins of a distribution, in one to three dimensions."""

    x: tuple[Bin, ...] = part(_BINS, "x")
    y: tuple[Bin, ...] | None = part(_BINS, "y", default=None)
    z: tuple[Bin, ...] | None = part(_BINS, "z", default=None)


@sequence
class MeasurementBins:
    measurement: Chosen = part(_MEASUREMENT)
    bins: Bins = part(Bins, "bins")


_TEST_KIND = Kind(
    *(Alternative(name, Flag()) for name in ("gBR", "aMBR", "isStat", "isCatM", "rSRP", "rSRQ")),
    *(
        Alternative(name, Flag(), addition=True, since=Level.V2_03, flexric_root=True)
        for name in ("ul-rSRP", "cQI", "fiveQI", "qCI", "sNSSAI")
    ),
)
_TEST_VALUE = Choice(
    Alternative("int", Integer()),
    Alternative("enum", Integer()),
    Alternative("bool", Boolean()),
    Alternative("bits", Bits()),
    Alternative("octets_hex", Octets()),
    Alternative("string", Text()),
    Alternative("real", Real(), addition=True, since=Level.V2_03, flexric_root=True),
)


@sequence(doubtful=lambda test: test.value is not None and test.expression is None)
class Test:
    """A condition on a UE: `rSRP lessthan -110`.

    A value that is compared with nothing is v2.01 read as v2.03.
    """

    kind: str = part(_TEST_KIND, "test")
    expression: str | None = part(
        Enumerated("equal", "greaterthan", "lessthan", "contains", "present"),
        "expression",
        default=None,
        optional_since=Level.V2_03,
    )
    value: Chosen | None = part(_TEST_VALUE, "value", default=None, optional_since=Level.V2_03)


@sequence(marker_since=Level.V2_03)
class Match:
    """One of the conditions on a measurement of format 3. Before v2.03 it was the bare choice."""

    condition: Chosen = part(Choice(Alternative("label", Label), Alternative("test", Test, flat=True)))
    logical_or: bool | None = part(Flag(), "logical_or", default=None, since=Level.V2_03)


@sequence
class ConditionalMeasurement:
    measurement: Chosen = part(_MEASUREMENT)
    conditions: tuple[Match, ...] = part(ListOf(Match, 32768), "conditions")
    bins: Bins | None = part(Bins, "bins", default=None, addition=True, since=Level.V2_03, flexric_root=True)


@sequence
class UeCondition:
    test: Test = part(Test)
    logical_or: bool | None = part(Flag(), "logical_or", default=None, addition=True, since=Level.V2_03)


@sequence
class Format1:
    """Measurements of a node, or of one of its cells."""

    measurements: tuple[Measurement, ...] = part(ListOf(Measurement, 65535), "measurements")
    granularity: int = part(MILLISECONDS, "granularity_ms")
    cell: Chosen | None = part(CELL, "cell", default=None)
    distribution_bins: tuple[MeasurementBins, ...] | None = part(
        ListOf(MeasurementBins, 65535),
        "distribution_bins",
        default=None,
        addition=True,
        since=Level.V2_03,
        flexric_root=True,
    )


@sequence
class Format2:
    """Measurements of one UE."""

    ue: Chosen = part(UE, "ue")
    subscription: Format1 = part(Format1)


@sequence
class Format3:
    """Measurements of a node, each for the UEs that fulfil its conditions."""

    measurements: tuple[ConditionalMeasurement, ...] = part(ListOf(ConditionalMeasurement, 65535), "measurements")
    granularity: int = part(MILLISECONDS, "granularity_ms")
    cell: Chosen | None = part(CELL, "cell", default=None)


@sequence
class Format4:
    """Measurements of each UE that fulfils conditions."""

    ue_conditions: tuple[UeCondition, ...] = part(ListOf(UeCondition, 32768), "ue_conditions")
    subscription: Format1 = part(Format1)


@sequence
class Format5:
    """Measurements of each of two or more UEs."""

    ues: tuple[Chosen, ...] = part(ListOf(Boxed(UE), 65535, low=2), "ues")
    subscription: Format1 = part(Format1)


_ACTION_FORMAT = Choice(
    Alternative(1, Format1),
    Alternative(2, Format2),
    Alternative(3, Format3),
    Alternative(4, Format4, addition=True, since=Level.V2_01, flexric_root=True),
    Alternative(5, Format5, addition=True, since=Level.V2_01, flexric_root=True),
    tag="format",
)


@sequence
class ActionDefinition:
    style: int = part(STYLE, "style")
    content: Chosen = part(_ACTION_FORMAT)


@sequence
class ReportPeriod:
    period: int = part(MILLISECONDS, "report_period_ms")


@sequence
class EventTrigger:
    content: Chosen = part(Choice(Alternative(1, ReportPeriod), tag="format"))


@sequence
class OfferedMeasurement:
    name: str = part(NAME, "name")
    id: int | None = part(Integer(1, 65536, extensible=True), "id", default=None)
    bins: Bins | None = part(Bins, "bins", default=None, addition=True, since=Level.V2_03)


@sequence
class ReportStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    action_format: int = part(FORMAT, "action_format")
    measurements: tuple[OfferedMeasurement, ...] = part(ListOf(OfferedMeasurement, 65535), "measurements")
    header_format: int = part(FORMAT, "header_format")
    message_format: int = part(FORMAT, "message_format")


@sequence
class FunctionDefinition:
    name: FunctionName = part(FunctionName)
    event_trigger_styles: tuple[EventTriggerStyle, ...] | None = part(
        ListOf(EventTriggerStyle, 63), "event_trigger_styles", default=None
    )
    report_styles: tuple[ReportStyle, ...] | None = part(ListOf(ReportStyle, 63), "report_styles", default=None)
