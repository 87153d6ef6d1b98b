# SPDX-License-Identifier: Apache-2.0
"""Keeps Python's garbage collector from stopping a process that holds many objects.

A full collection looks at every object: 25 ms after the start, half a second with ten thousand subscriptions, and
nothing else runs meanwhile. With `keep_collections_short` a collection looks at what has come since the last one, and
survivors are set aside for good once they are many: each of them was looked at once. Garbage that only a collection
can free comes with failures and with connections that end. While most of what a collection sees is garbage, hardly any
survivors gather, and they are looked at again and again: what is in use at the moment will be garbage, too.

Objects are freed as before when nothing refers to them any more. Only a cycle of objects that were set aside before it
became garbage would stay: long-lived objects must not end in cycles.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW = 5000
"""After so many new objects these are looked at: one or two milliseconds."""
_OFTEN = 2
"""After so many such collections the next one looks at all survivors as well: a few milliseconds, and rare, since
without garbage they have been set aside by then."""
_MANY = 12_000
"""So many survivors are set aside."""


def keep_collections_short() -> None:
    """Sets the collector of the whole process. To be called once, when everything is imported.

    What imports leave behind as garbage stays: 1,500 objects are not worth looking at 90,000 others (30 ms of a start).
    """
    gc.freeze()
    gc.set_threshold(_NEW, _OFTEN, 0)
    gc.callbacks.append(_SetsAside())


@contextmanager
def without_collections() -> Iterator[None]:
    """Goes around work that makes very many objects which stay: a restore of all subscriptions, the imports of a start.

    A fifth of its time would go into looking at them again and again. They are never looked at afterwards either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class _SetsAside:
    """Counts what survives the collections."""

    def __init__(self) -> None:
        self._survivors = 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase != "stop":
            return
        self._survivors = max(self._survivors + _NEW - info["collected"], 0)
        if self._survivors >= _MANY:
            gc.freeze()
            self._survivors = 0
