# SPDX-License-Identifier: Apache-2.0
"""The namespaced key-value store as its users see it, and the databases behind it as the store sees them.

Values are bytes under (namespace, key). One `Change` is one atomic write. Two changes in different namespaces may be
written in any order: a user who needs an order waits for the first one.

The type of an error tells what it means. `StoreError` and `StoreUnavailable`: nothing was changed.
`StoreTimeout`: the database got the change and did not answer, so that it may carry it out at any later
time. The store then brings the keys back by itself, see `Store.submit`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Literal, Protocol

from msgspec import Struct, field

# Neither the glob characters of a redis pattern nor the braces and the comma of SDL's key form.
_NAMESPACE = re.compile(r"[A-Za-z0-9_.:@/-]+\Z")


BACKENDS = ("redis", "sqlite", "memory")
"""The names of the kinds of database, as configuration files have them."""


class StoreError(Exception):
    """The database refused a request or cannot do it; nothing was changed. The same request may fail again."""


class StoreRefusesWrites(StoreError):
    """The database answers and refuses every write (it is read-only, full, a replica); nothing was changed."""


class StoreUnavailable(StoreError):
    """The database cannot be reached; the request was not sent."""


class StoreTimeout(StoreError):
    """No answer in time, or the connection was lost before the answer: the outcome is unknown."""


class StoreFenced(StoreError):
    """Another process has the records, or this one has not taken them yet; nothing was changed."""


class StoreLost(StoreError):
    """The database came back without writes that it had acknowledged; nothing was changed. The store mends it."""


class InvalidKey(StoreError, ValueError):
    """A namespace or key that some database cannot hold."""


@lru_cache(maxsize=64)
def check_namespace(namespace: str) -> None:
    """Raises InvalidKey unless `namespace` is made of ASCII letters, digits and `_ . : @ / -`."""
    if not _NAMESPACE.match(namespace):
        raise InvalidKey(f"namespace {namespace!r}: only letters, digits and _ . : @ / - are allowed")


def check_key(key: str) -> None:
    """Raises InvalidKey unless `key` can be written as UTF-8."""
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise InvalidKey(f"key {key!r} cannot be written as UTF-8") from error


class Change(Struct, frozen=True):
    """Values to set and keys to remove in one namespace, all of them or none.

    Raises InvalidKey for a namespace or key that some database cannot hold, and for a key that is both set and
    removed; TypeError for a value that is not bytes.
    """

    namespace: str
    set: Mapping[str, bytes] = field(default_factory=dict)
    remove: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_namespace(self.namespace)
        for key, value in self.set.items():
            if not key.isascii():
                check_key(key)
            if not isinstance(value, bytes):
                raise TypeError(f"key {key!r}: a value is bytes, not {type(value).__name__}")
        for key in self.remove:
            check_key(key)
            if key in self.set:
                raise InvalidKey(f"key {key!r} is to be set and removed by one change")


class StoreStats(Struct, frozen=True):
    """Figures since `start()`; `error` is why the database counts as unreachable, else None.

    `losses`: how often it came back without acknowledged writes. `written_back`: keys that were written anew for that.
    `shared`: another process is known to write to it as well.
    """

    reachable: bool
    error: str | None
    waiting: int
    repairs_pending: int
    acknowledged: int
    failed: int
    groups: int
    losses: int
    written_back: int
    shared: bool


Operation = Literal["write", "read", "probe"]
FailureKind = Literal["write", "read", "remove"]


class StoreObserver(Protocol):
    """Is told of the store's calls and failures, for metrics. Its methods must neither block nor raise."""

    def on_latency(self, operation: Operation, seconds: float) -> None:
        """The database answered one call (a write is one group of changes) after `seconds`."""

    def on_failure(self, kind: FailureKind) -> None:
        """One change (`remove`: it only removes keys) or read has failed."""


Done = Callable[[StoreError | None], None]


