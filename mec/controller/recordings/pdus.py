# SPDX-License-Identifier: Apache-2.0
"""S1AP conversations made up with pycrate: to try the controller with, and to measure it.

Each function is one PDU.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mec.controller.protocol.s1ap_ies import encode

Ie = tuple[int, str, Any]

_PRIORITY = {
    "priorityLevel": 15,
    "pre-emptionCapability": "shall-not-trigger-pre-emption",
    "pre-emptionVulnerability": "not-pre-emptable",
}
_RATES = {"uEaggregateMaximumBitRateDL": 100_000_000, "uEaggregateMaximumBitRateUL": 50_000_000}
_ALGORITHMS = {"encryptionAlgorithms": (0xC000, 16), "integrityProtectionAlgorithms": (0xC000, 16)}
_NEXT_HOP = {"nextHopChainingCount": 1, "nextHopParameter": (1, 256)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an eNB is: its PLMN identity (3 octets), cell identity (28 bits), tracking area code, eNB id (20 bits)."""

    plmn: bytes = b"\x00\xf1\x10"
    cell: int = 0x0000A10
    tac: int = 1
    enb: int = 0xA1

    @property
    def ies(self) -> list[Ie]:
        cell = {"pLMNidentity": self.plmn, "cell-ID": (self.cell, 28)}
        area = {"pLMNidentity": self.plmn, "tAC": self.tac.to_bytes(2, "big")}
        return [(100, "EUTRAN-CGI", cell), (67, "TAI", area)]


HOME = Place()


def message(outcome: str, code: int, name: str, ies: Sequence[Ie]) -> bytes:
    """Any S1AP PDU out of the ids, type names and values of its IEs."""
    listed = [{"id": number, "criticality": "reject", "value": (kind, value)} for number, kind, value in ies]
    content = {"procedureCode": code, "criticality": "reject", "value": (name, {"protocolIEs": listed})}
    return encode((outcome, content))


def _ids(mme_ue_id: int, enb_ue_id: int) -> list[Ie]:
    return [(0, "MME-UE-S1AP-ID", mme_ue_id), (8, "ENB-UE-S1AP-ID", enb_ue_id)]


def s1_setup(place: Place = HOME) -> bytes:
    """S1SetupRequest."""
    area = {"tAC": place.tac.to_bytes(2, "big"), "broadcastPLMNs": [place.plmn]}
    return message(
        "initiatingMessage",
        17,
        "S1SetupRequest",
        [
            (59, "Global-ENB-ID", {"pLMNidentity": place.plmn, "eNB-ID": ("macroENB-ID", (place.enb, 20))}),
            (64, "SupportedTAs", [area]),
            (137, "PagingDRX", "v64"),
        ],
    )


def s1_setup_response(gummei: bytes = b"\x00\xf1\x10\x80\x01\x01") -> bytes:
    """S1SetupResponse of an MME with this GUMMEI (6 octets)."""
    served = {"servedPLMNs": [gummei[:3]], "servedGroupIDs": [gummei[3:5]], "servedMMECs": [gummei[5:]]}
    return message(
        "successfulOutcome", 17, "S1SetupResponse", [(105, "ServedGUMMEIs", [served]), (87, "RelativeMMECapacity", 50)]
    )


def initial_ue(enb_ue_id: int, nas: bytes, place: Place = HOME, s_tmsi: bytes | None = None) -> bytes:
    """InitialUEMessage; `s_tmsi` has 5 octets."""
    ies: list[Ie] = [(8, "ENB-UE-S1AP-ID", enb_ue_id), (26, "NAS-PDU", nas), *reversed(place.ies)]
    ies.append((134, "RRC-Establishment-Cause", "mo-Signalling"))
    if s_tmsi is not None:
        ies.append((96, "S-TMSI", {"mMEC": s_tmsi[:1], "m-TMSI": s_tmsi[1:]}))
    return message("initiatingMessage", 12, "InitialUEMessage", ies)


def uplink(mme_ue_id: int, enb_ue_id: int, nas: bytes, place: Place = HOME) -> bytes:
    """UplinkNASTransport."""
    ies = [*_ids(mme_ue_id, enb_ue_id), (26, "NAS-PDU", nas), *place.ies]
    return message("initiatingMessage", 13, "UplinkNASTransport", ies)


def downlink(mme_ue_id: int, enb_ue_id: int, nas: bytes) -> bytes:
    """DownlinkNASTransport."""
    return message("initiatingMessage", 11, "DownlinkNASTransport", [*_ids(mme_ue_id, enb_ue_id), (26, "NAS-PDU", nas)])


