# SPDX-License-Identifier: Apache-2.0
"""Records that several processes read and change at the same time: each change is a compare-and-set.

No process holds the truth. A change says which values it has been decided on; the database makes it only if they are
still those, else whoever made it reads anew and decides anew (`retried`). What a process remembers, it remembers
together with the octets that tell whether it still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol, TypeVar

from msgspec import Struct, field

from submgr.platform.store.base import InvalidKey, StoreError, check_key, check_namespace

T = TypeVar("T")

TRIES = 20
"""So often a change is decided anew that others were faster with. Each time one of them has got on."""


class SharedConflict(StoreError):
    """Others were faster with their changes of the same records, again and again. Nothing was changed."""


class Entry(Struct, frozen=True):
    """What a change appends to a log, unless `most` entries wait in the log already.

    The log L has the number of its last entry under the key `L/next`, of the last one that is done with under `L/done`,
    and entry n under `L/n`. Whoever listens to the channel L of the namespace is woken.
    """

    log: str
    payload: bytes
    most: int = 10_000


class Swap(Struct, frozen=True):
    """One atomic change in one namespace, made only if each key of `expected` has its value (None: is not there).

    `seconds`: after so long what it sets is gone again; None: it stays.

    Raises InvalidKey for a namespace or key that no database can hold, and for a key that is both set and removed.
    """

    namespace: str
    expected: Mapping[str, bytes | None] = field(default_factory=dict)
    set: Mapping[str, bytes] = field(default_factory=dict)
    remove: frozenset[str] = frozenset()
    entry: Entry | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        check_namespace(self.namespace)
        for key in (*self.expected, *self.set, *self.remove):
            check_key(key)
        if both := self.remove & self.set.keys():
            raise InvalidKey(f"key {min(both)!r} is to be set and removed by one change")


class Swapped(Struct, frozen=True):
    """Whether a change was made, and the number of its entry in the log: None when it has none, or was left out."""

    made: bool
    entry: int | None = None


class SharedStore(Protocol):
    """The records. A call blocks the calling greenlet, for a bounded time, and raises StoreError.

    After a StoreTimeout the database may have made the change, or make it later. It is a compare-and-set even then.
    """

    def start(self) -> None:
        """Prepares. Raises StoreError for wrong settings only."""

    def stop(self) -> None: ...

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """The values of those keys that exist, up to 250 of them of one moment."""

    def keys(self, namespace: str, prefix: str) -> set[str]:
        """The keys that begin with `prefix`. Looks at the whole namespace: not for a request's path."""

    def swap(self, swap: Swap) -> Swapped:
        """Makes a change, or not."""

    def lend(self, namespace: str, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        """Sets a value that is gone after `seconds` (None: removes it) if it is `expected`. Whether it was."""

    def listen(self, namespace: str, channel: str, wake: Callable[[], None]) -> None:
        """Has `wake` called at each message of a channel, and whenever messages may have been missed."""


def retried(change: Callable[[], T | None]) -> T:
    """Calls `change`, which reads, decides and swaps, until it returns something else than None.

    Raises SharedConflict after TRIES times, and what `change` raises.
    """
    for _ in range(TRIES):
        made = change()
        if made is not None:
            return made
    raise SharedConflict(f"others were faster {TRIES} times in a row")
