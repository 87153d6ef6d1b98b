# SPDX-License-Identifier: Apache-2.0
"""A subscription in words: all its bodies read as one model."""

from __future__ import annotations

from support.e2sm.samples import SAMPLES

from submgr.e2sm.decoding import Decoded
from submgr.e2sm.layouts import Model
from submgr.e2sm.subscription import read_subscription

OCTETS = {sample.name: bytes.fromhex(sample.octets) for sample in SAMPLES}
TRIGGER = OCTETS["kpm 2.00 event trigger 10000 ms"]
MEASURED = OCTETS["srsran simple_mon style1 one throughput"]


def test_a_line_has_the_trigger_and_the_actions() -> None:
    asked = read_subscription(TRIGGER, [(1, MEASURED), (2, None)])
    assert asked.words() == (
        "KPM report every 10000 ms; action 1: KPM style 1 format 1: DRB.UEThpDl every 100 ms; action 2: no definition"
    )
    shown = asked.shown()
    assert shown["EventTrigger"]["Content"] == {"format": 1, "report_period_ms": 10000}
    assert [action["ActionID"] for action in shown["Actions"]] == [1, 2]
    assert shown["Actions"][1]["Definition"] is None


def test_many_actions_are_counted() -> None:
    line = read_subscription(TRIGGER, [(number, MEASURED) for number in range(16)]).words()
    assert line.endswith("; 13 more actions")
    assert line.count("DRB.UEThpDl") == 3


def test_placeholders_are_told_as_such() -> None:
    asked = read_subscription(TRIGGER, [(1, b"\0")])
    assert asked.words() == (
        "KPM report every 10000 ms; action 1: 00: one octet is no body of a service model: a placeholder"
    )


def test_all_bodies_are_read_as_the_model_that_takes_most() -> None:
    trigger = OCTETS["format4 connected or inactive for slice 1"]
    asked = read_subscription(trigger, [(1, OCTETS["style5 on demand big ids"]), (2, MEASURED)])
    assert isinstance(asked.trigger, Decoded)
    assert asked.trigger.model == Model.RC
    assert asked.words().startswith("RC at changes of UEs")


def test_what_no_model_takes_is_told_with_the_reasons_of_all() -> None:
    line = read_subscription(b"\1\2\3\4", [(1, b"\1\2\3\4")]).words()
    assert line.startswith("01020304: as KPM: ")
    assert "as RC: " in line
    assert "as NI: " in line


def test_others_have_their_turn_between_bodies() -> None:
    turns: list[None] = []
    read_subscription(b"\1\2\3\4", [(1, b"\1\2\3\4")], between=lambda: turns.append(None))
    assert len(turns) == 2 * 4
