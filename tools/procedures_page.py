# SPDX-License-Identifier: Apache-2.0
"""Writes `docs/procedures.md` from the tables of the procedures themselves: `python -m tools.procedures_page`."""

from __future__ import annotations

import inspect
from pathlib import Path

from submgr.core.procedures.admission import Admission
from submgr.core.procedures.base import Procedure, State
from submgr.core.procedures.cleanup import Cleanup
from submgr.core.procedures.delete import Delete
from submgr.core.procedures.merge import Merge
from submgr.core.procedures.policy_update import PolicyUpdate
from submgr.core.procedures.resubscribe import Resubscribe
from submgr.core.procedures.routes import Routes
from submgr.core.procedures.subscribe import Subscribe
from submgr.core.procedures.withdrawal import Withdrawal

PAGE = Path(__file__).parents[1] / "docs" / "procedures.md"

PROCEDURES: tuple[type[Procedure], ...] = (
    Admission,
    Subscribe,
    Merge,
    PolicyUpdate,
    Withdrawal,
    Delete,
    Routes,
    Cleanup,
    Resubscribe,
)

HEAD = """# Procedures

This page is made by `make docs` from the tables in `submgr/core/procedures`; a test fails when it is stale.

A procedure is a table of states. An arrow is an event: an answer of the E2 node, the store or the Routing Manager, or
one of the internal events below. A state without work is passed over along its *Skip* arrow. Every waiting state has
a timer. While a procedure *holds the slot*, no other procedure talks to the same E2 node
(`controls.maxOngoingE2Procedures`).

| internal event | means |
|---|---|
| Start | the turn of the procedure has come |
| Skip | the state has no work |
| Expired | the port that should have answered did not |
| Resend, GaveUp | the timer of an E2 request expired: there are sends left, or there are none |
| Cancelled | the requester does not want the procedure any more |
| Lost | the E2 connection is down or under reset |
"""


def page() -> str:
    """Returns the whole page as Markdown."""
    return "\n".join([HEAD, *(_section(kind) for kind in PROCEDURES)])


def _section(kind: type[Procedure]) -> str:
    about = inspect.getdoc(inspect.getmodule(kind)) or ""
    return "\n".join(
        [
            f"## {kind.NAME.capitalize()}",
            "",
            about.partition(": ")[2][:1].upper() + about.partition(": ")[2][1:],
            "",
            inspect.getdoc(kind) or "",
            "",
            *_diagram(kind),
            "",
            *_timers(kind),
            "",
        ]
    )


def _diagram(kind: type[Procedure]) -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2"]
    for state, row in kind.TABLE.items():
        events: dict[State, list[str]] = {}
        for event, target in row.to.items():
            events.setdefault(state if target is None else target, []).append(
                event.__name__ + (" (ignored)" if target is None else "")
            )
        for target, names in events.items():
            source = "[*]" if state is State.NEW else state.name
            lines.append(f"    {source} --> {target.name}: {', '.join(names)}")
        if not row.to:
            lines.append(f"    {state.name} --> [*]")
    return [*lines, "```"]


def _timers(kind: type[Procedure]) -> list[str]:
    lines = ["| state | timer | default | waits for | holds the slot |", "|---|---|---|---|---|"]
    for state, row in kind.TABLE.items():
        if row.timer is not None:
            timer = row.timer
            sends = f", {timer.tries} sends" if timer.tries > 1 else ""
            slot = "yes" if row.slot else ""
            lines.append(f"| {state.name} | {timer.name} | {timer.seconds:g} s{sends} | {timer.waits_for} | {slot} |")
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
