# SPDX-License-Identifier: Apache-2.0
"""What a subscription asks for: its event trigger and the definitions of its actions, read as one service model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from submgr.e2sm.decoding import Body, Decoded, Undecoded, decode
from submgr.e2sm.layouts import Model
from submgr.e2sm.shown import shown
from submgr.e2sm.words import words

MOST_ACTIONS = 3
"""Actions that a line has; E2AP has room for 16."""


def _nothing() -> None:
    pass


class Asked(Struct, frozen=True):
    """The bodies of a subscription. `actions`: an action id and its definition, None for an action without one."""

    trigger: Decoded | Undecoded
    actions: tuple[tuple[int, Decoded | Undecoded | None], ...]

    def words(self) -> str:
        """One line."""
        parts = [words(self.trigger)]
        for action_id, definition in self.actions[:MOST_ACTIONS]:
            parts.append(f"action {action_id}: {words(definition) if definition is not None else 'no definition'}")
        if len(self.actions) > MOST_ACTIONS:
            parts.append(f"{len(self.actions) - MOST_ACTIONS} more actions")
        return "; ".join(parts)

    def shown(self) -> dict[str, Any]:
        """The line, and the tree behind it."""
        actions = [
            {"ActionID": action_id, "Definition": shown(definition) if definition is not None else None}
            for action_id, definition in self.actions
        ]
        return {"Words": self.words(), "EventTrigger": shown(self.trigger), "Actions": actions}


def read_subscription(
    trigger: bytes,
    actions: Iterable[tuple[int, bytes | None]],
    models: Sequence[Model] = tuple(Model),
    between: Callable[[], None] = _nothing,
) -> Asked:
    """Reads all bodies as the one of `models` that takes most of them, the first of equals.

    `between` is called after each body, which takes up to 5 ms: it may give others their turn.
    """
    definitions = list(actions)
    best: Asked | None = None
    for model in models:
        read = _read_as([model], trigger, definitions, between)
        if _count(read) == 1 + sum(definition is not None for _, definition in definitions):
            return read
        if best is None or _count(read) > _count(best):
            best = read
    if best is not None and _count(best):
        return best
    return _read_as(models, trigger, definitions, between)


def _read_as(
    models: Sequence[Model],
    trigger: bytes,
    actions: Iterable[tuple[int, bytes | None]],
    between: Callable[[], None],
) -> Asked:
    def read(octets: bytes, body: Body) -> Decoded | Undecoded:
        decoded = decode(octets, body, models)
        between()
        return decoded

    event = read(trigger, Body.EVENT_TRIGGER)
    return Asked(
        event,
        tuple(
            (number, read(definition, Body.ACTION_DEFINITION) if definition is not None else None)
            for number, definition in actions
        ),
    )


def _count(asked: Asked) -> int:
    """How many bodies were decoded."""
    return sum(isinstance(body, Decoded) for body in (asked.trigger, *(body for _, body in asked.actions)))
