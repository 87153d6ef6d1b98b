# SPDX-License-Identifier: Apache-2.0
"""`submgr e2sm`: octets in words, and words as octets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.e2sm.samples import SAMPLES

from submgr.cli.e2sm import e2sm
from submgr.e2sm.decoding import Body, Decoded, decode
from submgr.e2sm.words import words

SIMPLE_MON = "00010100000000a04452422e5545546870446c012000000063"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(e2sm, arguments, input=stdin)


def decoded_of(*arguments: str) -> tuple[Decoded, Decoded, dict[str, Any]]:
    """The event trigger and the action definition in the REST body that `encode` prints, and the body."""
    result = run("encode", "kpm", *arguments)
    assert result.exit_code == 0, result.output
    body = json.loads(result.output)
    (detail,) = body["SubscriptionDetails"]
    (action,) = detail["ActionToBeSetupList"]
    trigger = decode(bytes(detail["EventTriggers"]), Body.EVENT_TRIGGER)
    definition = decode(bytes(action["ActionDefinition"]), Body.ACTION_DEFINITION)
    assert isinstance(trigger, Decoded)
    assert isinstance(definition, Decoded)
    return trigger, definition, body


@pytest.mark.parametrize(
    "octets",
    [SIMPLE_MON, "00:01:01 00000000a04452422e5545546870446c 012000000063", str(list(bytes.fromhex(SIMPLE_MON)))],
)
@pytest.mark.parametrize("piped", [False, True])
def test_decode_takes_hex_and_numbers(octets: str, piped: bool) -> None:
    result = run("decode", "-", stdin=octets + "\n") if piped else run("decode", octets)
    assert result.exit_code == 0
    assert result.output.splitlines()[:4] == [
        "KPM style 1 format 1: DRB.UEThpDl every 100 ms",
        "action_definition of KPM v2.00, v2.01, v2.03, v3.00",
        "  style: 1",
        "  format: 1",
    ]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_decode_prints_json(sample: Any) -> None:
    result = run("decode", "--json", "--model", sample.model.lower(), "--type", sample.body, sample.octets)
    printed = json.loads(result.output)
    assert printed["Content"] == sample.tree
    assert (printed["Model"], printed["Type"]) == (sample.model, sample.body)
    assert sample.version in printed["Versions"]
    assert printed.get("Dialect") == ("flexric" if sample.flexric else None)


@pytest.mark.parametrize("octets", ["00", "[3]", "4d41435f53544154535f5630", ""])
def test_what_is_no_body_is_shown_as_hex_with_the_reasons(octets: str) -> None:
    result = run("decode", octets)
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 4
    printed = json.loads(run("decode", "--json", octets).output)
    assert printed["Reason"]


@pytest.mark.parametrize("octets", ["xyz", "123", "[256]", "8,a", "[]"])
def test_what_is_neither_hex_nor_numbers_is_a_wrong_command_line(octets: str) -> None:
    assert run("decode", octets).exit_code == 2


def test_describe_says_what_a_ran_function_offers() -> None:
    sample = next(one for one in SAMPLES if one.body == Body.RAN_FUNCTION and one.model == "RC")
    result = run("describe", sample.octets)
    assert result.exit_code == 0
    assert result.output.startswith("RC RAN function ORAN-E2SM-RC (RC): insert styles 4; control styles 4\n")


def test_encode_prints_a_body_as_xapps_send_it() -> None:
    trigger, definition, body = decoded_of("--period", "1000", "--measurement", "DRB.UEThpDl", "--measurement", "7")
    assert words(trigger) == "KPM report every 1000 ms"
    assert words(definition) == "KPM style 1 format 1: DRB.UEThpDl, measurement 7 every 1000 ms"
    assert body["RANFunctionID"] == 2
    assert body["SubscriptionDetails"][0]["EventTriggers"] == [8, 3, 231]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--cell", "310-410/fedcba987"], "format 1: RSRP every 100 ms for NR cell fedcba987 of PLMN 310-410"),
        (["--ue", "41", "--granularity", "10"], "format 2: RSRP every 10 ms for UE gNB-DU-UEID 41"),
        (["--ue", "0", "--ue", "1"], "format 5: RSRP every 100 ms for gNB-DU-UEID 0, gNB-DU-UEID 1"),
        (["--where", "ul-rSRP lessthan -90"], "format 4: RSRP every 100 ms for UEs with ul-rSRP lessthan -90"),
    ],
)
def test_encode_takes_the_format_that_has_a_place_for_it(options: list[str], line: str) -> None:
    _, definition, _ = decoded_of("--period", "100", "--measurement", "RSRP", *options)
    assert words(definition).endswith(line)


def test_more_measurements_may_follow() -> None:
    _, definition, _ = decoded_of("--measurement", "RSRP", "RSRQ", "CQI")
    assert words(definition) == "KPM style 1 format 1: RSRP, RSRQ, CQI every 1000 ms"


def test_encode_writes_flexrics_dialect() -> None:
    _, definition, _ = decoded_of("--measurement", "RSRP", "--where", "sNSSAI equal 1", "--flexric")
    assert definition.layout.flexric


@pytest.mark.parametrize(
    "options",
    [
        ["--cell", "1/2"],
        ["--ue", "1", "--where", "rSRP equal 1"],
        ["--where", "size equal 1"],
        ["--where", "rSRP"],
        ["--flexric"],
        ["--ue", "1", "--ue", "2", "--kpm-version", "2.00"],
    ],
)
def test_what_has_no_place_in_the_layout_is_a_wrong_command_line(options: list[str]) -> None:
    version = [] if "--kpm-version" in options else ["--kpm-version", "2.01"]
    result = run("encode", "kpm", "--measurement", "RSRP", *options, *version)
    assert result.exit_code == 2