def context_setup(mme_ue_id: int, enb_ue_id: int, bearers: Mapping[int, bytes | None]) -> bytes:
    """InitialContextSetupRequest with a NAS PDU per E-RAB id."""
    items = [_bearer(52, "E-RABToBeSetupItemCtxtSUReq", number, nas) for number, nas in bearers.items()]
    ies: list[Ie] = [
        *_ids(mme_ue_id, enb_ue_id),
        (66, "UEAggregateMaximumBitrate", _RATES),
        (24, "E-RABToBeSetupListCtxtSUReq", items),
        (107, "UESecurityCapabilities", _ALGORITHMS),
        (73, "SecurityKey", (1, 256)),
    ]
    return message("initiatingMessage", 9, "InitialContextSetupRequest", ies)


def bearer_setup(mme_ue_id: int, enb_ue_id: int, bearers: Mapping[int, bytes]) -> bytes:
    """E-RABSetupRequest."""
    items = [_bearer(17, "E-RABToBeSetupItemBearerSUReq", number, nas) for number, nas in bearers.items()]
    ies = [*_ids(mme_ue_id, enb_ue_id), (16, "E-RABToBeSetupListBearerSUReq", items)]
    return message("initiatingMessage", 5, "E-RABSetupRequest", ies)


def _bearer(number: int, name: str, bearer: int, nas: bytes | None) -> dict[str, Any]:
    content: dict[str, Any] = {
        "e-RAB-ID": bearer,
        "e-RABlevelQoSParameters": {"qCI": 9, "allocationRetentionPriority": _PRIORITY},
        "transportLayerAddress": (0x7F000064, 32),
        "gTP-TEID": bearer.to_bytes(4, "big"),
    }
    if nas is not None:
        content["nAS-PDU"] = nas
    return {"id": number, "criticality": "reject", "value": (name, content)}


def bearer_release(mme_ue_id: int, enb_ue_id: int, bearers: Sequence[int]) -> bytes:
    """E-RABReleaseCommand."""
    ies = [*_ids(mme_ue_id, enb_ue_id), (33, "E-RABList", _bearers(bearers))]
    return message("initiatingMessage", 7, "E-RABReleaseCommand", ies)


def bearer_release_indication(mme_ue_id: int, enb_ue_id: int, bearers: Sequence[int]) -> bytes:
    """E-RABReleaseIndication."""
    ies = [*_ids(mme_ue_id, enb_ue_id), (110, "E-RABList", _bearers(bearers))]
    return message("initiatingMessage", 8, "E-RABReleaseIndication", ies)


def _bearers(bearers: Sequence[int]) -> list[dict[str, Any]]:
    cause = ("radioNetwork", "unspecified")
    return [
        {"id": 35, "criticality": "reject", "value": ("E-RABItem", {"e-RAB-ID": bearer, "cause": cause})}
        for bearer in bearers
    ]


def path_switch(source_mme_ue_id: int, enb_ue_id: int, place: Place) -> bytes:
    """PathSwitchRequest."""
    item = {"e-RAB-ID": 5, "transportLayerAddress": (0x7F000065, 32), "gTP-TEID": b"\x00\x00\x00\x07"}
    switched = [{"id": 23, "criticality": "reject", "value": ("E-RABToBeSwitchedDLItem", item)}]
    ies: list[Ie] = [
        (8, "ENB-UE-S1AP-ID", enb_ue_id),
        (22, "E-RABToBeSwitchedDLList", switched),
        (88, "MME-UE-S1AP-ID", source_mme_ue_id),
        *place.ies,
        (107, "UESecurityCapabilities", _ALGORITHMS),
    ]
    return message("initiatingMessage", 3, "PathSwitchRequest", ies)


