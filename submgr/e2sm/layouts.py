# SPDX-License-Identifier: Apache-2.0
"""The layouts of the service models: which versions share one, and FlexRIC's own dialect of them."""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum

from msgspec import Struct


class Model(StrEnum):
    KPM = "KPM"
    RC = "RC"
    NI = "NI"


class Level(IntEnum):
    """What a layout knows; a later level of KPM adds to the earlier one."""

    V2_00 = 0
    V2_01 = 1
    V2_03 = 2


class Layout(Struct, frozen=True, eq=False):
    """One way to write the bodies of a model. There is one object of each, in `LAYOUTS`.

    `versions`: those of the service model that write in this way. `flexric`: FlexRIC compiles a changed module, in
    which the extension marker stands behind the later alternatives. `open_ended`: a later version may have added to
    it, and a reader passes over what it does not know.
    """

    model: Model
    versions: tuple[str, ...]
    level: Level = Level.V2_03
    flexric: bool = False
    open_ended: bool = False

    @property
    def dialect(self) -> str:
        return "flexric" if self.flexric else ""


LAYOUTS = {
    Model.KPM: (
        Layout(Model.KPM, ("2.03", "3.00"), open_ended=True),
        Layout(Model.KPM, ("2.01",), Level.V2_01),
        Layout(Model.KPM, ("2.00",), Level.V2_00),
        Layout(Model.KPM, ("2.03", "3.00"), flexric=True),
    ),
    Model.RC: (
        Layout(Model.RC, ("1.02", "1.03"), open_ended=True),
        Layout(Model.RC, ("1.03",), flexric=True),
    ),
    Model.NI: (Layout(Model.NI, ("1.00",), open_ended=True),),
}
"""The layouts of each model in the order in which they are tried."""


def short_name(definition: bytes) -> str:
    """The short name in a RAN function definition, which is near its begin in all models; "" when there is none."""
    found = re.search(rb"ORAN-E2SM-[0-9A-Za-z]+", definition[:64])
    return found[0].decode() if found else ""


def model_of(definition: bytes) -> Model | None:
    """The service model that a RAN function definition names. None for another one."""
    name = short_name(definition).removeprefix("ORAN-E2SM-")
    return Model(name) if name in list(Model) else None