class Store(Protocol):
    """The store. Its users are the greenlets of one hub."""

    def start(self) -> None:
        """Opens the database.

        A server that is down is no error: the store looks for it in the background, and until it answers every
        other method raises StoreUnavailable. Raises StoreError for a fault that only an operator can mend (wrong
        settings; a file that is locked, corrupt or not writable); may then be called again.
        """

    def stop(self, timeout: float = 5.0) -> None:
        """Writes the waiting changes for at most about `timeout` seconds (the rest fails), and closes the database."""

    def submit(self, change: Change, done: Done, *, persistent: bool = False, lingers: bool = False) -> None:
        """Hands over a change; returns at once. `lingers`: nobody waits for it, so that it may go a moment later,
        together with the next change of its namespace.

        `done` is called exactly once, with None or the error, from a greenlet of the store, in the order of
        submission within a namespace and within twice the operation timeout. It must not block.

        The database may carry out a change that failed with StoreTimeout, now or later. As soon as it answers
        again, the store brings the keys back to their values before the change, unless a later change has written
        them; until then reads show the values that the keys are going to hold. With `persistent` it is the other
        way round: the store repeats a change that failed for any reason in the background, until the change or a
        later change of the key is acknowledged.
        """

    def write(self, change: Change, *, persistent: bool = False) -> None:
        """Like `submit`, but waits for the outcome; raises StoreError. The store's own timeouts bound the wait."""

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """The values of those keys that exist. Raises StoreError."""

    def read_all(self, namespace: str) -> dict[str, bytes]:
        """All keys of a namespace with their values. Raises StoreError."""

    def keys(self, namespace: str) -> set[str]:
        """All keys of a namespace. Raises StoreError."""

    def reachable(self) -> bool:
        """Whether the database answered lately; does not block (the store asks it in the background)."""

    def trouble(self) -> str | None:
        """Why records cannot be saved at the moment, in words; None when they can. Does not block."""

    def pause_repairs(self) -> None:
        """Forgets the repairs that are due, and makes none until the next `start()`; writes nothing back either."""

    def marked_epoch(self) -> int:
        """The largest epoch with which any process has taken the database; 0: none. Blocks. Raises StoreError."""

    def lost_writes(self) -> bool:
        """Whether the database lacks writes that it once had, as far as this store knows. Blocks. Raises StoreError."""

    def fence(self, epoch: int) -> None:
        """Takes the database for this process: from now on every write needs `epoch` to be the largest one.

        Only for a store that was made `fenced`, which writes nothing before. Blocks. Raises StoreFenced for an epoch
        that is too small, else StoreError; may then be called again with the same epoch. When the database has lost
        writes since this store knew it, all that this store knows is written back in the background.
        """

    def release(self) -> None:
        """Writes nothing any more until the next `fence`; what waits fails with StoreFenced. Does not block."""

    def on_fenced(self, tell: Callable[[], None]) -> None:
        """Has `tell` called when another process is found to have taken the database; writes fail from then on.

        It is called once for each `fence`, from a greenlet of the store, and must not block.
        """

    def follow(self, change: Change) -> None:
        """Takes note of what another process has written, for the time after `fence`. Does not block."""

    def stats(self) -> StoreStats:
        """Figures for metrics and readiness."""


class StoreBackend(Protocol):
    """One kind of database, as `CommittingStore` drives it.

    A call may block the calling greenlet, never the hub, and the backend bounds its time. One greenlet at a time
    writes; reads and probes come in parallel.
    """

    def open(self) -> None:
        """Raises StoreError for a fault that only an operator can mend; leaves nothing open then."""

    def close(self) -> None:
        """Closes everything; never raises."""

    def probe(self) -> None:
        """Raises StoreError unless the database answers; StoreRefusesWrites when it answers and takes no writes.

        Looks whether the database has lost writes, too. When it returns or raises StoreRefusesWrites, no write that
        ended with StoreTimeout before the call can take effect any more.
        """

    def write(self, namespace: str, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        """Sets and removes atomically. Raises StoreTimeout when the outcome is unknown, else StoreError.

        StoreLost: writes that were acknowledged earlier are gone; nothing is written until `take_again`.
        """

    def has_lost(self, namespace: str | None = None) -> bool:
        """Whether writes (to the namespace) are known to be gone. Does not ask the database."""

    def take_again(self) -> None:
        """Lets the database that has lost writes be written to again. Raises StoreError."""

    def say_complete(self) -> None:
        """Tells the database that all lost writes are back. Raises StoreError."""

    def marked_epoch(self) -> int:
        """As `Store.marked_epoch`."""

    def lost_writes(self) -> bool:
        """As `Store.lost_writes`."""

    def fence(self, epoch: int) -> None:
        """As `Store.fence`."""

    def overtaken(self) -> bool:
        """Whether another process is known to have taken the database since `fence`. Does not ask the database."""

    def release(self) -> None:
        """As `Store.release`."""

    def shared(self) -> bool:
        """As `StoreStats.shared`."""

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """As `Store.read`."""

    def read_all(self, namespace: str) -> dict[str, bytes]:
        """As `Store.read_all`."""

    def keys(self, namespace: str) -> set[str]:
        """As `Store.keys`."""


class OwnDatabase:
    """The part of a `StoreBackend` whose database no other process can write, and that does not forget."""

    def has_lost(self, namespace: str | None = None) -> bool:
        return False

    def take_again(self) -> None:
        pass

    def say_complete(self) -> None:
        pass

    def marked_epoch(self) -> int:
        return 0

    def lost_writes(self) -> bool:
        return False

    def fence(self, epoch: int) -> None:
        pass

    def overtaken(self) -> bool:
        return False

    def release(self) -> None:
        pass

    def shared(self) -> bool:
        return False