def path_switch_acknowledge(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """PathSwitchRequestAcknowledge."""
    ies = [*_ids(mme_ue_id, enb_ue_id), (40, "SecurityContext", _NEXT_HOP)]
    return message("successfulOutcome", 3, "PathSwitchRequestAcknowledge", ies)


def handover_required(mme_ue_id: int, enb_ue_id: int, container: bytes) -> bytes:
    """HandoverRequired."""
    target = {
        "global-ENB-ID": {"pLMNidentity": HOME.plmn, "eNB-ID": ("macroENB-ID", (2, 20))},
        "selected-TAI": {"pLMNidentity": HOME.plmn, "tAC": b"\x00\x02"},
    }
    ies: list[Ie] = [
        *_ids(mme_ue_id, enb_ue_id),
        (1, "HandoverType", "intralte"),
        (2, "Cause", ("radioNetwork", "unspecified")),
        (4, "TargetID", ("targeteNB-ID", target)),
        (104, "Source-ToTarget-TransparentContainer", container),
    ]
    return message("initiatingMessage", 0, "HandoverRequired", ies)


def handover_request(mme_ue_id: int, container: bytes) -> bytes:
    """HandoverRequest, which the MME sends to the target eNB."""
    bearer = {
        "e-RAB-ID": 5,
        "transportLayerAddress": (0x7F000064, 32),
        "gTP-TEID": b"\x00\x00\x00\x05",
        "e-RABlevelQosParameters": {"qCI": 9, "allocationRetentionPriority": _PRIORITY},
    }
    ies: list[Ie] = [
        (0, "MME-UE-S1AP-ID", mme_ue_id),
        (1, "HandoverType", "intralte"),
        (2, "Cause", ("radioNetwork", "unspecified")),
        (66, "UEAggregateMaximumBitrate", _RATES),
        (
            53,
            "E-RABToBeSetupListHOReq",
            [{"id": 27, "criticality": "reject", "value": ("E-RABToBeSetupItemHOReq", bearer)}],
        ),
        (104, "Source-ToTarget-TransparentContainer", container),
        (107, "UESecurityCapabilities", _ALGORITHMS),
        (40, "SecurityContext", _NEXT_HOP),
    ]
    return message("initiatingMessage", 1, "HandoverRequest", ies)


def handover_request_acknowledge(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """HandoverRequestAcknowledge."""
    admitted = {"e-RAB-ID": 5, "transportLayerAddress": (0x7F000066, 32), "gTP-TEID": b"\x00\x00\x00\x08"}
    ies: list[Ie] = [
        *_ids(mme_ue_id, enb_ue_id),
        (18, "E-RABAdmittedList", [{"id": 20, "criticality": "ignore", "value": ("E-RABAdmittedItem", admitted)}]),
        (123, "Target-ToSource-TransparentContainer", b"target"),
    ]
    return message("successfulOutcome", 1, "HandoverRequestAcknowledge", ies)


def handover_failure(mme_ue_id: int) -> bytes:
    """HandoverFailure of the target eNB."""
    ies: list[Ie] = [(0, "MME-UE-S1AP-ID", mme_ue_id), (2, "Cause", ("radioNetwork", "unspecified"))]
    return message("unsuccessfulOutcome", 1, "HandoverFailure", ies)


def handover_cancel(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """HandoverCancel of the source eNB."""
    ies = [*_ids(mme_ue_id, enb_ue_id), (2, "Cause", ("radioNetwork", "handover-cancelled"))]
    return message("initiatingMessage", 4, "HandoverCancel", ies)


def handover_notify(mme_ue_id: int, enb_ue_id: int, place: Place) -> bytes:
    """HandoverNotify of the target eNB."""
    return message("initiatingMessage", 2, "HandoverNotify", [*_ids(mme_ue_id, enb_ue_id), *place.ies])


def release_command(mme_ue_id: int, enb_ue_id: int | None) -> bytes:
    """UEContextReleaseCommand, by both ids or the MME's only."""
    ids: tuple[str, Any] = ("mME-UE-S1AP-ID", mme_ue_id)
    if enb_ue_id is not None:
        ids = ("uE-S1AP-ID-pair", {"mME-UE-S1AP-ID": mme_ue_id, "eNB-UE-S1AP-ID": enb_ue_id})
    ies: list[Ie] = [(99, "UE-S1AP-IDs", ids), (2, "Cause", ("nas", "normal-release"))]
    return message("initiatingMessage", 23, "UEContextReleaseCommand", ies)


def release_complete(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """UEContextReleaseComplete."""
    return message("successfulOutcome", 23, "UEContextReleaseComplete", _ids(mme_ue_id, enb_ue_id))


def reset(connections: Sequence[tuple[int | None, int | None]] | None = None) -> bytes:
    """Reset of the whole interface, or of connections by MME and eNB id."""
    what: tuple[str, Any] = ("s1-Interface", "reset-all")
    if connections is not None:
        items = []
        for mme_ue_id, enb_ue_id in connections:
            ids = {"mME-UE-S1AP-ID": mme_ue_id, "eNB-UE-S1AP-ID": enb_ue_id}
            present = {name: number for name, number in ids.items() if number is not None}
            value = ("UE-associatedLogicalS1-ConnectionItem", present)
            items.append({"id": 91, "criticality": "reject", "value": value})
        what = ("partOfS1-Interface", items)
    return message("initiatingMessage", 14, "Reset", [(2, "Cause", ("misc", "unspecified")), (92, "ResetType", what)])


def uninteresting(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """UECapabilityInfoIndication, which says nothing about who a UE is."""
    ies = [*_ids(mme_ue_id, enb_ue_id), (74, "UERadioCapability", bytes(range(64)))]
    return message("initiatingMessage", 22, "UECapabilityInfoIndication", ies)
