# SPDX-License-Identifier: Apache-2.0
"""The MMEs by their GUMMEIs, and values by MME UE S1AP id, which is unique per MME only."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

from mec.controller.model import Association

T = TypeVar("T")


class MmeNames:
    """Names each MME by the first GUMMEI that it has told. It keeps that name when it changes its GUMMEIs."""

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}

    def serves(self, association: Association, gummeis: Sequence[bytes]) -> None:
        """The MME of an association serves these GUMMEIs, and no others."""
        if not gummeis:
            return
        known = (self._names[gummei] for gummei in gummeis if gummei in self._names)
        name = association.mme_name or next(known, None) or self._new_name(gummeis[0])
        for gummei in set(association.gummeis).difference(gummeis):
            if self._names.get(gummei) == name:
                del self._names[gummei]
        self._names.update(dict.fromkeys(gummeis, name))
        association.gummeis, association.mme_name = tuple(gummeis), name

    def _new_name(self, gummei: bytes) -> str:
        """The GUMMEI, with a mark when the MME that is named by it has given it away."""
        name, taken = gummei.hex(), set(self._names.values())
        while name in taken:
            name += "*"
        return name


class MmeIds(Generic[T]):
    """Keeps the latest `limit` ids."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found: OrderedDict[int, dict[str, T]] = OrderedDict()

    def put(self, mme: str, number: int, value: T) -> None:
        """Puts the value that an MME (see Association.mme) knows by `number`."""
        self._found.setdefault(number, {})[mme] = value
        self._found.move_to_end(number)
        if len(self._found) > self._limit:
            self._found.popitem(last=False)

    def find(self, association: Association, number: int) -> T | None:
        """What the MME of an association knows by `number`.

        The MME of a connection is not known when its S1 Setup was not seen. So a value of an unnamed MME can be that
        of a named one and the other way round: it is taken when there is no other with this number.
        """
        there = self._found.get(number)
        if there is None:
            return None
        value = there.get(association.mme)
        if value is not None:
            return value
        possible = [each for mme, each in there.items() if association.mme_name is None or not is_named(mme)]
        return possible[0] if len(possible) == 1 else None

    def drop(self, mme: str, number: int, value: T) -> None:
        """Drops `value`, if it is still the one of the id."""
        there = self._found.get(number, {})
        if there.get(mme) is value:
            del there[mme]
            if not there:
                del self._found[number]


def is_named(mme: str) -> bool:
    """Whether an MME is known by its GUMMEI."""
    return not mme.startswith("peer ")
