# SPDX-License-Identifier: Apache-2.0
"""NAS messages made up with pycrate, for `recording`. Each function is one message, encoded.

GUTIs have 10 octets: PLMN, group, code, M-TMSI.
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
    EMMDetachAccept,
    EMMDetachRequestMO,
    EMMDetachRequestMT,
    EMMGUTIReallocCommand,
    EMMIdentityResponse,
    EMMSecurityModeCommand,
    EMMTrackingAreaUpdateAccept,
    EMMTrackingAreaUpdateRequest,
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
    return _encoded(EMMAttachRequest, EPSID=_eps_id(identity), UENetCap=_CAPABILITY, ESMContainer=_PDN_REQUEST)


def attach_accept(session: bytes, guti: bytes | None = None) -> bytes:
    """With the ESM message of its default bearer."""
    fields: dict[str, Any] = {"TAIList": _AREAS, "ESMContainer": session}
    if guti is not None:
        fields["GUTI"] = b"\xf6" + guti
    return _encoded(EMMAttachAccept, **fields)


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


def identity_response(imsi: str) -> bytes:
    """With an IMSI."""
    digits = imsi if len(imsi) % 2 else f"{imsi}f"
    odd = 8 if len(imsi) % 2 else 0
    rest = bytes(int(digits[at + 1] + digits[at], 16) for at in range(1, len(digits), 2))
    return _encoded(EMMIdentityResponse, ID=bytes((int(digits[0]) << 4 | odd | 1,)) + rest)


def detach_request(identity: str | bytes) -> bytes:
    """Of the UE."""
    return _encoded(EMMDetachRequestMO, EPSID=_eps_id(identity))


def detach_request_of_network() -> bytes:
    """Of the MME."""
    return _encoded(EMMDetachRequestMT)


def detach_accept() -> bytes:
    """Of either side."""
    return _encoded(EMMDetachAccept)


def guti_reallocation(guti: bytes) -> bytes:
    """GUTI reallocation command."""
    return _encoded(EMMGUTIReallocCommand, GUTI=b"\xf6" + guti)


def area_update_request(guti: bytes) -> bytes:
    """Tracking area update request."""
    return _encoded(EMMTrackingAreaUpdateRequest, OldGUTI=b"\xf6" + guti)


def area_update_accept(guti: bytes) -> bytes:
    """Tracking area update accept with a new GUTI."""
    return _encoded(EMMTrackingAreaUpdateAccept, GUTI=b"\xf6" + guti)


def security_mode(ciphering: int) -> bytes:
    """Security mode command that chooses an EPS encryption algorithm, and EIA2."""
    return _encoded(EMMSecurityModeCommand, NASSecAlgo=bytes((ciphering << 4 | 2,)), UESecCap=_CAPABILITY)


def service_request() -> bytes:
    """The short form (24.301, 8.2.25)."""
    return b"\xc7\x05\x12\x34"


def _eps_id(identity: str | bytes) -> Any:
    return {"type": 1, "ident": identity} if isinstance(identity, str) else b"\xf6" + identity


def _encoded(kind: Any, **fields: Any) -> bytes:
    return bytes(kind(val=fields).to_bytes())
