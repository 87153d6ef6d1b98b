# SPDX-License-Identifier: Apache-2.0
"""The ledger of a namespace: the values it holds, and the repairs that are due. It calls no database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import cast

from submgr.platform.store.base import Change

Effect = dict[str, bytes | None]
"""The outcome of some changes for each key: its new value, or None when it is removed."""


def effect_of(changes: Iterable[Change]) -> Effect:
    """The outcome of carrying out `changes` one after the other: a later change of a key wins."""
    effect: Effect = {}
    for change in changes:
        effect.update(change.set)
        if change.remove:
            effect.update(dict.fromkeys(change.remove))
    return effect


def split(effect: Effect) -> tuple[dict[str, bytes], list[str]]:
    """The values to set and the keys to remove."""
    if None not in effect.values():
        return cast("dict[str, bytes]", effect), []
    values = {key: value for key, value in effect.items() if value is not None}
    removals = [key for key, value in effect.items() if value is None]
    return values, removals


class Ledger:
    """The acknowledged values of one namespace, and the repairs to be made.

    A write with an unknown outcome is repaired by writing the value before it, which must be known before the write
    is sent. It is known when this process wrote the key, or read the whole namespace once; other keys are `unseen`
    and have to be read first.
    """

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}
        self.complete = False
        """Whether the whole namespace is known: a key that is not held is not there."""
        self._sent: Collection[str] = ()
        self._readers: list[set[str]] = []
        self._repairs: Effect = {}

    def unseen(self, effect: Effect) -> list[str]:
        """The keys of which this process does not know what the database holds."""
        if self.complete:
            return []
        return [key for key in effect if key not in self._held]

    def seen(self, values: Mapping[str, bytes]) -> None:
        """Takes the values that were read of `unseen` keys."""
        self._held.update(values)

    @contextmanager
    def reading_all(self, *, anew: bool = False) -> Iterator[dict[str, bytes]]:
        """Goes around a read of the whole namespace; the caller puts the values found into the yielded mapping.

        A key that is written meanwhile keeps its acknowledged value: the value found may be older, or of a write
        that is not acknowledged yet. A later read teaches nothing: the database may be about to lose what it holds.
        `anew`: another process writes the namespace, so that what is found counts.
        """
        touched = set(self._sent)
        self._readers.append(touched)
        found: dict[str, bytes] = {}
        try:
            yield found
        finally:
            # not by `remove`: the set of another reader may be equal at the moment
            self._readers = [reader for reader in self._readers if reader is not touched]
        if self.complete and not anew:
            return
        newer = {key: self._held.get(key) for key in touched}
        self._held = dict(found)
        self._take(*split(newer))
        self.complete = True

    def sending(self, effect: Effect) -> None:
        """The write of `effect` begins; `sent` says when it is over."""
        self._sent = effect.keys()
        for touched in self._readers:
            touched.update(effect)

    def sent(self) -> None:
        self._sent = ()

    def acknowledged(self, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        """The database holds `values` now, and no `removals`, so that older repairs of these keys are void."""
        if self._repairs:
            for key in chain(values, removals):
                self._repairs.pop(key, None)
        self._take(values, removals)

    def followed(self, effect: Effect) -> None:
        """Another process has written `effect`."""
        self._take(*split(effect))

    def _take(self, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        self._held.update(values)
        for key in removals:
            self._held.pop(key, None)

    def failed(self, change: Change, *, persistent: bool, unknown: bool) -> None:
        """Plans the repairs that follow from a `change` that was not acknowledged; see `Store.submit`."""
        for key, value in effect_of([change]).items():
            if persistent:
                self._repairs[key] = value
            elif unknown:
                self._repairs.setdefault(key, self._held.get(key))

    def lost(self, found: Collection[str]) -> None:
        """The database has lost writes: every key has to be written anew, and those removed that came back.

        `found`: the keys that the database has; they count for a namespace that is known as a whole.
        """
        came_back = [key for key in found if key not in self._held] if self.complete else ()
        self._repairs = {**dict.fromkeys(came_back), **self._held, **self._repairs}

    def forget_repairs(self) -> None:
        self._repairs.clear()

    @property
    def repairs_pending(self) -> int:
        return len(self._repairs)

    def repairs(self, limit: int, size: int) -> Iterator[Effect]:
        """The pending repairs, in pieces of at most `limit` keys and about `size` bytes.

        Each piece is as it is when its turn comes. Repairs that come up meanwhile are in none of them.
        """
        piece: Effect = {}
        left = size
        for key in list(self._repairs):
            if key in self._repairs:
                value = piece[key] = self._repairs[key]
                left -= len(value or b"")
            if len(piece) == limit or left <= 0:
                yield piece
                piece, left = {}, size
        if piece:
            yield piece

    def corrected(self, found: Mapping[str, bytes], keys: Collection[str] | None = None) -> dict[str, bytes]:
        """The values read (of `keys`, else of all keys) as they are going to be once the repairs are made."""
        if not self._repairs:
            return dict(found)
        repairs = self._repairs  # tens of thousands, perhaps
        wanted = repairs if keys is None else {key: repairs[key] for key in keys if key in repairs}
        merged = {**found, **wanted}
        return {key: value for key, value in merged.items() if value is not None}

    def corrected_keys(self, found: set[str]) -> set[str]:
        """The keys read, as they are going to be once the repairs are made."""
        values, removals = split(self._repairs)
        return found.difference(removals).union(values) if self._repairs else found


class Ledgers(defaultdict[str, Ledger]):
    """The ledgers of all namespaces of one store; each is there when it is asked for."""

    def __init__(self) -> None:
        super().__init__(Ledger)

    @property
    def repairs_pending(self) -> int:
        return sum(ledger.repairs_pending for ledger in self.values())

    def forget_repairs(self) -> None:
        for ledger in self.values():
            ledger.forget_repairs()
