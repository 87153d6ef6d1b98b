# SPDX-License-Identifier: Apache-2.0
"""Whole procedures, both directions in their order, out of `pdus` and `nas_messages`."""

from collections.abc import Sequence
from dataclasses import dataclass

from mec.controller.recordings import nas_messages as nas
from mec.controller.recordings import pdus as pdu
from mec.controller.recordings.pdus import HOME, Place

_CHALLENGE = bytes.fromhex("075200c38bb94032cc40b533057327b25e335510a4f43c006d9c90017ed284accdaf768c")
_RESPONSE = bytes.fromhex("0753081f524dde06075308")


@dataclass(frozen=True, slots=True)
class Call:
    """A UE at an eNB: its ids there and at the MME, and who it is. `guti` is what it gets."""

    enb_ue_id: int
    mme_ue_id: int
    imsi: str
    addresses: Sequence[str]
    guti: bytes = b"\x00\xf1\x10\x80\x01\x01\xc0\x00\x00\x01"
    place: Place = HOME


def set_up(place: Place = HOME, gummei: bytes = b"\x00\xf1\x10\x80\x01\x01") -> list[bytes]:
    """An eNB and an MME meet."""
    return [pdu.s1_setup(place), pdu.s1_setup_response(gummei)]


def attach(call: Call, identity: str | bytes | None = None) -> list[bytes]:
    """A UE attaches with null ciphering, by its IMSI or what is given (a GUTI)."""
    enb, mme, place = call.enb_ue_id, call.mme_ue_id, call.place
    session = nas.default_bearer(call.addresses)
    accept = nas.protected(nas.attach_accept(session, call.guti), 2, 2)
    return [
        pdu.initial_ue(enb, nas.attach_request(call.imsi if identity is None else identity), place),
        pdu.downlink(mme, enb, _CHALLENGE),
        pdu.uplink(mme, enb, _RESPONSE, place),
        pdu.downlink(mme, enb, nas.protected(nas.security_mode(0), 3, 0)),
        pdu.uplink(mme, enb, nas.protected(b"\x07\x5e", 4, 0), place),
        pdu.context_setup(mme, enb, {5: accept}),
        pdu.uninteresting(mme, enb),
        pdu.uplink(mme, enb, nas.protected(b"\x07\x43\x00\x03\x52\x00\xc2", 2, 1), place),
    ]
