# SPDX-License-Identifier: Apache-2.0
"""What an xApp asks for and what it is told, as values, and their JSON ("RIC subscription" 0.0.4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Octets = bytes | Sequence[int]
"""Octets in the encoding of the E2 service model."""
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SubsequentAction:
    """What follows an action: "continue" or "wait", for a time such as "w10ms"."""

    type: str = "continue"
    time_to_wait: str = "zero"

    def as_json(self) -> Json:
        return {"SubsequentActionType": self.type, "TimeToWait": self.time_to_wait}


@dataclass(frozen=True, slots=True)
class Action:
    """An action at the E2 node. `type`: "report", "insert" or "policy", one for all actions of a detail."""

    id: int
    type: str
    definition: Octets | None = None
    subsequent: SubsequentAction | None = None

    def as_json(self) -> Json:
        view: dict[str, Any] = {"ActionID": self.id, "ActionType": self.type}
        if self.definition is not None:
            view["ActionDefinition"] = list(self.definition)
        if self.subsequent is not None:
            view["SubsequentAction"] = self.subsequent.as_json()
        return view


@dataclass(frozen=True, slots=True)
class Detail:
    """One E2 subscription that is asked for.

    `xapp_event_instance_id`: chosen by the xApp, 0 to 65535, to know the notification by.
    """

    xapp_event_instance_id: int
    event_triggers: Octets
    actions: Sequence[Action]

    def as_json(self) -> Json:
        return {
            "XappEventInstanceId": self.xapp_event_instance_id,
            "EventTriggers": list(self.event_triggers),
            "ActionToBeSetupList": [action.as_json() for action in self.actions],
        }


@dataclass(frozen=True, slots=True)
class Directives:
    """How the E2 node is asked. `timeout`: seconds for its answer to one try, 1 to 10; `retries`: further tries, 0 to
    10.

    None: as the Subscription Manager is configured. `routing`: indications are routed to the xApp.
    """

    timeout: int | None = None
    retries: int | None = None
    routing: bool = True

    def as_json(self) -> Json:
        view: dict[str, Any] = {"RMRRoutingNeeded": self.routing}
        if self.timeout is not None:
            view["E2TimeoutTimerValue"] = self.timeout
        if self.retries is not None:
            view["E2RetryCount"] = self.retries
        return view


@dataclass(frozen=True, slots=True)
class FieldError:
    """A mistake in a request: the path of the field, such as SubscriptionDetails[0].Meid, and what is wrong with it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Instance:
    """How one E2 subscription ended.

    `e2_event_instance_id`: the instance id that indications carry, too; 0 when it failed. `error_source`: SUBMGR,
    RTMGR, DBAAS, ASN1 or E2Node; `timeout_type`: E2-Timeout, RTMGR-Timeout or DBAAS-Timeout; "" when there is none.
    """

    xapp_event_instance_id: int
    e2_event_instance_id: int = 0
    error_cause: str = ""
    error_source: str = ""
    timeout_type: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it is subscribed. `error_cause` may tell of actions that were not admitted."""
        return self.e2_event_instance_id != 0

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed a moment later: somebody was silent, away or could not be reached."""
        return not self.succeeded and bool(
            self.timeout_type
            or self.error_source in ("RTMGR", "DBAAS")
            or self.error_cause.startswith("E2 interface down")
        )


@dataclass(frozen=True, slots=True)
class Notification:
    """What the Subscription Manager posts to an xApp."""

    subscription_id: str
    instances: tuple[Instance, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """One E2 subscription in the list of all. `rest_subscription_ids`: the ids of those who hold it."""

    instance_id: int
    meid: str
    client_endpoints: tuple[str, ...]
    instances: tuple[Instance, ...]
    rest_subscription_ids: tuple[str, ...] = ()


def details_json(details: Iterable[Detail | Json]) -> list[Json]:
    """The SubscriptionDetails of a request. A detail may already have the form of the interface."""
    return [detail.as_json() if isinstance(detail, Detail) else dict(detail) for detail in details]


def number_of(detail: Json) -> int:
    """The XappEventInstanceId of a detail, in whatever letter case it is written; -1 when it has none."""
    for key, value in detail.items():
        if key.replace("_", "").lower() == "xappeventinstanceid" and isinstance(value, int):
            return value
    return -1


def digest(value: object) -> str:
    """Equal for equal requests, also in another process."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]


def notification_of(value: object) -> Notification:
    """The notification in a JSON value. Raises ValueError for what is none."""
    if not isinstance(value, dict) or not isinstance(value.get("SubscriptionId"), str):
        raise ValueError("not an object with a SubscriptionId")
    return Notification(value["SubscriptionId"], instances_of(value.get("SubscriptionInstances")))


def instances_of(value: object) -> tuple[Instance, ...]:
    """The SubscriptionInstances of a JSON value, null counts as none. Raises ValueError for what is no list of them."""
    if value is not None and not isinstance(value, list):
        raise ValueError("SubscriptionInstances is no list")
    return tuple(map(_instance, value or ()))


def listed_of(value: object) -> tuple[Listed, ...]:
    """The list of E2 subscriptions in a JSON value. Raises ValueError for what is none."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError("not a list of subscriptions")
    return tuple(
        Listed(
            _integer(item.get("SubscriptionId")),
            str(item.get("Meid", "")),
            _texts(item.get("ClientEndpoint")),
            instances_of(item.get("SubscriptionInstances")),
            _texts(item.get("RestSubscriptionIds")),
        )
        for item in value
    )


def field_errors(value: object) -> tuple[FieldError, ...]:
    """The field errors in the body of a refusal; what has another form is left out."""
    errors = value.get("errors") if isinstance(value, dict) else None
    return tuple(
        FieldError(str(error.get("field", "")), str(error.get("message", "")))
        for error in (errors if isinstance(errors, list) else ())
        if isinstance(error, dict)
    )


def _instance(value: object) -> Instance:
    if not isinstance(value, dict):
        raise ValueError("an instance is no object")
    return Instance(
        _integer(value.get("XappEventInstanceId")),
        _integer(value.get("E2EventInstanceId", 0)),
        _text(value.get("ErrorCause")),
        _text(value.get("ErrorSource")),
        _text(value.get("TimeoutType")),
    )


def _integer(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 65535:
        raise ValueError("an id is no integer from 0 to 65535")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if value is not None and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        raise ValueError("not a list of texts")
    return tuple(value or ())


def _text(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise ValueError("an error is no text")
    return value or ""
