# SPDX-License-Identifier: Apache-2.0
"""NAS messages beside those of `mec.controller.recordings.nas_messages`. Each function is one message, encoded."""

from __future__ import annotations

from mec.controller.recordings.nas_messages import encoded, eps_id

from pycrate_mobile.TS24301_EMM import (  # isort: skip - quiet by the import above
    EMMDetachAccept,
    EMMDetachRequestMO,
    EMMDetachRequestMT,
    EMMGUTIReallocCommand,
    EMMIdentityResponse,
    EMMTrackingAreaUpdateAccept,
    EMMTrackingAreaUpdateRequest,
)


def identity_response(imsi: str) -> bytes:
    """With an IMSI."""
    digits = imsi if len(imsi) % 2 else f"{imsi}f"
    odd = 8 if len(imsi) % 2 else 0
    rest = bytes(int(digits[at + 1] + digits[at], 16) for at in range(1, len(digits), 2))
    return encoded(EMMIdentityResponse, ID=bytes((int(digits[0]) << 4 | odd | 1,)) + rest)


def detach_request(identity: str | bytes) -> bytes:
    """Of the UE."""
    return encoded(EMMDetachRequestMO, EPSID=eps_id(identity))


def detach_request_of_network() -> bytes:
    """Of the MME."""
    return encoded(EMMDetachRequestMT)


def detach_accept() -> bytes:
    """Of either side."""
    return encoded(EMMDetachAccept)


def guti_reallocation(guti: bytes) -> bytes:
    """GUTI reallocation command."""
    return encoded(EMMGUTIReallocCommand, GUTI=b"\xf6" + guti)


def area_update_request(guti: bytes) -> bytes:
    """Tracking area update request."""
    return encoded(EMMTrackingAreaUpdateRequest, OldGUTI=b"\xf6" + guti)


def area_update_accept(guti: bytes) -> bytes:
    """Tracking area update accept with a new GUTI."""
    return encoded(EMMTrackingAreaUpdateAccept, GUTI=b"\xf6" + guti)


def service_request() -> bytes:
    """The short form (24.301, 8.2.25)."""
    return b"\xc7\x05\x12\x34"
