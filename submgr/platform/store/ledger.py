# SPDX-License-Identifier: Apache-2.0
"""The ledger of a namespace: the values it holds, and the repairs that are due. It calls no database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from submgr.platform.store.base import Change

Effect = dict[str, bytes | None]
"""The outcome of some changes for each key: its new value, or None when it is removed."""


def effect_of(changes: Iterable[Change]) -> Effect:
    """The outcome of carrying out `changes` one after the other: a later change of a key wins."""
    effect: Effect = {}
    for change in changes:
        effect.update(change.set)
        effect.update(dict.fromkeys(change.remove))
    return effect


def split(effect: Effect) -> tuple[dict[str, bytes], list[str]]:
    """The values to set and the keys to remove."""
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
        self._complete = False
        self._sent: Collection[str] = ()
        self._readers: list[set[str]] = []
        self._repairs: Effect = {}

    def unseen(self, effect: Effect) -> list[str]:
        """The keys of which this process does not know what the database holds."""
        if self._complete:
            return []
        return [key for key in effect if key not in self._held]

    def seen(self, values: Mapping[str, bytes]) -> None:
        """Takes the values that were read of `unseen` keys."""
        self._held.update(values)

    @contextmanager
    def reading_all(self) -> Iterator[dict[str, bytes]]:
        """Goes around a read of the whole namespace; the caller puts the values found into the yielded mapping.

        A key that is written meanwhile keeps its acknowledged value: the value found may be older, or of a write
        that is not acknowledged yet.
        """
        touched = set(self._sent)
        self._readers.append(touched)
        found: dict[str, bytes] = {}
        try:
            yield found
        finally:
            self._readers.remove(touched)
        # without going through tens of thousands of keys one by one
        newer = {key: self._held.get(key) for key in touched if key in found}
        self._held.update(found)
        for key, value in newer.items():
            if value is None:
                del self._held[key]
            else:
                self._held[key] = value
        self._complete = True

    @contextmanager
    def sending(self, effect: Effect) -> Iterator[None]:
        """Goes around the write of `effect`."""
        self._sent = effect.keys()
        for touched in self._readers:
            touched.update(effect)
        try:
            yield
        finally:
            self._sent = ()

    def acknowledged(self, effect: Effect) -> None:
        """The database holds `effect` now, so that older repairs of its keys are void."""
        for key, value in effect.items():
            self._repairs.pop(key, None)
            if value is None:
                self._held.pop(key, None)
            else:
                self._held[key] = value

    def failed(self, change: Change, *, persistent: bool, unknown: bool) -> None:
        """Plans the repairs that follow from a `change` that was not acknowledged; see `Store.submit`."""
        for key, value in effect_of([change]).items():
            if persistent:
                self._repairs[key] = value
            elif unknown:
                self._repairs.setdefault(key, self._held.get(key))

    def forget_repairs(self) -> None:
        self._repairs.clear()

    @property
    def repairs_pending(self) -> int:
        return len(self._repairs)

    def repairs(self, limit: int) -> list[Effect]:
        """The pending repairs, in pieces of at most `limit` keys."""
        items = list(self._repairs.items())
        return [dict(items[start : start + limit]) for start in range(0, len(items), limit)]

    def corrected(self, found: Mapping[str, bytes], keys: Collection[str] | None = None) -> dict[str, bytes]:
        """The values read (of `keys`, else of all keys) as they are going to be once the repairs are made."""
        if not self._repairs:
            return dict(found)
        wanted = {key: value for key, value in self._repairs.items() if keys is None or key in keys}
        merged = {**found, **wanted}
        return {key: value for key, value in merged.items() if value is not None}

    def corrected_keys(self, found: set[str]) -> set[str]:
        """The keys read, as they are going to be once the repairs are made."""
        values, removals = split(self._repairs)
        return found.difference(removals).union(values) if self._repairs else found


class Ledgers:
    """The ledgers of all namespaces of one store."""

    def __init__(self) -> None:
        self._by_namespace: dict[str, Ledger] = {}

    def of(self, namespace: str) -> Ledger:
        return self._by_namespace.setdefault(namespace, Ledger())

    def items(self) -> list[tuple[str, Ledger]]:
        """Each namespace with its ledger, as of now."""
        return list(self._by_namespace.items())

    @property
    def repairs_pending(self) -> int:
        return sum(ledger.repairs_pending for ledger in self._by_namespace.values())

    def forget_repairs(self) -> None:
        for ledger in self._by_namespace.values():
            ledger.forget_repairs()
