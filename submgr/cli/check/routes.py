# SPDX-License-Identifier: Apache-2.0
"""Finds every mistake in a route table: its reader keeps the first ones only."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from submgr.cli.check.findings import Findings
from submgr.platform.config.file import Problem
from submgr.rmr.routing.lines import lines_of
from submgr.rmr.routing.reader import Outcome, TableBuilder
from submgr.rmr.routing.records import kind_of
from submgr.rmr.routing.table import Skipped

_KINDS = ("newrt", "updatert", "meid_map", "rte", "mse", "del", "mme_ar", "mme_del")


def check(text: str, own: frozenset[str]) -> Findings:
    """What is wrong in a route table for the process with the names `own` ("host:port").

    A record for other senders is not looked at.
    """
    found = Findings()
    builder = TableBuilder(own, whole_file=True)
    complete = False
    others = line = 0
    for line, record in enumerate(lines_of(text), 1):  # noqa: B007 - the last one is told
        for outcome in builder.take([record]):
            found.add(_of(outcome))
            if outcome.table is not None:
                complete, others = True, outcome.table.for_others
        found.add(_skipped(builder.left_over()))
    for outcome in builder.finish():
        found.add(_of(outcome))
    if not complete:
        found.add([Problem(line, "", "no complete table: newrt|start and newrt|end are expected")])
    if others:
        found.notes.append(f"{others} records for other senders were not looked at; --own HOST:PORT says who is meant")
    found.verdict = "the records without a mistake are taken" if complete else "no table would be taken"
    return found


def _of(outcome: Outcome) -> Iterator[Problem]:
    yield from _skipped(outcome.skipped)
    if outcome.error is not None:
        yield Problem(outcome.error.line, "", f"the table is refused: {outcome.error.reason}")


def _skipped(skipped: Skipped) -> Iterator[Problem]:
    for record in skipped.first:
        yield Problem(record.line, "", f"{record.reason}: {record.text}{_hint(record.text)}")


def _hint(record: str) -> str:
    """The kind of record that may have been meant by a word that is none."""
    word = record.partition("|")[0].strip()
    if kind_of(word):
        return ""
    close = difflib.get_close_matches(word.lower(), _KINDS, n=1)
    return f"; did you mean {close[0]}?" if close else ""
