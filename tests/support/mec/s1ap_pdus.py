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


def bearer_setup_response(mme_ue_id: int, enb_ue_id: int, failed: Sequence[int]) -> bytes:
    """E-RABSetupResponse of an eNB that could not set up these bearers."""
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (29, "E-RABList", _bearers(failed))]
    return message("successfulOutcome", 5, "E-RABSetupResponse", ies)


def bearer_modification_confirm(mme_ue_id: int, enb_ue_id: int, released: Sequence[int]) -> bytes:
    """E-RABModificationConfirm of an MME that releases these bearers."""
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (210, "E-RABList", _bearers(released))]
    return message("successfulOutcome", 50, "E-RABModificationConfirm", ies)


def context_setup_response(mme_ue_id: int, enb_ue_id: int, failed: Sequence[int]) -> bytes:
    """InitialContextSetupResponse of an eNB that could not set up some bearers."""
    item = {"e-RAB-ID": 5, "transportLayerAddress": (0x7F000065, 32), "gTP-TEID": b"\x00\x00\x00\x07"}
    done = [{"id": 50, "criticality": "ignore", "value": ("E-RABSetupItemCtxtSURes", item)}]
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (51, "E-RABSetupListCtxtSURes", done), (48, "E-RABList", _bearers(failed))]
    return message("successfulOutcome", 9, "InitialContextSetupResponse", ies)


def context_setup_failure(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """InitialContextSetupFailure."""
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (2, "Cause", ("radioNetwork", "unspecified"))]
    return message("unsuccessfulOutcome", 9, "InitialContextSetupFailure", ies)


def path_switch_failure(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """PathSwitchRequestFailure."""
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (2, "Cause", ("radioNetwork", "unspecified"))]
    return message("unsuccessfulOutcome", 3, "PathSwitchRequestFailure", ies)


def handover_preparation_failure(mme_ue_id: int, enb_ue_id: int) -> bytes:
    """HandoverPreparationFailure of the MME."""
    ies = [*ue_ids(mme_ue_id, enb_ue_id), (2, "Cause", ("radioNetwork", "unspecified"))]
    return message("unsuccessfulOutcome", 0, "HandoverPreparationFailure", ies)


def mme_configuration_update(*gummeis: bytes) -> bytes:
    """MMEConfigurationUpdate with the GUMMEIs (6 octets) that the MME serves from now on."""
    served = [{"servedPLMNs": [each[:3]], "servedGroupIDs": [each[3:5]], "servedMMECs": [each[5:]]} for each in gummeis]
    return message("initiatingMessage", 30, "MMEConfigurationUpdate", [(105, "ServedGUMMEIs", served)])


def path_switch(source_mme_ue_id: int, enb_ue_id: int, place: Place, bearers: Sequence[int] = (5,)) -> bytes:
    """PathSwitchRequest of an eNB that has these bearers."""
    switched = [
        {
            "id": 23,
            "criticality": "reject",
            "value": (
                "E-RABToBeSwitchedDLItem",
                {"e-RAB-ID": bearer, "transportLayerAddress": (0x7F000065, 32), "gTP-TEID": b"\x00\x00\x00\x07"},
            ),
        }
        for bearer in bearers
    ]
    ies: list[Ie] = [
        (8, "ENB-UE-S1AP-ID", enb_ue_id),
        (22, "E-RABToBeSwitchedDLList", switched),
        (88, "MME-UE-S1AP-ID", source_mme_ue_id),
        *place.ies,
        (107, "UESecurityCapabilities", ALGORITHMS),
    ]
    return message("initiatingMessage", 3, "PathSwitchRequest", ies)


def path_switch_acknowledge(mme_ue_id: int, enb_ue_id: int, released: Sequence[int] = ()) -> bytes:
    """PathSwitchRequestAcknowledge of an MME that releases these bearers."""
    ies: list[Ie] = [*ue_ids(mme_ue_id, enb_ue_id)]
    if released:
        ies.append((33, "E-RABList", _bearers(released)))
    ies.append((40, "SecurityContext", _NEXT_HOP))
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


def handover_request_acknowledge(mme_ue_id: int, enb_ue_id: int, failed: Sequence[int] = ()) -> bytes:
    """HandoverRequestAcknowledge of a target eNB that does not take these bearers."""
    cause = ("radioNetwork", "unspecified")
    refused = [
        {"id": 21, "criticality": "ignore",
         "value": ("E-RABFailedToSetupItemHOReqAck", {"e-RAB-ID": bearer, "cause": cause})}
        for bearer in failed
    ]  # fmt: skip
    admitted = {"e-RAB-ID": 5, "transportLayerAddress": (0x7F000066, 32), "gTP-TEID": b"\x00\x00\x00\x08"}
    ies: list[Ie] = [
        *ue_ids(mme_ue_id, enb_ue_id),
        (18, "E-RABAdmittedList", [{"id": 20, "criticality": "ignore", "value": ("E-RABAdmittedItem", admitted)}]),
        *([(19, "E-RABFailedtoSetupListHOReqAck", refused)] if refused else []),
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


def release_command(mme_ue_id: int, enb_ue_id: int | None, cause: str = "normal-release") -> bytes:
    """UEContextReleaseCommand with a NAS cause, by both ids or the MME's only."""
    ids: tuple[str, Any] = ("mME-UE-S1AP-ID", mme_ue_id)
    if enb_ue_id is not None:
        ids = ("uE-S1AP-ID-pair", {"mME-UE-S1AP-ID": mme_ue_id, "eNB-UE-S1AP-ID": enb_ue_id})
    ies: list[Ie] = [(99, "UE-S1AP-IDs", ids), (2, "Cause", ("nas", cause))]
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
