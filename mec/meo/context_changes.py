# SPDX-License-Identifier: Apache-2.0
"""Changes contexts in the store and then in memory, together with the journal records that a change begins or ends.

Changes of one context come one after the other. Each is one atomic write: a crash leaves the state before it or after
it, and the journal tells the next start what to do about either.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from gevent.lock import BoundedSemaphore

from mec.meo.deployments import Deployments
from mec.meo.model import Context, Pair
from mec.meo.records import CONTEXTS, Notification, encode
from mec.meo.state import MeoState
from submgr.platform.store.base import Change, Store, StoreError

Moved = tuple[Context, Notification | None]


@dataclass(slots=True)
class _Lock:
    turn: BoundedSemaphore = field(default_factory=BoundedSemaphore)
    users: int = 0


class ContextChanges:
    """Makes the changes. Every method raises StoreError, and then nothing has changed."""

    def __init__(self, state: MeoState, store: Store, deployments: Deployments) -> None:
        self._state = state
        self._store = store
        self._deployments = deployments
        self._locks: dict[str, _Lock] = {}

    def enter(self, context: Context) -> None:
        """Adds a context. The caller holds its pair and leaves it to the context."""
        self._write({context.id: encode(context)}, arrives=context.pair)
        self._state.put_context(context)

    def leave(
        self, context_id: str, notification: Notification | None = None, only_at: str | None = None
    ) -> Context | None:
        """Ends a context and stores what its device is told. None: it is gone, or not on platform `only_at`.

        With a notification its pair stays held until the device is told, see `told`.
        """
        with self._alone(context_id):
            context = self._state.contexts.get(context_id)
            if context is None or (only_at is not None and context.platform != only_at):
                return None
            records = {notification.store_key: encode(notification)} if notification else {}
            with self._leaving(context):
                self._write(records, remove=frozenset((context_id,)), departs=self._last(context))
                self._state.drop_context(context_id)
        if notification is None:
            self._deployments.release(context.pair)
        return context

    def move(self, context_id: str, origin: str, moved: Callable[[Context], Moved]) -> Moved | None:
        """Moves a context away from `origin`. None: the context is no longer there.

        `moved` returns the context as it will be, and the notification for its device. The caller holds the pair of the
        new context and leaves it to the context. With a notification the pair at the origin stays held until the device
        is told, see `told`.
        """
        with self._alone(context_id):
            context = self._state.contexts.get(context_id)
            if context is None or context.platform != origin:
                return None
            new, notification = moved(context)
            values = {context_id: encode(new)} | (
                {notification.store_key: encode(notification)} if notification else {}
            )
            with self._leaving(context):
                self._write(values, arrives=new.pair, departs=self._last(context))
                self._state.put_context(new)
        if notification is None:
            self._deployments.release(context.pair)
        return new, notification

    def told(self, notification: Notification) -> None:
        """The device has been told, or will never be: its application is not needed any more where it was."""
        if notification.origin is not None:
            self._deployments.release(notification.origin)

    def change(self, context_id: str, changed: Callable[[Context], Context | None], remove: frozenset[str]) -> bool:
        """Changes a context but not its platform, and removes the records `remove`. False: it is gone, or unchanged."""
        with self._alone(context_id):
            context = self._state.contexts.get(context_id)
            new = changed(context) if context is not None else None
            self._write({context_id: encode(new)} if new else {}, remove=remove)
            if new is None:
                return False
            self._state.put_context(new)
            return True

    def _last(self, context: Context) -> Pair | None:
        """The pair of a leaving context when nobody else stays there."""
        return None if self._state.stays(context.pair) else context.pair

    def _write(
        self,
        values: Mapping[str, bytes],
        *,
        remove: frozenset[str] = frozenset(),
        arrives: Pair | None = None,
        departs: Pair | None = None,
    ) -> None:
        # from here to the submission nobody else runs: the journal's state and the order of the changes agree
        gone = self._deployments.arriving(arrives) if arrives else frozenset()
        left = self._deployments.departing(departs) if departs else {}
        try:
            if values or left or remove or gone:
                self._store.write(Change(CONTEXTS, {**values, **left}, remove | gone))
        except StoreError:
            if arrives and gone:
                self._deployments.not_arrived(arrives)
            raise

    @contextmanager
    def _leaving(self, context: Context) -> Iterator[None]:
        self._state.leaving.add(context.id)
        try:
            yield
        finally:
            self._state.leaving.discard(context.id)

    @contextmanager
    def _alone(self, context_id: str) -> Iterator[None]:
        lock = self._locks.setdefault(context_id, _Lock())
        lock.users += 1
        try:
            with lock.turn:
                yield
        finally:
            lock.users -= 1
            if not lock.users:
                del self._locks[context_id]
