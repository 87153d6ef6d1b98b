# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from submgr.adapters.journal.audit import AuditEntries
from submgr.adapters.journal.entries import Kind, Severity
from submgr.adapters.journal.journal import Journal
from submgr.platform import audit


def test_what_somebody_changes_is_an_entry_while_it_takes_part() -> None:
    journal = Journal(lambda: 1000.0)
    entries = AuditEntries(journal)
    audit.changed("POST", peer="127.0.0.1", outcome="200", path="/before")
    entries.start()
    audit.changed("POST", peer="127.0.0.1", outcome="200", path="/ric/v1/reconcile")
    audit.refused("DELETE", peer="10.0.0.1", outcome="403", kind="test of the journal", path="/ric/v1/import")
    changed = ["controls.merge: True -> False"]
    audit.changed("configuration reloaded", peer="configuration file", outcome="applied", changed=changed)
    audit.changed("take-over", peer="lease of the pair", outcome="active", epoch=5)
    entries.stop()
    audit.changed("POST", peer="127.0.0.1", outcome="200", path="/after")
    told = [(entry.kind, entry.severity, entry.facts.words) for entry in journal.after(0)]
    assert told == [
        (Kind.CONFIGURATION, Severity.INFO, "POST /ric/v1/reconcile by 127.0.0.1: 200"),
        (Kind.CONFIGURATION, Severity.WARNING, "DELETE /ric/v1/import by 10.0.0.1: 403"),
        (
            Kind.CONFIGURATION,
            Severity.INFO,
            "configuration reloaded (controls.merge: True -> False) by configuration file: applied",
        ),
        (Kind.LEADERSHIP, Severity.INFO, "take-over by lease of the pair: active"),
    ]
