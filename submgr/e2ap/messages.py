# SPDX-License-Identifier: Apache-2.0
"""The seven E2AP messages of the Subscription Manager as plain values. `submgr.e2ap.codec` has their form on the wire.

O-RAN.WG3.E2AP, clauses 8.2 and 9.1.
"""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct


class ActionType(IntEnum):
    """RICactionType, with the numbers of the ASN.1 (E2AP 9.2.11)."""

    REPORT = 0
    INSERT = 1
    POLICY = 2


class SubsequentActionType(IntEnum):
    """RICsubsequentActionType (E2AP 9.2.13)."""

    CONTINUE = 0
    WAIT = 1


class TimeToWait(IntEnum):
    """How long a node waits before it goes on; names and numbers as in the REST interface and in the database.

    The enumeration of the ASN.1 has no `zero` and starts with w1ms = 0. `zero` is sent as w1ms, every other name as
    itself (E2AP, RICtimeToWait).
    """

    ZERO = 0
    W1MS = 1
    W2MS = 2
    W5MS = 3
    W10MS = 4
    W20MS = 5
    W30MS = 6
    W40MS = 7
    W50MS = 8
    W100MS = 9
    W200MS = 10
    W500MS = 11
    W1S = 12
    W2S = 13
    W5S = 14
    W10S = 15
    W20S = 16
    W60S = 17


class SubsequentAction(Struct, frozen=True):
    """What the node does after an action (E2AP, RICsubsequentAction)."""

    type: SubsequentActionType
    time_to_wait: TimeToWait


class Action(Struct, frozen=True):
    """One RIC action to be set up: id 0..255; definition in the encoding of the service model, None when absent."""

    action_id: int
    action_type: ActionType
    definition: bytes | None = None
    subsequent: SubsequentAction | None = None


class RequestId(Struct, frozen=True):
    """RICrequestID: requestor 0..65535, instance 0..65535 (E2AP 9.2.7)."""

    requestor: int
    instance: int


class Cause(Struct, frozen=True):
    """E2AP Cause (9.2.1): `group` counts the CHOICE from 1 (ricRequest = 1), `value` the ENUMERATED from 0.

    `release`: 2 for the numbers of E2AP 2.00 and later, 1 for those of E2AP 1.x, which has other groups. The database
    keeps numbers of release 2 (`{"Content": group, "Value": value}`). `submgr.e2ap.causes.describe` gives the words.
    """

    group: int
    value: int
    release: int = 2


class NotAdmitted(Struct, frozen=True):
    """An action that the E2 node did not set up, and why."""

    action_id: int
    cause: Cause


class SubscriptionRequest(Struct, frozen=True):
    """RIC SUBSCRIPTION REQUEST (9.1.1.1)."""

    request_id: RequestId
    ran_function_id: int
    event_trigger: bytes
    actions: tuple[Action, ...]


class SubscriptionResponse(Struct, frozen=True):
    """RIC SUBSCRIPTION RESPONSE (9.1.1.2)."""

    request_id: RequestId
    ran_function_id: int
    admitted: tuple[int, ...]
    not_admitted: tuple[NotAdmitted, ...] = ()


class SubscriptionFailure(Struct, frozen=True):
    """RIC SUBSCRIPTION FAILURE (9.1.1.3). Nodes of E2AP 1.x send a list of refused actions instead of one cause."""

    request_id: RequestId
    ran_function_id: int
    cause: Cause | None
    not_admitted: tuple[NotAdmitted, ...] = ()


class SubscriptionDeleteRequest(Struct, frozen=True):
    """RIC SUBSCRIPTION DELETE REQUEST (9.1.1.4)."""

    request_id: RequestId
    ran_function_id: int


class SubscriptionDeleteResponse(Struct, frozen=True):
    """RIC SUBSCRIPTION DELETE RESPONSE (9.1.1.5)."""

    request_id: RequestId
    ran_function_id: int


class SubscriptionDeleteFailure(Struct, frozen=True):
    """RIC SUBSCRIPTION DELETE FAILURE (9.1.1.6)."""

    request_id: RequestId
    ran_function_id: int
    cause: Cause | None


class SubscriptionToRemove(Struct, frozen=True):
    """One item of a RIC SUBSCRIPTION DELETE REQUIRED."""

    request_id: RequestId
    ran_function_id: int
    cause: Cause


class SubscriptionDeleteRequired(Struct, frozen=True):
    """RIC SUBSCRIPTION DELETE REQUIRED (9.1.1.7): the E2 node asks the RIC to delete these."""

    items: tuple[SubscriptionToRemove, ...]
    unreadable: int = 0
    """Items of its list that could not be read."""


Message = (
    SubscriptionRequest
    | SubscriptionResponse
    | SubscriptionFailure
    | SubscriptionDeleteRequest
    | SubscriptionDeleteResponse
    | SubscriptionDeleteFailure
    | SubscriptionDeleteRequired
)
