# SPDX-License-Identifier: Apache-2.0
"""Encodes made-up S1AP PDUs with pycrate, to try the controller and to measure it. Each function is one PDU."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mec.controller.protocol.s1ap_ies import encode

Ie = tuple[int, str, Any]

PRIORITY = {
    "priorityLevel": 15,
    "pre-emptionCapability": "shall-not-trigger-pre-emption",
    "pre-emptionVulnerability": "not-pre-emptable",
}
RATES = {"uEaggregateMaximumBitRateDL": 100_000_000, "uEaggregateMaximumBitRateUL": 50_000_000}
ALGORITHMS = {"encryptionAlgorithms": (0xC000, 16), "integrityProtectionAlgorithms": (0xC000, 16)}


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


def ue_ids(mme_ue_id: int, enb_ue_id: int) -> list[Ie]:
    """The two IEs that name a UE."""
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
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (26, "NAS-PDU", nas), *place.ies]
    return message("initiatingMessage", 13, "UplinkNASTransport", ies)


def downlink(mme_ue_id: int, enb_ue_id: int, nas: bytes) -> bytes:
    """DownlinkNASTransport."""
    return message(
        "initiatingMessage", 11, "DownlinkNASTransport", [*ue_ids(mme_ue_id, enb_ue_id), (26, "NAS-PDU", nas)]
    )


def context_setup(mme_ue_id: int, enb_ue_id: int, bearers: Mapping[int, bytes | None]) -> bytes:
    """InitialContextSetupRequest with a NAS PDU per E-RAB id."""
    items = [bearer_item(52, "E-RABToBeSetupItemCtxtSUReq", number, nas) for number, nas in bearers.items()]
    ies: list[Ie] = [
        *ue_ids(mme_ue_id, enb_ue_id),
        (66, "UEAggregateMaximumBitrate", RATES),
        (24, "E-RABToBeSetupListCtxtSUReq", items),
        (107, "UESecurityCapabilities", ALGORITHMS),
        (73, "SecurityKey", (1, 256)),
    ]
    return message("initiatingMessage", 9, "InitialContextSetupRequest", ies)


def bearer_item(number: int, name: str, e_rab: int, nas: bytes | None) -> dict[str, Any]:
    """An item of a list of E-RABs to be set up, by the IE id and type name of the item."""
    content: dict[str, Any] = {
        "e-RAB-ID": e_rab,
        "e-RABlevelQoSParameters": {"qCI": 9, "allocationRetentionPriority": PRIORITY},
        "transportLayerAddress": (0x7F000064, 32),
        "gTP-TEID": e_rab.to_bytes(4, "big"),
    }
    if nas is not None:
        content["nAS-PDU"] = nas
    return {"id": number, "criticality": "reject", "value": (name, content)}


def uninteresting(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """UECapabilityInfoIndication, which says nothing about who a UE is."""
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (74, "UERadioCapability", bytes(range(64)))]
    return message("initiatingMessage", 22, "UECapabilityInfoIndication", ies)
