# SPDX-License-Identifier: Apache-2.0
"""The E2 nodes behind the E2 Termination simulator: the subscriptions they hold, and how they answer."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import Any

from msgspec import Struct, field

from submgr.e2ap.causes import by_name
from submgr.e2ap.messages import (
    Action,
    Cause,
    Message,
    NotAdmitted,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequest,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
)
from submgr.simulators.rules import E2Rule, parse_cause

UNKNOWN_REQUEST = by_name("ricRequest", "request-id-unknown")
NOT_SUPPORTED = by_name("ricRequest", "action-not-supported")


class NodeState(Enum):
    """The state of a node's E2 connection, in the words of R-NIB's channel."""

    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    UNDER_RESET = "UNDER_RESET"


class Held(Struct, frozen=True):
    """A subscription that a node holds."""

    requestor: int
    function: int
    trigger: bytes
    actions: tuple[Action, ...]

    def as_json(self) -> dict[str, Any]:
        """Octets in hexadecimal, enumerations by name."""
        return {
            "requestor": self.requestor,
            "function": self.function,
            "trigger": self.trigger.hex(),
            "actions": [_action_as_json(action) for action in self.actions],
        }


def _action_as_json(action: Action) -> dict[str, Any]:
    subsequent = action.subsequent
    return {
        "id": action.action_id,
        "type": action.action_type.name.lower(),
        "definition": None if action.definition is None else action.definition.hex(),
        "subsequent": None
        if subsequent is None
        else {"type": subsequent.type.name.lower(), "time_to_wait": subsequent.time_to_wait.name.lower()},
    }


class E2Node(Struct):
    """One E2 node. `running` counts requests taken and not yet answered, by instance id."""

    name: str
    state: NodeState = NodeState.CONNECTED
    subscriptions: dict[int, Held] = field(default_factory=dict)
    running: Counter[int] = field(default_factory=Counter)
    max_running: int = 0
    handled: int = 0
    """Requests the node has seen."""
    epoch: int = 0
    """Counts losses of the E2 connection. An answer that was begun in an earlier epoch is never sent."""

    def begin(self, instance: int) -> None:
        """The node begins to work on a request for this instance."""
        self.running[instance] += 1
        self.max_running = max(self.max_running, len(self.running))

    def end(self, instance: int) -> None:
        """The node has answered a request for this instance."""
        self.running[instance] -= 1
        if self.running[instance] <= 0:
            del self.running[instance]

    def lose_all(self) -> None:
        """The E2 connection was lost or reset: the node forgets its subscriptions."""
        self.epoch += 1
        self.subscriptions.clear()
        self.running.clear()

    def subscribe(self, request: SubscriptionRequest, rule: E2Rule | None) -> Message:
        """Sets the subscription up as far as the rule allows. A subscription with the same instance id is replaced."""
        self.handled += 1
        ids = (request.request_id, request.ran_function_id)
        if rule is not None and rule.refuse is not None:
            cause = parse_cause(rule.refuse, 1 if rule.refuse_by_list else 2)
            return SubscriptionFailure(*ids, *_reasons(request, cause, rule.refuse_by_list))
        refused = () if rule is None else rule.not_admitted
        admitted = tuple(action for action in request.actions if action.action_id not in refused)
        if not admitted:
            return SubscriptionFailure(*ids, NOT_SUPPORTED)
        self.subscriptions[request.request_id.instance] = Held(
            request.request_id.requestor, request.ran_function_id, request.event_trigger, admitted
        )
        return SubscriptionResponse(
            *ids,
            tuple(action.action_id for action in admitted),
            tuple(
                NotAdmitted(action.action_id, NOT_SUPPORTED)
                for action in request.actions
                if action.action_id in refused
            ),
        )

    def delete(self, request: SubscriptionDeleteRequest, rule: E2Rule | None) -> Message:
        """Removes the subscription, or refuses when the node does not hold it (E2AP 8.2.2.3)."""
        self.handled += 1
        ids = (request.request_id, request.ran_function_id)
        if rule is not None and rule.refuse is not None:
            return SubscriptionDeleteFailure(*ids, parse_cause(rule.refuse))
        if self.subscriptions.pop(request.request_id.instance, None) is None:
            return SubscriptionDeleteFailure(*ids, UNKNOWN_REQUEST)
        return SubscriptionDeleteResponse(*ids)

    def as_json(self) -> dict[str, Any]:
        """The node's state and subscriptions as JSON values."""
        return {
            "state": self.state.value,
            "subscriptions": {str(key): held.as_json() for key, held in sorted(self.subscriptions.items())},
            "running": len(self.running),
            "max_running": self.max_running,
            "handled": self.handled,
        }


class Workload:
    """How many requests the nodes behind one E2 Termination work on at once."""

    def __init__(self) -> None:
        self.max_running = 0
        """The most requests at once, over all nodes."""
        self.max_busy_nodes = 0
        """The most nodes that worked on requests at once."""
        self._running: Counter[str] = Counter()

    @property
    def running(self) -> int:
        """Requests being worked on now."""
        return self._running.total()

    def begin(self, node: E2Node, instance: int) -> None:
        """The node begins to work on a request for this instance."""
        node.begin(instance)
        self._running[node.name] = len(node.running)
        self.max_running = max(self.max_running, self.running)
        self.max_busy_nodes = max(self.max_busy_nodes, len(self._running))

    def end(self, node: E2Node, instance: int) -> None:
        """The node has answered a request for this instance."""
        node.end(instance)
        self._running[node.name] = len(node.running)
        if not node.running:
            del self._running[node.name]

    def forget(self, node: E2Node) -> None:
        """The node lost its E2 connection, and with it what it was working on."""
        node.lose_all()
        del self._running[node.name]


def _reasons(request: SubscriptionRequest, cause: Cause, by_list: bool) -> tuple[Cause | None, tuple[NotAdmitted, ...]]:
    if not by_list:
        return cause, ()
    return None, tuple(NotAdmitted(action.action_id, cause) for action in request.actions)
