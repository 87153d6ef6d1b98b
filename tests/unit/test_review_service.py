# SPDX-License-Identifier: Apache-2.0
"""A known id for another E2 node: what that is refused with depends on whether the id is being worked on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.core.outside import Outside, report, turns

from submgr.core.errors import RefusedError
from submgr.service import Replies, Service


class Nodes:
    def connected(self) -> list[str]:
        return ["gnb_1", "gnb_2"]

    def is_connected(self, meid: str) -> bool:
        return True

    def knows(self, meid: str) -> bool:
        return True

    def describe(self, meid: str) -> str:
        return "connected"


class Debug:
    def remove_record(self, instance_id: int) -> bool:
        return False

    def empty(self) -> None: ...


def test_another_meid_is_a_conflict_while_the_id_is_worked_on_and_a_mistake_afterwards() -> None:
    outside, replies = Outside(), Replies()
    outside.reply_to = replies.reply
    service = Service(outside.dispatcher, replies, Nodes(), Debug(), lambda: None)
    accepted = service.subscribe(outside.request("gnb_1", report(1)))
    moved = replace(outside.request("gnb_2", report(1)), subscription_id=accepted.subscription_id)
    with pytest.raises(RefusedError) as caught:
        service.subscribe(moved)
    assert caught.value.status == 409
    accepted.start()
    turns()
    with pytest.raises(RefusedError) as caught:
        service.subscribe(moved)
    assert caught.value.status == 400
    assert [error.field for error in caught.value.errors] == ["Meid"]
    outside.dispatcher.stop()
