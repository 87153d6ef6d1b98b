# SPDX-License-Identifier: Apache-2.0
"""Finds out what the octets of a body say, by trying the layouts of the service models one after the other.

Nothing tells the layout: not the OID, not the RAN function id. A layout fits when it takes all octets and leaves no
bit of the padding set. No function here raises an exception over what it is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from submgr.e2sm import kpm, ni, rc_action, rc_event, rc_function
from submgr.e2sm.bits import BitReader, BitWriter, Budget
from submgr.e2sm.errors import Unreadable
from submgr.e2sm.layouts import LAYOUTS, Layout, Model, model_of
from submgr.e2sm.per import PerType, as_type

MOST_OCTETS = 65_535
"""Octets of one body; more are not looked at."""
PLACEHOLDERS = 1
"""Bodies of that many octets are no bodies of any model: some xApps send them where theirs would stand."""


class Body(StrEnum):
    """What a body is for."""

    EVENT_TRIGGER = "event_trigger"
    ACTION_DEFINITION = "action_definition"
    RAN_FUNCTION = "ran_function"


_TYPES: dict[tuple[Model, Body], PerType] = {
    (Model.KPM, Body.EVENT_TRIGGER): as_type(kpm.EventTrigger),
    (Model.KPM, Body.ACTION_DEFINITION): as_type(kpm.ActionDefinition),
    (Model.KPM, Body.RAN_FUNCTION): as_type(kpm.FunctionDefinition),
    (Model.RC, Body.EVENT_TRIGGER): as_type(rc_event.EventTrigger),
    (Model.RC, Body.ACTION_DEFINITION): as_type(rc_action.ActionDefinition),
    (Model.RC, Body.RAN_FUNCTION): as_type(rc_function.FunctionDefinition),
    (Model.NI, Body.EVENT_TRIGGER): as_type(ni.EVENT_TRIGGER),
    (Model.NI, Body.ACTION_DEFINITION): as_type(ni.ActionDefinition),
    (Model.NI, Body.RAN_FUNCTION): as_type(ni.FunctionDefinition),
}


class Decoded(Struct, frozen=True):
    """A body that fits a layout.

    `versions`: all versions of the model in which these octets say the same. `notes`: what a later version added and
    is not shown.
    """

    octets: bytes
    body: Body
    layout: Layout
    versions: tuple[str, ...]
    value: Any
    notes: tuple[str, ...] = field(default=())

    @property
    def model(self) -> Model:
        return self.layout.model

    def tree(self) -> Any:
        """The content as objects, lists, numbers and words."""
        return _TYPES[self.model, self.body].tree(self.value)


class Undecoded(Struct, frozen=True):
    """A body that fits no layout that was tried. `reason`: for each model, why its most likely layout does not fit."""

    octets: bytes
    body: Body
    reason: str


def decode(octets: bytes, body: Body, models: Iterable[Model] = Model) -> Decoded | Undecoded:
    """What `octets` say as a `body` of one of the `models`, the first that fits."""
    if not octets:
        return Undecoded(octets, body, "no octets")
    if len(octets) <= PLACEHOLDERS:
        return Undecoded(octets, body, "one octet is no body of a service model: a placeholder")
    if len(octets) > MOST_OCTETS:
        return Undecoded(octets, body, f"{len(octets)} octets are more than are looked at")
    budget = Budget()
    reasons = []
    named = model_of(octets)
    for model in sorted(models, key=lambda model: model is not named):
        fitting = _fitting(octets, body, LAYOUTS[model], budget)
        if isinstance(fitting, Decoded):
            return fitting
        reasons.append(f"as {model}: {fitting}")
    text = octets[:100].decode("latin-1")
    if text.isascii() and text.isprintable():
        reasons = [f"plain text, no PER: {text}"]
    return Undecoded(octets, body, "; ".join(reasons))


def _fitting(octets: bytes, body: Body, layouts: tuple[Layout, ...], budget: Budget) -> Decoded | str:
    """The first layout that fits, if any does so without a doubt; or why the first layout does not fit."""
    doubtful: Decoded | None = None
    reason = ""
    known: list[Layout] = []
    for layout in layouts:
        if layout in known:
            continue
        reader = BitReader(octets, layout, budget)
        try:
            value = _TYPES[layout.model, body].read(reader)
            reader.finish()
        except Unreadable as error:
            reason = reason or str(error)
            known += _alike(reader, layouts)
            continue
        alike = _alike(reader, layouts)
        versions = sorted(version for each in alike for version in each.versions)
        decoded = Decoded(octets, body, layout, tuple(versions), value, tuple(reader.notes))
        if not reader.doubtful:
            return decoded
        doubtful = doubtful or decoded
        known += alike
    return doubtful or reason


def _alike(reader: BitReader, layouts: Iterable[Layout]) -> list[Layout]:
    """The layouts in which the reading goes in the same way."""
    if reader.layout.flexric:
        return [reader.layout]
    return [each for each in layouts if not each.flexric and reader.since <= each.level < reader.until]


def encode(value: Any, body: Body, layout: Layout) -> bytes:
    """The octets of a body. Raises Unwritable when the layout has no place for the value."""
    writer = BitWriter(layout)
    _TYPES[layout.model, body].write(writer, value)
    return writer.finish()
