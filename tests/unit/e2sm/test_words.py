# SPDX-License-Identifier: Apache-2.0
"""One line for each body."""

from __future__ import annotations

import pytest
from support.e2sm.samples import SAMPLES

from submgr.e2sm import kpm
from submgr.e2sm.choices import Chosen
from submgr.e2sm.decoding import Body, Decoded, decode, encode
from submgr.e2sm.layouts import LAYOUTS, Model
from submgr.e2sm.words import MOST_CHARACTERS, words

ACTION = Body.ACTION_DEFINITION

OCTETS = {sample.name: (bytes.fromhex(sample.octets), Body(sample.body)) for sample in SAMPLES}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("kpm 2.00 event trigger 10000 ms", "KPM report every 10000 ms"),
        (
            "names and ids mixed, nr cell of a three digit network code",
            "KPM style 1 format 1: RRU.PrbTotDl, measurement 40, RRC.ConnMean every 1000 ms "
            "for NR cell fedcba987 of PLMN 310-410",
        ),
        (
            "v2.00 condition list label and test",
            "KPM style 3 format 3: DRB.UEThpDl [slice 1-00000a and rSRP greaterthan -100] "
            "of each UE that fits, every 1000 ms (layout of v2.00, v2.01)",
        ),
        (
            "common conditions slice or 5qi",
            "KPM style 4 format 4: DRB.PdcpSduVolumeDL, DRB.PdcpSduVolumeUL every 1000 ms "
            "for UEs with sNSSAI equal 1 or fiveQI equal 9",
        ),
        (
            "flexric format5 two du ues",
            "KPM style 5 format 5: DRB.UEThpDl every 1000 ms for gNB-DU-UEID 1, gNB-DU-UEID 2 (FlexRIC's dialect)",
        ),
        (
            "policy style2 accept with condition",
            "RC style 2 format 2: policy action 6 accept with parameter 1 "
            "if parameter 21503 greaterthan -100 and parameter 17 present",
        ),
        (
            "format1 lte and nr messages for one du ue",
            "RC at messages RRC dL-DCCH 4, outgoing RRC bCCH-DL-SCH 1 for 1 UE filter",
        ),
        (
            "format4 connected or inactive for slice 1",
            "RC at changes of UEs: RRC state rrc-connected or rrc-inactive for 1 UE filter",
        ),
        ("format5 on demand for one gnb ue", "RC on demand for 1 UE filter"),
        ("e1 bearer setup both ways", "NI at both e1 procedure 8 successful-outcome"),
        ("one interface, nothing else", "NI RAN function ORAN-E2SM-NI (Network Interface): s1"),
        ("capture radisys du", "RC RAN function ORAN-E2SM-RC (RC): insert styles 4; control styles 4"),
    ],
)
def test_a_line_says_what_is_asked_for(name: str, line: str) -> None:
    assert words(decode(*OCTETS[name])) == line


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_has_a_line(sample: object) -> None:
    line = words(decode(*OCTETS[sample.name]))  # type: ignore[attr-defined]
    assert line.startswith(f"{sample.model} ")  # type: ignore[attr-defined]
    assert "\n" not in line


def test_long_lists_are_cut() -> None:
    listed = bytes.fromhex("000101000008") + b"".join(bytes([0, number]) for number in range(9))
    line = words(decode(listed, Body.ACTION_DEFINITION))
    assert line == "RC style 1 format 1: report parameters 1, 2, 3, 4, 5, 6, 7, 8 and 1 more"


def test_octets_that_say_nothing_are_shown_with_the_reason() -> None:
    assert words(decode(b"\x03", Body.ACTION_DEFINITION)) == (
        "03: one octet is no body of a service model: a placeholder"
    )
    line = words(decode(bytes(200), Body.RAN_FUNCTION))
    assert line.startswith(f"{bytes(32).hex()}... of 200 octets: as KPM: ")


def test_a_line_has_an_end_however_long_the_names_are() -> None:
    measurement = kpm.Measurement(measurement=Chosen("name", "x" * 16_000), labels=(kpm.Label(),))
    content = kpm.Format1(measurements=(measurement,), granularity=1)
    octets = encode(kpm.ActionDefinition(style=1, content=Chosen(1, content)), ACTION, LAYOUTS[Model.KPM][0])
    decoded = decode(octets, ACTION)
    assert isinstance(decoded, Decoded)
    assert len(words(decoded)) == MOST_CHARACTERS + 3
