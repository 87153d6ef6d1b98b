# SPDX-License-Identifier: Apache-2.0
"""The IEs of S1AP that are more than a number or a few octets, read by pycrate.

pycrate's objects are global and mutable: this module is the only one that uses those of S1AP, and nothing yields
between the decoding of a value and its use.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from pycrate_asn1dir.S1AP import S1AP_IEs, S1AP_PDU_Contents, S1AP_PDU_Descriptions
from pycrate_core.utils import PycrateErr

from mec.controller.protocol.s1ap import S1apError

# what pycrate raises on malformed input: its own errors, and those of the Python operations it tries
_ERRORS = (PycrateErr, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError)

_ALL_OF_THEM = "s1-Interface"

T = TypeVar("T")


def bearers_with_nas(value: bytes) -> list[tuple[int, bytes | None]]:
    """E-RAB id and NAS PDU of each item of an E-RABToBeSetupListCtxtSUReq (36.413, 9.1.4.1)."""
    return _read(S1AP_PDU_Contents.E_RABToBeSetupListCtxtSUReq, value, _bearers_with_nas)


def further_bearers_with_nas(value: bytes) -> list[tuple[int, bytes | None]]:
    """E-RAB id and NAS PDU of each item of an E-RABToBeSetupListBearerSUReq (36.413, 9.1.3.1)."""
    return _read(S1AP_PDU_Contents.E_RABToBeSetupListBearerSUReq, value, _bearers_with_nas)


def released_context(value: bytes) -> tuple[int, int | None]:
    """MME and eNB UE ids of a UE-S1AP-IDs (36.413, 9.2.3.13), which may have the first one only."""

    def ids(choice: tuple[str, Any]) -> tuple[int, int | None]:
        name, content = choice
        if name == "uE-S1AP-ID-pair":
            return content["mME-UE-S1AP-ID"], content["eNB-UE-S1AP-ID"]
        return content, None

    return _read(S1AP_IEs.UE_S1AP_IDs, value, ids)


def reset_connections(value: bytes) -> list[tuple[int | None, int | None]] | None:
    """MME and eNB UE ids of the connections that a ResetType (36.413, 9.1.8.1) names; None for all of them."""

    def connections(choice: tuple[str, Any]) -> list[tuple[int | None, int | None]] | None:
        name, content = choice
        if name == _ALL_OF_THEM:
            return None
        pairs = [item["value"][1] for item in content]
        return [(pair.get("mME-UE-S1AP-ID"), pair.get("eNB-UE-S1AP-ID")) for pair in pairs]

    return _read(S1AP_PDU_Contents.ResetType, value, connections)


def served_gummeis(value: bytes) -> list[bytes]:
    """The GUMMEIs (PLMN, group, code: 6 octets) that an MME serves (36.413, 9.1.8.5), in its order."""

    def gummeis(items: list[dict[str, list[bytes]]]) -> list[bytes]:
        return [
            plmn + group + code
            for item in items
            for plmn in item["servedPLMNs"]
            for group in item["servedGroupIDs"]
            for code in item["servedMMECs"]
        ]

    return _read(S1AP_IEs.ServedGUMMEIs, value, gummeis)


def enb_of(value: bytes) -> tuple[bytes, int, int]:
    """PLMN identity (3 octets), eNB id and its number of bits out of a Global-ENB-ID (36.413, 9.2.1.37)."""

    def enb(content: dict[str, Any]) -> tuple[bytes, int, int]:
        number, bits = content["eNB-ID"][1]
        return content["pLMNidentity"], number, bits

    return _read(S1AP_IEs.Global_ENB_ID, value, enb)


def _bearers_with_nas(items: list[dict[str, Any]]) -> list[tuple[int, bytes | None]]:
    bearers = [item["value"][1] for item in items]
    return [(bearer["e-RAB-ID"], bearer.get("nAS-PDU")) for bearer in bearers]


def _read(kind: Any, value: bytes, content: Callable[[Any], T]) -> T:
    try:
        kind.from_aper(value)
        return content(kind.get_val())
    except _ERRORS as exc:
        raise S1apError(f"not a {kind._name}: {str(exc) or type(exc).__name__}") from exc


def encode(pdu: tuple[str, dict[str, Any]]) -> bytes:
    """A whole S1AP-PDU, for what is made up here: recordings to replay and to measure with.

    Raises S1apError for a value that S1AP does not have.
    """
    try:
        S1AP_PDU_Descriptions.S1AP_PDU.set_val(pdu)
        return bytes(S1AP_PDU_Descriptions.S1AP_PDU.to_aper())
    except _ERRORS as exc:
        raise S1apError(f"not an S1AP-PDU: {str(exc) or type(exc).__name__}") from exc


def decode(pdu: bytes) -> tuple[str, dict[str, Any]]:
    """A whole S1AP-PDU with everything in it, to measure against. Raises S1apError."""

    def whole(value: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
        return value

    return _read(S1AP_PDU_Descriptions.S1AP_PDU, pdu, whole)
