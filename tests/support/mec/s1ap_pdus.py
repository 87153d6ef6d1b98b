# SPDX-License-Identifier: Apache-2.0
"""S1AP PDUs beside those of `mec.controller.recordings.pdus`. Each function is one PDU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mec.controller.recordings.pdus import ALGORITHMS, HOME, PRIORITY, RATES, Ie, Place, bearer_item, message, ue_ids

_NEXT_HOP = {"nextHopChainingCount": 1, "nextHopParameter": (1, 256)}


def bearer_setup(mme_ue_id: int, enb_ue_id: int, bearers: Mapping[int, bytes]) -> bytes:
    """E-RABSetupRequest."""
    items = [bearer_item(17, "E-RABToBeSetupItemBearerSUReq", number, nas) for number, nas in bearers.items()]
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (16, "E-RABToBeSetupListBearerSUReq", items)]
    return message("initiatingMessage", 5, "E-RABSetupRequest", ies)


def bearer_release(mme_ue_id: int, enb_ue_id: int, bearers: Sequence[int]) -> bytes:
    """E-RABReleaseCommand."""
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (33, "E-RABList", _bearers(bearers))]
    return message("initiatingMessage", 7, "E-RABReleaseCommand", ies)


def bearer_release_indication(mme_ue_id: int, enb_ue_id: int, bearers: Sequence[int]) -> bytes:
    """E-RABReleaseIndication."""
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (110, "E-RABList", _bearers(bearers))]
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
        (107, "UESecurityCapabilities", ALGORITHMS),
    ]
    return message("initiatingMessage", 3, "PathSwitchRequest", ies)


def path_switch_acknowledge(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """PathSwitchRequestAcknowledge."""
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (40, "SecurityContext", _NEXT_HOP)]
    return message("successfulOutcome", 3, "PathSwitchRequestAcknowledge", ies)


def handover_required(mme_ue_id: int, enb_ue_id: int, container: bytes) -> bytes:
    """HandoverRequired."""
    target = {
        "global-ENB-ID": {"pLMNidentity": HOME.plmn, "eNB-ID": ("macroENB-ID", (2, 20))},
        "selected-TAI": {"pLMNidentity": HOME.plmn, "tAC": b"\x00\x02"},
    }
    ies: list[Ie] = [
        *ue_ids(mme_ue_id, enb_ue_id),
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
        "e-RABlevelQosParameters": {"qCI": 9, "allocationRetentionPriority": PRIORITY},
    }
    ies: list[Ie] = [
        (0, "MME-UE-S1AP-ID", mme_ue_id),
        (1, "HandoverType", "intralte"),
        (2, "Cause", ("radioNetwork", "unspecified")),
        (66, "UEAggregateMaximumBitrate", RATES),
        (
            53,
            "E-RABToBeSetupListHOReq",
            [{"id": 27, "criticality": "reject", "value": ("E-RABToBeSetupItemHOReq", bearer)}],
        ),
        (104, "Source-ToTarget-TransparentContainer", container),
        (107, "UESecurityCapabilities", ALGORITHMS),
        (40, "SecurityContext", _NEXT_HOP),
    ]
    return message("initiatingMessage", 1, "HandoverRequest", ies)


def handover_request_acknowledge(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """HandoverRequestAcknowledge."""
    admitted = {"e-RAB-ID": 5, "transportLayerAddress": (0x7F000066, 32), "gTP-TEID": b"\x00\x00\x00\x08"}
    ies: list[Ie] = [
        *ue_ids(mme_ue_id, enb_ue_id),
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
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (2, "Cause", ("radioNetwork", "handover-cancelled"))]
    return message("initiatingMessage", 4, "HandoverCancel", ies)


def handover_notify(mme_ue_id: int, enb_ue_id: int, place: Place) -> bytes:
    """HandoverNotify of the target eNB."""
    return message("initiatingMessage", 2, "HandoverNotify", [*ue_ids(mme_ue_id, enb_ue_id), *place.ies])


def release_command(mme_ue_id: int, enb_ue_id: int | None) -> bytes:
    """UEContextReleaseCommand, by both ids or the MME's only."""
    ids: tuple[str, Any] = ("mME-UE-S1AP-ID", mme_ue_id)
    if enb_ue_id is not None:
        ids = ("uE-S1AP-ID-pair", {"mME-UE-S1AP-ID": mme_ue_id, "eNB-UE-S1AP-ID": enb_ue_id})
    ies: list[Ie] = [(99, "UE-S1AP-IDs", ids), (2, "Cause", ("nas", "normal-release"))]
    return message("initiatingMessage", 23, "UEContextReleaseCommand", ies)


def release_complete(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """UEContextReleaseComplete."""
    return message("successfulOutcome", 23, "UEContextReleaseComplete", ue_ids(mme_ue_id, enb_ue_id))


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
