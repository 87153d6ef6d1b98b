# SPDX-License-Identifier: Apache-2.0
"""What an xApp is told of a failure."""

from __future__ import annotations

from support.core.playbook import CAUSE, Script, post, routed, saved, sent_201

from submgr.e2ap import messages as m


def test_a_refusal_that_lists_its_actions_is_told_with_each_reason() -> None:
    """E2AP 1.x: no cause of the whole, but one for each action."""
    script = Script()
    script.step(0.0, post())
    script.step(0.0, saved)
    script.step(0.0, sent_201)
    script.step(0.0, saved)
    script.step(0.0, routed)
    items = (m.NotAdmitted(1, CAUSE), m.NotAdmitted(7, CAUSE))
    lines = script.step(0.1, m.SubscriptionFailure(m.RequestId(123, 1), 2, None, items))
    assert "action 1: " in lines[0] and "action 7: " in lines[0]


def test_a_refusal_without_any_reason() -> None:
    script = Script()
    script.step(0.0, post())
    script.step(0.0, saved)
    script.step(0.0, sent_201)
    script.step(0.0, saved)
    script.step(0.0, routed)
    lines = script.step(0.1, m.SubscriptionFailure(m.RequestId(123, 1), 2, None))
    assert lines[0].endswith("E2NodeCause: none given")
