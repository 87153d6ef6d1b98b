# SPDX-License-Identifier: Apache-2.0
"""What is watched is what was done."""

from __future__ import annotations

from support.core.outside import Outside, turns

from submgr.core import commands as c
from submgr.core.errors import Source
from submgr.core.model import Content, Detail
from submgr.e2ap.messages import Action, ActionType


def test_a_request_that_cannot_be_encoded_is_not_counted_as_sent() -> None:
    outside = Outside()
    actions = tuple(Action(n, ActionType.REPORT) for n in range(17))
    outside.post("gnb_1", "too-many", Detail(1, Content(2, b"\1", actions)))
    turns()
    (note,) = outside.told
    assert note.failure is not None and note.failure.source is Source.ASN1
    assert not any(isinstance(x, c.SendToE2) for _, _, commands in outside.seen for x in commands)
    assert any(isinstance(x, c.Notify) for _, _, commands in outside.seen for x in commands)
    assert outside.e2 == {}
