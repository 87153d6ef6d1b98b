# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from submgr.adapters.journal.entries import Severity
from submgr.adapters.journal.journal import Journal
from submgr.adapters.journal.node_states import NodeStates
from submgr.adapters.rnib.messages import ConnectionState as State


def test_changes_are_told_with_what_was_before_and_their_time_is_known() -> None:
    now = 1000.0
    journal = Journal(lambda: now)
    states = NodeStates(journal, lambda: now)
    assert states.since("gnb_1") is None
    states.changed("gnb_1", State.CONNECTED, False)
    now += 5
    states.changed("gnb_1", State.CONNECTED, True)
    states.changed("gnb_1", State.UNDER_RESET, False)
    states.changed("gnb_2", State.DISCONNECTED, False)
    assert [(entry.severity, entry.facts.words, entry.facts.meid) for entry in journal.after(0)] == [
        (Severity.INFO, "E2 node gnb_1 is connected", "gnb_1"),
        (Severity.INFO, "E2 node gnb_1 is connected anew", "gnb_1"),
        (Severity.WARNING, "E2 node gnb_1 is under reset, it was connected", "gnb_1"),
        (Severity.WARNING, "E2 node gnb_2 is disconnected", "gnb_2"),
    ]
    assert (states.since("gnb_1"), states.known()) == (1005.0, ["gnb_1", "gnb_2"])
