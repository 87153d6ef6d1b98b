# SPDX-License-Identifier: Apache-2.0
"""The S1 handovers under way: which UE is to arrive at which eNB (3GPP TS 36.413, 8.4)."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from mec.controller.model import Association, S1Connection

K = TypeVar("K")
V = TypeVar("V")

_MAX = 10_000


@dataclass(slots=True)
class Expected:
    """A UE that is to arrive: where it comes from (None: the handover was called off), and its bearers that end."""

    source: S1Connection | None
    not_admitted: frozenset[int] = frozenset()


class Handovers:
    """Keeps a handover from the request to the target eNB until its notification.

    The MME may know the UE by another id on the side of the target. Both sides are one handover when the container is
    the same: the source eNB makes it for the target eNB, and the MME passes it on unchanged.
    """

    def __init__(self) -> None:
        self._required: OrderedDict[bytes, S1Connection] = OrderedDict()
        self._expected: OrderedDict[tuple[int, int], Expected] = OrderedDict()

    def required(self, source: S1Connection, container: bytes) -> None:
        """The source eNB asks for a handover of `source`."""
        _put(self._required, _digest(container), source)

    def source_of(self, container: bytes) -> S1Connection | None:
        """The S1 connection whose eNB has made a container."""
        return self._required.pop(_digest(container), None)

    def expect(self, target: Association, mme_ue_id: int, source: S1Connection) -> None:
        """The MME asks the target eNB to take the UE of `source`."""
        _put(self._expected, (target.id, mme_ue_id), Expected(source))

    def not_admitted(self, target: Association, mme_ue_id: int, bearers: Iterable[int]) -> None:
        """The target eNB takes the UE without these bearers."""
        expected = self._expected.get((target.id, mme_ue_id))
        if expected is not None:
            expected.not_admitted = frozenset(bearers)

    def discard(self, target: Association, mme_ue_id: int) -> None:
        """The target eNB does not take the UE."""
        _put(self._expected, (target.id, mme_ue_id), Expected(None))

    def cancel(self, source: S1Connection) -> None:
        """The source eNB keeps its UE."""
        for expected in self._expected.values():
            if expected.source is source:
                expected.source = None

    def arrived(self, target: Association, mme_ue_id: int) -> Expected | None:
        """What was expected of a UE that has arrived at its target eNB; None when its handover was not seen."""
        return self._expected.pop((target.id, mme_ue_id), None)

    def forget(self, target: Association) -> None:
        """Drops the handovers of an association that has ended."""
        for key in [key for key in self._expected if key[0] == target.id]:
            del self._expected[key]


def _put(table: OrderedDict[K, V], key: K, value: V) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > _MAX:
        table.popitem(last=False)


def _digest(container: bytes) -> bytes:
    return hashlib.blake2b(container, digest_size=16).digest()
