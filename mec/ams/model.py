# SPDX-License-Identifier: Apache-2.0
"""The model of application mobility: which UE uses which application at which MEC."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from mec.common import imsi as imsis

ANY_APP = "*"
"""Stands for the applications of a UE that nothing is known of in particular."""


@dataclass(frozen=True, slots=True)
class Use:
    """A UE uses, or used, an application at MEC `mec_id`. `stored`: the state of the UE is in this MEC's store.

    Each notification gives another `order`.
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
    """A Use as the store keeps it. `order` means something where replicas share the store, else it is 0."""

    imsi: str
    app_id: str
    mec_id: int
    stored: bool
    order: int = 0


def use_key(imsi: str, app_id: str) -> str:
    """The key of a use. Every spelling of an IMSI gives the same key."""
    return f"{imsis.key(imsi)}/{app_id}"


class NoState(Exception):
    """The application, or the other MEC, has no state of this UE."""


class StateError(Exception):
    """The state is not to be had now. The message says why."""


class KnownUses(Protocol):
    """The uses and the states of this MEC. A state belongs to one Use: a newer Use of the same key makes it void."""

    counts: Counter[str]
    """What application mobility did: events by name."""

    def load(self) -> None:
        """Reads the stored uses, or makes them ready to be read. Raises StoreError."""

    def empty(self) -> bool:
        """Whether no use is known. Raises StoreError."""

    def find(self, imsi: str, app_id: str) -> Use | None:
        """The use of an application by a UE, else what is known of all applications of the UE, else None.

        Raises StoreError.
        """

    def of_ue(self, imsi: str) -> list[Use]:
        """All uses of a UE, with the one of ANY_APP. Raises StoreError."""

    def all(self) -> list[Use]:
        """All uses of all UEs. Raises StoreError."""

    def is_current(self, use: Use) -> bool:
        """Whether no newer use of the same UE and application is known. Raises StoreError."""

    def notified(self, imsi: str, app_id: str | None, mec_id: int) -> list[Use]:
        """Notes that a UE uses an application (None: all its applications) at a MEC, and drops the earlier states.

        Returns the new uses. Raises StoreError when they are not stored yet.
        """

    def keep_state(self, use: Use, state: bytes) -> bool:
        """Keeps the state that was fetched for a use. False: it is void already, or cannot be kept now."""

    def state_of(self, use: Use) -> bytes | None:
        """The stored state of a use, or None. Raises StoreError."""

    def take(self, uses: Iterable[tuple[Use, bytes]]) -> None:
        """Takes uses with their states from the data file. Raises StoreError."""
