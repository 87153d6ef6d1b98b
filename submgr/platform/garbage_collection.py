# SPDX-License-Identifier: Apache-2.0
"""Keeps Python's garbage collector from stopping a process that holds many objects.

A full collection looks at every object: 25 ms after the start, half a second with ten thousand subscriptions, and
nothing else runs meanwhile. With `keep_collections_short` a collection does not look again at objects that survived
an earlier one, so that it costs as much as has come since. Objects are freed as before when nothing refers to them
any more. Only a cycle of objects that was old already when it became garbage would stay: long-lived objects must not
end in cycles.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG, _MIDDLE, _OLD = 1000, 4, 2
"""After so many new objects these are looked at (less than 0.5 ms); after five times that, their survivors; and after
three times that, the survivors' survivors: a few milliseconds."""


def keep_collections_short() -> None:
    """Sets the collector of the whole process. To be called once, when everything is imported.

    What imports leave behind as garbage stays: 1,500 objects are not worth looking at 90,000 others (30 ms of a start).
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    gc.callbacks.append(_after)


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


def _after(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()
