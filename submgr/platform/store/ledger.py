# SPDX-License-Identifier: Apache-2.0
"""What one namespace of the database holds and what it shall hold. Pure bookkeeping, no database here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from submgr.platform.store.base import Change

# What a group of changes makes of each key it touches: the new value, or None for "removed".
Effect = dict[str, bytes | None]


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
    """Of one namespace: the acknowledged values, and the repairs to be made.

    The value to go back to after a write with an unknown outcome must be known before the write is sent.
    It is when the key was written by this process, or the whole namespace was read once; other keys are
    `unseen` and have to be read first.
    """

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}
        self._complete = False
        self._sent: Collection[str] = ()
        self._readers: list[set[str]] = []
        self._repairs: Effect = {}

    def unseen(self, effect: Effect) -> list[str]:
        """Keys of which it is not known whether and what the database holds."""
        if self._complete:
            return []
        return [key for key in effect if key not in self._held]

    def seen(self, values: Mapping[str, bytes]) -> None:
        """What `unseen` keys turned out to hold."""
        self._held.update(values)

    @contextmanager
    def reading_all(self) -> Iterator[dict[str, bytes]]:
        """While the whole namespace is read; put what was found into the mapping that is yielded.

        What is written meanwhile is newer than what is found, or not acknowledged yet.
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
        """While `effect` is on its way to the database."""
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
        """`change` was not acknowledged; plan what has to be written because of that."""
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
        """What was read (of `keys`, else of all) as it is going to be once the repairs are made."""
        if not self._repairs:
            return dict(found)
        wanted = {key: value for key, value in self._repairs.items() if keys is None or key in keys}
        merged = {**found, **wanted}
        return {key: value for key, value in merged.items() if value is not None}

    def corrected_keys(self, found: set[str]) -> set[str]:
        """The same of the keys alone."""
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
