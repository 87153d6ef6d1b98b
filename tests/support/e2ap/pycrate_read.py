# SPDX-License-Identifier: Apache-2.0
"""Reads the seven messages from trees of ASN.1 names and values, which pycrate decodes octets to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from submgr.e2ap.causes import GROUPS
from submgr.e2ap.errors import DecodeError
from submgr.e2ap.messages import (
    Action,
    ActionType,
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
    SubscriptionToRemove,
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)

# Ids of information elements (E2AP 9.3.7).
CAUSE = 1
DIAGNOSTICS = 2
FUNCTION_ID = 5
ADMITTED_LIST = 17
NOT_ADMITTED_LIST = 18
REQUEST_ID = 29
DETAILS = 30
REMOVED_LIST = 60
REMOVED_ITEM = 61
START_TIME = 62
END_TIME = 63

# (place in the CHOICE, procedure code) -> elements in their order, and whether one must be there. A failure's
# list of refused actions is E2AP 1.x; later releases have a cause in its place: neither is insisted on, since
# a refusal without a reason is still a refusal. Times are an extension that nobody has asked for yet.
ELEMENTS: dict[tuple[str, int], dict[int, bool]] = {
    ("initiatingMessage", 8): {
        REQUEST_ID: True,
        FUNCTION_ID: True,
        DETAILS: True,
        START_TIME: False,
        END_TIME: False,
    },
    ("successfulOutcome", 8): {
        REQUEST_ID: True,
        FUNCTION_ID: True,
        ADMITTED_LIST: True,
        NOT_ADMITTED_LIST: False,
    },
    ("unsuccessfulOutcome", 8): {
        REQUEST_ID: True,
        FUNCTION_ID: True,
        NOT_ADMITTED_LIST: False,
        CAUSE: False,
        DIAGNOSTICS: False,
    },
    ("initiatingMessage", 9): {REQUEST_ID: True, FUNCTION_ID: True},
    ("successfulOutcome", 9): {REQUEST_ID: True, FUNCTION_ID: True},
    ("unsuccessfulOutcome", 9): {
        REQUEST_ID: True,
        FUNCTION_ID: True,
        CAUSE: False,
        DIAGNOSTICS: False,
    },
    ("initiatingMessage", 12): {REMOVED_LIST: True},
}

# What pycrate makes of an ENUMERATED or CHOICE value after the extension mark that it has no name for.
UNKNOWN_EXTENSION = "_ext_"


def from_elements(kind: tuple[str, int], elements: Mapping[int, Any]) -> Message:
    """The message with these element values (id -> value).

    Raises:
        DecodeError: a mandatory element is missing, or a value is not known here.
    """
    for element, mandatory in ELEMENTS[kind].items():
        if mandatory and element not in elements:
            raise DecodeError(f"mandatory information element {element} is missing")
    return _BUILDERS[kind](elements)


def _ids(elements: Mapping[int, Any]) -> tuple[RequestId, int]:
    return _request_id(elements[REQUEST_ID]), elements[FUNCTION_ID]


def _request_id(value: Mapping[str, int]) -> RequestId:
    return RequestId(value["ricRequestorID"], value["ricInstanceID"])


def _subscription_request(elements: Mapping[int, Any]) -> Message:
    details = elements[DETAILS]
    actions = tuple(_action(item) for item in items_of(details["ricAction-ToBeSetup-List"], 19))
    return SubscriptionRequest(*_ids(elements), details["ricEventTriggerDefinition"], actions)


def _action(value: Mapping[str, Any]) -> Action:
    subsequent = value.get("ricSubsequentAction")
    return Action(
        value["ricActionID"],
        _named(ActionType, value["ricActionType"]),
        value.get("ricActionDefinition"),
        subsequent
        and SubsequentAction(
            _named(SubsequentActionType, subsequent["ricSubsequentActionType"]),
            _named(TimeToWait, subsequent["ricTimeToWait"]),
        ),
    )


def _named(names: Any, value: str) -> Any:
    try:
        return names[value.upper()]
    except KeyError:
        raise DecodeError(f"{names.__name__}: {value} is not known here") from None


def items_of(value: Any, item_id: int) -> list[Any]:
    """Values of the items of a list. Raises DecodeError for an item with another id."""
    for item in value:
        if item["id"] != item_id:
            raise DecodeError(f"item {item['id']} in a list of items {item_id}")
    return [item["value"][1] for item in value]


def _subscription_response(elements: Mapping[int, Any]) -> Message:
    admitted = tuple(item["ricActionID"] for item in items_of(elements[ADMITTED_LIST], 14))
    return SubscriptionResponse(*_ids(elements), admitted, _refused(elements))


def _refused(elements: Mapping[int, Any]) -> tuple[NotAdmitted, ...]:
    items = items_of(elements.get(NOT_ADMITTED_LIST, ()), 16)
    return tuple(NotAdmitted(item["ricActionID"], cause(item["cause"])) for item in items)


def _subscription_failure(elements: Mapping[int, Any]) -> Message:
    # the list of E2AP 1.x has been decoded already, with the causes of that release
    return SubscriptionFailure(*_ids(elements), _optional_cause(elements), elements.get(NOT_ADMITTED_LIST, ()))


def _delete_failure(elements: Mapping[int, Any]) -> Message:
    return SubscriptionDeleteFailure(*_ids(elements), _optional_cause(elements))


def _optional_cause(elements: Mapping[int, Any]) -> Cause | None:
    return cause(elements[CAUSE]) if CAUSE in elements else None


def _delete_required(elements: Mapping[int, Any]) -> Message:
    return SubscriptionDeleteRequired(
        tuple(
            SubscriptionToRemove(_request_id(item["ricRequestID"]), item["ranFunctionID"], cause(item["cause"]))
            for item in items_of(elements[REMOVED_LIST], REMOVED_ITEM)
        )
    )


_BUILDERS: dict[tuple[str, int], Callable[[Mapping[int, Any]], Message]] = {
    ("initiatingMessage", 8): _subscription_request,
    ("successfulOutcome", 8): _subscription_response,
    ("unsuccessfulOutcome", 8): _subscription_failure,
    ("initiatingMessage", 9): lambda elements: SubscriptionDeleteRequest(*_ids(elements)),
    ("successfulOutcome", 9): lambda elements: SubscriptionDeleteResponse(*_ids(elements)),
    ("unsuccessfulOutcome", 9): _delete_failure,
    ("initiatingMessage", 12): _delete_required,
}


def cause(value: tuple[str, Any]) -> Cause:
    """The numbers of a cause. Of a group from a later release only the group's number is known; the value is 0."""
    name, content = value
    for group, (known, root, extension) in GROUPS.items():
        if name == known:
            if content.startswith(UNKNOWN_EXTENSION):
                return Cause(group, len(root) + int(content.removeprefix(UNKNOWN_EXTENSION)))
            return Cause(group, (root + extension).index(content))
    return Cause(len(GROUPS) + 1 + int(name.removeprefix(UNKNOWN_EXTENSION)), 0)
