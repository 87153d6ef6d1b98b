# SPDX-License-Identifier: Apache-2.0
"""The MEC services that run in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

Look = Callable[[], Mapping[str, object]]
"""Makes what operators see of one service. It may wait for a neighbour for some seconds."""


class Edge(Struct, frozen=True):
    """The services that run in this process. The composition adds them; there are none when MEC is switched off."""

    mecs: list[Look] = field(default_factory=list)
    orchestrators: list[Look] = field(default_factory=list)
