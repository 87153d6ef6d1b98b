# SPDX-License-Identifier: Apache-2.0
"""What application mobility knows: which UE uses which application at which other MEC."""

from dataclasses import dataclass

from mec.common import imsi as imsis

ANY_APP = "*"
"""Stands for the applications of a UE that nothing is known of in particular."""


@dataclass(frozen=True, slots=True)
class Use:
    """A UE uses (or used) an application at MEC `mec_id`. `stored`: its state is here already.

    `order` grows with each notification; it is not kept over a restart.
    """

    imsi: str
    app_id: str
    mec_id: int
    stored: bool = False
    order: int = 0

    @property
    def key(self) -> str:
        return use_key(self.imsi, self.app_id)


@dataclass(frozen=True, slots=True)
class UseRecord:
    """A Use in the store."""

    imsi: str
    app_id: str
    mec_id: int
    stored: bool


def use_key(imsi: str, app_id: str) -> str:
    """What a use is found by; the spelling of the IMSI makes no difference."""
    return f"{imsis.key(imsi)}/{app_id}"


class NoState(Exception):
    """The application, or the other MEC, has no state of this UE."""


class StateError(Exception):
    """The state cannot be had now; the message says why."""
