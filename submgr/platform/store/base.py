# SPDX-License-Identifier: Apache-2.0
"""The namespaced key-value store: what its users see, whatever database is behind it.

Values are bytes under (namespace, key). Everything written by one `Change` is one atomic write. Nothing is
promised about the order of two changes in different namespaces: whoever needs one waits for the first.

What a failure means is in the type of the error. `StoreError` and `StoreUnavailable`: nothing was changed.
`StoreTimeout`: the database got the change and did not answer, so that it may carry it out at any later
time. The store then brings the keys back by itself, see `Store.submit`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

# Neither the glob characters of a redis pattern nor the braces and the comma of SDL's key form.
_NAMESPACE = re.compile(r"[A-Za-z0-9_.:@/-]+\Z")


class StoreError(Exception):
    """The database refused or cannot do what was asked; nothing was changed. Asking again may be in vain."""


class StoreUnavailable(StoreError):
    """The database cannot be reached; nothing was sent to it."""


class StoreTimeout(StoreError):
    """No answer in time, or the connection was lost before the answer: the outcome is unknown."""


class InvalidKey(StoreError, ValueError):
    """A namespace or key that not every database can hold."""


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


@dataclass(frozen=True, slots=True)
class Change:
    """Values to set and keys to remove in one namespace, done together or not at all.

    Raises InvalidKey for what no database could hold, and for a key that is to be set and removed;
    TypeError for a value that is not bytes.
    """

    namespace: str
    set: Mapping[str, bytes] = field(default_factory=dict)
    remove: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_namespace(self.namespace)
        for key, value in self.set.items():
            check_key(key)
            if not isinstance(value, bytes):
                raise TypeError(f"key {key!r}: a value is bytes, not {type(value).__name__}")
        for key in self.remove:
            check_key(key)
            if key in self.set:
                raise InvalidKey(f"key {key!r} is to be set and removed by one change")


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Figures since `start()`; `error` is why the database counts as unreachable, else None."""

    reachable: bool
    error: str | None
    waiting: int
    repairs_pending: int
    acknowledged: int
    failed: int
    groups: int


Operation = Literal["write", "read", "probe"]
FailureKind = Literal["write", "read", "remove"]


class StoreObserver(Protocol):
    """Told what the store does; must neither block nor raise."""

    def on_latency(self, operation: Operation, seconds: float) -> None:
        """One answered call of the database (a write is one group of changes)."""

    def on_failure(self, kind: FailureKind) -> None:
        """One failed change (`remove` when it only removes) or read."""


Done = Callable[[StoreError | None], None]


class Store(Protocol):
    """Used from the greenlets of one hub."""

    def start(self) -> None:
        """Open the database.

        A server that is down is no error: everything else then raises StoreUnavailable until it is there,
        and it is looked for in the background. Raises StoreError for what only an operator can mend (wrong
        settings; a file that is locked, corrupt or not writable); may then be called again.
        """

    def stop(self, timeout: float = 5.0) -> None:
        """Write what waits, for at most about `timeout` seconds (what is left fails), and close."""

    def submit(self, change: Change, done: Done, *, persistent: bool = False) -> None:
        """Hand over a change; returns at once.

        `done` is called exactly once, with None or the error, from a greenlet of the store, in the order of
        submission within a namespace and within twice the operation timeout. It must not block.

        A change that fails with StoreTimeout may have been carried out, now or later. Its keys are brought
        back to what they held before as soon as the database answers again, unless a later change has
        written them, and reads until then show what they are going to hold. With `persistent` it is the
        other way round: a failed change of any kind stays what its keys shall hold, and is tried in the
        background until it is acknowledged or a later change of the key is.
        """

    def write(self, change: Change, *, persistent: bool = False) -> None:
        """Like `submit`, but wait for the outcome; raises StoreError. Bounded by the store's own timeouts."""

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """The values of those keys that exist. Raises StoreError."""

    def read_all(self, namespace: str) -> dict[str, bytes]:
        """All keys of a namespace with their values. Raises StoreError."""

    def keys(self, namespace: str) -> set[str]:
        """All keys of a namespace. Raises StoreError."""

    def reachable(self) -> bool:
        """Whether the database answered lately; does not block (it is asked in the background)."""

    def pause_repairs(self) -> None:
        """Write nothing back by itself until the next `start()`, and forget what was to be written back."""

    def stats(self) -> StoreStats:
        """Figures for metrics and readiness."""


class StoreBackend(Protocol):
    """One kind of database, as `CommittingStore` drives it.

    Calls may block the calling greenlet, never the hub, and each is bounded in time by the backend. Writes
    are asked for by one greenlet at a time; reads and probes come in parallel.
    """

    def open(self) -> None:
        """Raises StoreError for what only an operator can mend; leaves nothing open then."""

    def close(self) -> None:
        """Close everything; never raises."""

    def probe(self) -> None:
        """Raises StoreError unless the database answers.

        When it returns, no write that ended with StoreTimeout before the call can take effect any more.
        """

    def write(self, namespace: str, values: Mapping[str, bytes], removals: Collection[str]) -> None:
        """Set and remove atomically. StoreTimeout when the outcome is unknown, else StoreError."""

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """As `Store.read`."""

    def read_all(self, namespace: str) -> dict[str, bytes]:
        """As `Store.read_all`."""

    def keys(self, namespace: str) -> set[str]:
        """As `Store.keys`."""
