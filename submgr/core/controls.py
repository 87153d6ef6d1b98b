# SPDX-License-Identifier: Apache-2.0
"""The settings that the core obeys. New procedures see new values; running ones keep those they started with."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct, field


class OnE2Loss(StrEnum):
    """What becomes of the established subscriptions of a node whose E2 connection is lost or reset."""

    DROP = "drop"
    """Their routes and records go, nobody is told."""
    NOTIFY = "notify"
    """The same, and each holder is told."""
    RESTORE = "restore"
    """They stay, and are subscribed anew when the node is connected again."""


class Controls(Struct, frozen=True):
    """Timeouts and delays in seconds; `tries` is the number of sends.

    `max_ongoing`: procedures at a time at one E2 node. `restore_delay`: from the return of an E2 node to the first
    request that it has not asked for. `merge`, `merge_by_function`: whether equal REPORT subscriptions of several
    xApps are merged, and the exceptions by RAN function id. `silent_nodes`: patterns (`*`, `?`) of Meids whose deletes
    hold the node's slot only until they are sent. `tell_loss`: an xApp is told when a Delete Required or the policy
    `drop` takes its subscription. `unconfirmed_route_after`: how long a route removal that the Routing Manager answers
    with 204 (nothing removed) is repeated. `route_timeout`: more than a route call ever takes.
    """

    subscribe_timeout: float = 2.0
    subscribe_tries: int = 2
    delete_timeout: float = 2.0
    delete_tries: int = 2
    requestor_id: int = 123
    max_ongoing: int = 1
    on_e2_loss: OnE2Loss = OnE2Loss.DROP
    restore_delay: float = 0.0
    merge: bool = True
    merge_by_function: Mapping[int, bool] = field(default_factory=dict)
    silent_nodes: tuple[str, ...] = ()
    tell_loss: bool = False
    unconfirmed_route_after: float = 86_400.0
    route_timeout: float = 4.0

    def merges(self, ran_function_id: int) -> bool:
        """Are equal REPORT subscriptions to this RAN function merged?"""
        return self.merge_by_function.get(ran_function_id, self.merge)

    def delete_waits_for_answer(self, meid: str) -> bool:
        """Does a delete at this E2 node hold the node's slot until it is answered?"""
        return not any(fnmatchcase(meid, pattern) for pattern in self.silent_nodes)
