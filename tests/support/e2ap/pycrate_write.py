# SPDX-License-Identifier: Apache-2.0
"""The seven messages as trees of ASN.1 names and values, which pycrate encodes. pycrate checks the ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from submgr.e2ap.aper_causes import write_refused
from submgr.e2ap.causes import GROUPS
from submgr.e2ap.errors import EncodeError
from submgr.e2ap.messages import (
    Action,
    Cause,
    Message,
    NotAdmitted,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequest,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
    TimeToWait,
)
from support.e2ap import pycrate_read

Tree = tuple[str, dict[str, Any]]
Element = dict[str, Any]

UNKNOWN = "_unk_004"
"""What pycrate calls the open type of an element that its ASN.1 does not have in this place."""


def to_tree(message: Message) -> Tree:
    """The PDU of a message as a tree.

    Raises:
        EncodeError: a failure without a cause, or a cause of no known group.
    """
    match message:
        case SubscriptionRequest():
            return _pdu("initiatingMessage", 8, "RICsubscriptionRequest", [*_ids(message), _details(message)])
        case SubscriptionResponse():
            elements = [*_ids(message), _admitted(message)]
            if message.not_admitted:
                elements.append(
                    _element(pycrate_read.NOT_ADMITTED_LIST, "reject", "RICaction-NotAdmitted-List", _refused(message))
                )
            return _pdu("successfulOutcome", 8, "RICsubscriptionResponse", elements)
        case SubscriptionFailure():
            return _pdu("unsuccessfulOutcome", 8, "RICsubscriptionFailure", _failure(message))
        case SubscriptionDeleteRequest():
            return _pdu("initiatingMessage", 9, "RICsubscriptionDeleteRequest", _ids(message))
        case SubscriptionDeleteResponse():
            return _pdu("successfulOutcome", 9, "RICsubscriptionDeleteResponse", _ids(message))
        case SubscriptionDeleteFailure():
            if message.cause is None:
                raise EncodeError("RICsubscriptionDeleteFailure without a cause")
            elements = [*_ids(message), _element(pycrate_read.CAUSE, "ignore", "Cause", _cause(message.cause))]
            return _pdu("unsuccessfulOutcome", 9, "RICsubscriptionDeleteFailure", elements)
        case SubscriptionDeleteRequired():
            return _pdu("initiatingMessage", 12, "RICsubscriptionDeleteRequired", [_removed(message)], "ignore")


def _pdu(place: str, code: int, name: str, elements: list[Element], criticality: str = "reject") -> Tree:
    value = (name, {"protocolIEs": elements})
    return place, {"procedureCode": code, "criticality": criticality, "value": value}


def _element(element_id: int, criticality: str, name: str, value: Any) -> Element:
    return {"id": element_id, "criticality": criticality, "value": (name, value)}


def _request_id(request_id: RequestId) -> dict[str, int]:
    return {"ricRequestorID": request_id.requestor, "ricInstanceID": request_id.instance}


def _ids(message: Any) -> list[Element]:
    return [
        _element(pycrate_read.REQUEST_ID, "reject", "RICrequestID", _request_id(message.request_id)),
        _element(pycrate_read.FUNCTION_ID, "reject", "RANfunctionID", message.ran_function_id),
    ]


def _details(message: SubscriptionRequest) -> Element:
    actions = [_element(19, "ignore", "RICaction-ToBeSetup-Item", _action(action)) for action in message.actions]
    details = {"ricEventTriggerDefinition": message.event_trigger, "ricAction-ToBeSetup-List": actions}
    return _element(pycrate_read.DETAILS, "reject", "RICsubscriptionDetails", details)


def _action(action: Action) -> dict[str, Any]:
    value: dict[str, Any] = {
        "ricActionID": action.action_id,
        "ricActionType": action.action_type.name.lower(),
    }
    if action.definition is not None:
        value["ricActionDefinition"] = action.definition
    if action.subsequent is not None:
        # The ASN.1 has no zero: its shortest wait stands for it.
        wait = action.subsequent.time_to_wait or TimeToWait.W1MS
        value["ricSubsequentAction"] = {
            "ricSubsequentActionType": action.subsequent.type.name.lower(),
            "ricTimeToWait": wait.name.lower(),
        }
    return value


def _admitted(message: SubscriptionResponse) -> Element:
    items = [
        _element(14, "ignore", "RICaction-Admitted-Item", {"ricActionID": action_id}) for action_id in message.admitted
    ]
    return _element(pycrate_read.ADMITTED_LIST, "reject", "RICaction-Admitted-List", items)


def _refused(message: SubscriptionResponse | SubscriptionFailure) -> list[Element]:
    return [_not_admitted(item) for item in message.not_admitted]


def _not_admitted(item: NotAdmitted) -> Element:
    value = {"ricActionID": item.action_id, "cause": _cause(item.cause)}
    return _element(16, "ignore", "RICaction-NotAdmitted-Item", value)


def _failure(message: SubscriptionFailure) -> list[Element]:
    elements = _ids(message)
    if message.not_admitted:
        # E2AP 1.x, which pycrate's ASN.1 does not know in this place: the list goes in as octets
        refused = write_refused(message.not_admitted)
        elements.append(_element(pycrate_read.NOT_ADMITTED_LIST, "reject", UNKNOWN, refused))
    if message.cause is not None:
        elements.append(_element(pycrate_read.CAUSE, "reject", "Cause", _cause(message.cause)))
    if len(elements) == 2:
        raise EncodeError("RICsubscriptionFailure without a cause or a list of actions")
    return elements


def _removed(message: SubscriptionDeleteRequired) -> Element:
    items: Sequence[Element] = [
        _element(
            pycrate_read.REMOVED_ITEM,
            "ignore",
            "RICsubscription-withCause-Item",
            {
                "ricRequestID": _request_id(item.request_id),
                "ranFunctionID": item.ran_function_id,
                "cause": _cause(item.cause),
            },
        )
        for item in message.items
    ]
    return _element(pycrate_read.REMOVED_LIST, "ignore", "RICsubscription-List-withCause", items)


def _cause(cause: Cause) -> tuple[str, str]:
    if cause.release != 2 or cause.group not in GROUPS or cause.value < 0:
        raise EncodeError(f"Cause: group {cause.group}, value {cause.value} is not in the ASN.1")
    group, root, extension = GROUPS[cause.group]
    names = root + extension
    if cause.value < len(names):
        return group, names[cause.value]
    return group, f"{pycrate_read.UNKNOWN_EXTENSION}{cause.value - len(root)}"
