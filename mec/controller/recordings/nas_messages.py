# SPDX-License-Identifier: Apache-2.0
"""Encodes made-up NAS messages with pycrate, for `pdus`. Each function is one message.

A GUTI has 10 octets: PLMN, group, code, M-TMSI.
"""

import ipaddress
import logging
from collections.abc import Sequence
from typing import Any

# says at its import that it could not decipher: nothing here is ciphered
logging.getLogger("pycrate_mobile").setLevel(logging.ERROR)

from pycrate_mobile.TS24301_EMM import (
    EMMAttachAccept,
    EMMAttachRequest,
    EMMSecurityModeCommand,
)
from pycrate_mobile.TS24301_ESM import ESMActDefaultEPSBearerCtxtRequest

_CAPABILITY = b"\xe0\xe0"
_PDN_REQUEST = b"\x02\x01\xd0\x11"
_AREAS = b"\x00\x00\xf1\x10\x00\x01"


def protected(message: bytes, header: int = 1, sequence: int = 0) -> bytes:
    """A message in the envelope of a security header type: 1 and 3 integrity, 2 and 4 ciphering too."""
    return bytes((header << 4 | 7,)) + b"\xaa\xbb\xcc\xdd" + bytes((sequence,)) + message


def attach_request(identity: str | bytes) -> bytes:
    """By an IMSI (digits) or a GUTI."""
    return encoded(EMMAttachRequest, EPSID=eps_id(identity), UENetCap=_CAPABILITY, ESMContainer=_PDN_REQUEST)


def attach_accept(session: bytes, guti: bytes | None = None) -> bytes:
    """With the ESM message of its default bearer."""
    fields: dict[str, Any] = {"TAIList": _AREAS, "ESMContainer": session}
    if guti is not None:
        fields["GUTI"] = b"\xf6" + guti
    return encoded(EMMAttachAccept, **fields)


def default_bearer(addresses: Sequence[str], bearer: int = 5) -> bytes:
    """Activate default EPS bearer context request; `addresses` are an IPv4, a link-local IPv6, or both."""
    parsed = [ipaddress.ip_address(address) for address in addresses]
    v4 = b"".join(each.packed for each in parsed if each.version == 4)
    interface = b"".join(each.packed[8:] for each in parsed if each.version == 6)
    kind = 3 if v4 and interface else 2 if interface else 1
    message = ESMActDefaultEPSBearerCtxtRequest(
        val={"EPSQoS": b"\x09", "APN": b"\x08internet", "PDNAddr": bytes((kind,)) + interface + v4}
    )
    message["ESMHeader"]["EPSBearerId"].set_val(bearer)
    return bytes(message.to_bytes())


def security_mode(ciphering: int) -> bytes:
    """Security mode command that chooses an EPS encryption algorithm, and EIA2."""
    return encoded(EMMSecurityModeCommand, NASSecAlgo=bytes((ciphering << 4 | 2,)), UESecCap=_CAPABILITY)


def eps_id(identity: str | bytes) -> Any:
    """The EPS mobile identity of an IMSI (digits) or a GUTI."""
    return {"type": 1, "ident": identity} if isinstance(identity, str) else b"\xf6" + identity


def encoded(kind: Any, **fields: Any) -> bytes:
    """A message of a class of pycrate with these fields."""
    return bytes(kind(val=fields).to_bytes())
