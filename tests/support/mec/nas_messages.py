# SPDX-License-Identifier: Apache-2.0
"""NAS messages beside those of `mec.controller.recordings.nas_messages`. Each function is one message, encoded."""

from __future__ import annotations

from collections.abc import Iterable

from mec.controller.recordings.nas_messages import encoded, eps_id

from pycrate_mobile.TS24301_EMM import (  # isort: skip - quiet by the import above
    EMMAttachReject,
    EMMAuthenticationReject,
    EMMDetachAccept,
    EMMDetachRequestMO,
    EMMDetachRequestMT,
    EMMGUTIReallocCommand,
    EMMIdentityResponse,
    EMMServiceAccept,
    EMMServiceReject,
    EMMTrackingAreaUpdateAccept,
    EMMTrackingAreaUpdateReject,
    EMMTrackingAreaUpdateRequest,
)


def identity_response(imsi: str) -> bytes:
    """With an IMSI."""
    digits = imsi if len(imsi) % 2 else f"{imsi}f"
    odd = 8 if len(imsi) % 2 else 0
    rest = bytes(int(digits[at + 1] + digits[at], 16) for at in range(1, len(digits), 2))
    return encoded(EMMIdentityResponse, ID=bytes((int(digits[0]) << 4 | odd | 1,)) + rest)


def detach_request(identity: str | bytes, kind: int = 1) -> bytes:
    """Of the UE: 1 EPS, 2 non-EPS services only, 3 both; 8 more when the UE is switched off."""
    return _typed(encoded(EMMDetachRequestMO, EPSID=eps_id(identity)), kind)


def detach_request_of_network(kind: int = 2) -> bytes:
    """Of the MME: 1 attach again, 2 do not, 3 non-EPS services only."""
    return _typed(encoded(EMMDetachRequestMT), kind)


def _typed(request: bytes, kind: int) -> bytes:
    return request[:2] + bytes((request[2] & 0xF0 | kind,)) + request[3:]


def attach_reject(cause: int) -> bytes:
    """With an EMM cause."""
    return encoded(EMMAttachReject, EMMCause=bytes((cause,)))


def service_reject(cause: int) -> bytes:
    """With an EMM cause."""
    return encoded(EMMServiceReject, EMMCause=bytes((cause,)))


def area_update_reject(cause: int) -> bytes:
    """With an EMM cause."""
    return encoded(EMMTrackingAreaUpdateReject, EMMCause=bytes((cause,)))


def authentication_reject() -> bytes:
    """The UE is not who it says."""
    return encoded(EMMAuthenticationReject)


def service_accept() -> bytes:
    """The answer to a control plane service request."""
    return encoded(EMMServiceAccept)


def bearer_reject(bearer: int) -> bytes:
    """Activate default EPS bearer context reject."""
    return bytes((bearer << 4 | 2, 0, 0xC3, 26))


def bearer_deactivation(bearer: int) -> bytes:
    """Deactivate EPS bearer context request."""
    return bytes((bearer << 4 | 2, 0, 0xCD, 36))


def detach_accept() -> bytes:
    """Of either side."""
    return encoded(EMMDetachAccept)


def guti_reallocation(guti: bytes) -> bytes:
    """GUTI reallocation command."""
    return encoded(EMMGUTIReallocCommand, GUTI=b"\xf6" + guti)


def area_update_request(guti: bytes) -> bytes:
    """Tracking area update request."""
    return encoded(EMMTrackingAreaUpdateRequest, OldGUTI=b"\xf6" + guti)


def area_update_accept(guti: bytes, active: Iterable[int] | None = None) -> bytes:
    """Tracking area update accept with a new GUTI, and the EPS bearers that are active."""
    fields = {"GUTI": b"\xf6" + guti}
    if active is not None:
        fields["EPSBearerCtxtStat"] = sum(1 << bearer for bearer in active).to_bytes(2, "little")
    return encoded(EMMTrackingAreaUpdateAccept, **fields)


def service_request() -> bytes:
    """The short form (24.301, 8.2.25)."""
    return b"\xc7\x05\x12\x34"
