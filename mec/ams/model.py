# SPDX-License-Identifier: Apache-2.0
"""The model of application mobility: which UE uses which application at which MEC."""

from dataclasses import dataclass

from mec.common import imsi as imsis

ANY_APP = "*"
"""Stands for the applications of a UE that nothing is known of in particular."""


@dataclass(frozen=True, slots=True)
class Use:
    """A UE uses, or used, an application at MEC `mec_id`. `stored`: the state of the UE is in this MEC's store.

    `order` grows with each notification. It is not kept over a restart.
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
    """A Use as the store keeps it."""

    imsi: str
    app_id: str
    mec_id: int
    stored: bool


def use_key(imsi: str, app_id: str) -> str:
    """The key of a use. Every spelling of an IMSI gives the same key."""
    return f"{imsis.key(imsi)}/{app_id}"


class NoState(Exception):
    """The application, or the other MEC, has no state of this UE."""


class StateError(Exception):
    """The state is not to be had now. The message says why."""
