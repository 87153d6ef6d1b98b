# SPDX-License-Identifier: Apache-2.0
"""RIC INDICATION as aligned PER; pycrate is the judge."""

from __future__ import annotations

import pytest
from pycrate_asn1dir.E2AP import E2AP_PDU_Descriptions

from submgr.simulators.indications import Indication, read_indication, write_indication

SHORT = Indication(123, 7, 2, 1, 65535, b"head", b"message")
LONG = Indication(0, 65535, 4095, 255, 0, b"", bytes(300))


@pytest.mark.parametrize("indication", [SHORT, LONG])
def test_an_indication_is_what_another_codec_takes_it_for(indication: Indication) -> None:
    octets = write_indication(indication)
    pdu = E2AP_PDU_Descriptions.E2AP_PDU
    pdu.from_aper(octets)
    kind, content = pdu.get_val()
    assert kind == "initiatingMessage"
    name, value = content["value"]
    assert name == "RICindication"
    elements = {item["id"]: item["value"][1] for item in value["protocolIEs"]}
    assert elements[29] == {"ricRequestorID": indication.requestor, "ricInstanceID": indication.instance}
    assert (elements[5], elements[15], elements[27]) == (indication.function, indication.action, indication.number)
    assert (elements[28], elements[25], elements[26]) == ("report", indication.header, indication.message)
    assert pdu.to_aper() == octets
    assert read_indication(octets) == indication


@pytest.mark.parametrize(
    "octets", [b"", b"\0", b"\0\x08\0\0", write_indication(SHORT)[:20], write_indication(LONG)[:9]]
)
def test_anything_else_is_none(octets: bytes) -> None:
    assert read_indication(octets) is None
