# SPDX-License-Identifier: Apache-2.0
"""Bodies of the xApp simulator's RMR control requests."""

from __future__ import annotations

from typing import Literal

import msgspec

from submgr.e2ap.messages import Action, ActionType, RequestId, SubscriptionRequest


class RmrAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One action; the definition is hexadecimal."""

    id: int
    type: Literal["report", "insert", "policy"] = "report"
    definition: str | None = None


class RmrSubscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `/rmr/subscribe`: the content of a RIC_SUB_REQ."""

    meid: str
    function: int
    actions: tuple[RmrAction, ...]
    trigger: str = ""
    requestor: int = 123
    instance: int = 0
    xid: str = ""
    to: str | None = None

    def request(self) -> SubscriptionRequest:
        """The message. Raises ValueError when the trigger or a definition is not hexadecimal."""
        actions = tuple(
            Action(
                action.id,
                ActionType[action.type.upper()],
                None if action.definition is None else bytes.fromhex(action.definition),
            )
            for action in self.actions
        )
        ids = RequestId(self.requestor, self.instance)
        return SubscriptionRequest(ids, self.function, bytes.fromhex(self.trigger), actions)


class RmrDelete(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `/rmr/delete`: the content of a RIC_SUB_DEL_REQ."""

    meid: str
    function: int
    instance: int
    requestor: int = 123
    xid: str = ""
    to: str | None = None
