# SPDX-License-Identifier: Apache-2.0
"""What somebody has changed, as the audit has it: each of its lines is an entry of the journal."""

from __future__ import annotations

import logging

from submgr.adapters.journal.entries import Facts, Kind, Severity
from submgr.adapters.journal.journal import Journal
from submgr.platform import audit

_KINDS = {"take-over": Kind.LEADERSHIP}
_MOST = 2000
"""Characters of the words of an entry."""


class AuditEntries(logging.Handler):
    """Takes part in the logger of the audit between `start` and `stop`."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def start(self) -> None:
        audit.log.addHandler(self)

    def stop(self) -> None:
        audit.log.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Writes an entry. What was refused is a warning."""
        what, fields = record.getMessage(), vars(record)
        told, outcome = [what], str(fields.get("outcome"))
        if path := fields.get("path"):
            told.append(str(path))
        if changed := fields.get("changed"):
            told.append(f"({', '.join(map(str, changed))})")
        words = f"{' '.join(told)} by {fields.get('peer')}: {outcome}"
        good = not outcome.isdecimal() or int(outcome) < 400
        severity = Severity.INFO if good else Severity.WARNING
        self._journal.add(_KINDS.get(what, Kind.CONFIGURATION), severity, Facts(words[:_MOST]))
