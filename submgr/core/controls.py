# SPDX-License-Identifier: Apache-2.0
"""The settings that the core obeys. New procedures see new values; running ones keep those they started with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OnE2Loss(StrEnum):
    """What becomes of the established subscriptions of a node whose E2 connection is lost or reset."""

    DROP = "drop"
    """Their routes and records go, nobody is told."""
    NOTIFY = "notify"
    """The same, and each holder is told."""
    RESTORE = "restore"
    """They stay, and are subscribed anew when the node is connected again."""


@dataclass(frozen=True, slots=True)
class Controls:
    """Timeouts in seconds; `tries` is the number of sends; `max_ongoing`: procedures at a time at one E2 node."""

    subscribe_timeout: float = 2.0
    subscribe_tries: int = 2
    delete_timeout: float = 2.0
    delete_tries: int = 2
    requestor_id: int = 123
    max_ongoing: int = 1
    on_e2_loss: OnE2Loss = OnE2Loss.DROP
