# SPDX-License-Identifier: Apache-2.0
"""The registry: what the E2 nodes share. Instance ids, the node of each SubscriptionId, the notification quota.

Nodes change it in single steps, without a yield in between: no locks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

FIRST, LAST = 1, 65534
MARK_AHEAD = 16
"""Ids that are given out between two writes of the mark from which the next start goes on."""


class InstanceIds:
    """Gives out instance ids 1..65534, the id that has been free the longest first; every operation is O(1).

    An id whose last delete was never answered by its E2 node, or whose route may be left, goes to the very end: it is
    given out only when no other id is left. A start goes on where the previous run ended (`mark`, `go_on_at`), so that
    indications and routes of before do not meet a new subscription. Not for threads: one owner, no yield inside.
    """

    def __init__(self) -> None:
        self._owner: dict[int, str | None] = {}
        self._fresh = FIRST
        self._free: OrderedDict[int, None] = OrderedDict()
        self._doubtful: OrderedDict[int, None] = OrderedDict()
        self._reused: set[int] = set()
        self._last = 0
        self._mark = 0

    def allocate(self, meid: str) -> int | None:
        """Returns a free id, which this node owns from now on; None when all 65534 are in use."""
        while self._fresh <= LAST:
            candidate = self._fresh
            self._fresh += 1
            if candidate not in self._owner and candidate not in self._doubtful and candidate not in self._free:
                return self._give(candidate, meid, reused=False)
        if self._free:
            candidate, _ = self._free.popitem(last=False)
            return self._give(candidate, meid, reused=True)
        while self._doubtful:
            candidate, _ = self._doubtful.popitem(last=False)
            if candidate not in self._owner:
                return self._give(candidate, meid, reused=True)
        return None

    def _give(self, instance_id: int, meid: str, reused: bool) -> int:
        self._owner[instance_id] = meid
        self._last = instance_id
        if reused:
            self._reused.add(instance_id)
        else:
            self._reused.discard(instance_id)
        return instance_id

    def reused(self, instance_id: int) -> bool:
        """Did this id belong to an earlier subscription before it was given out?"""
        return instance_id in self._reused

    @property
    def mark(self) -> int:
        """Where the next start goes on: the id after the last one given out; more by LAST once all were in use."""
        return self._last + 1 + (LAST if self._fresh > LAST else 0)

    def next_mark(self) -> int | None:
        """Returns a mark to be stored now, a little ahead of the ids given out; None: the stored one still holds."""
        mark = self.mark
        if self._mark - MARK_AHEAD <= mark <= self._mark:
            return None
        self._mark = mark + MARK_AHEAD - 1
        return self._mark

    def go_on_at(self, mark: int) -> None:
        """Goes on where the previous run ended, at this `mark`. Call it before anything is allocated."""
        wrapped = mark > LAST + 1
        following = (mark - LAST if wrapped else mark) if FIRST < mark <= 2 * LAST + MARK_AHEAD else FIRST
        earlier = [*(range(following, LAST + 1) if wrapped else ()), *range(FIRST, min(following, LAST + 1))]
        taken = self._owner.keys() | self._doubtful.keys()
        self._free = OrderedDict.fromkeys(each for each in earlier if each not in taken)
        self._fresh = LAST + 1 if wrapped else following
        self._last = following - 1

    def claim(self, instance_id: int, meid: str | None) -> None:
        """Takes an id that was found in the store. `meid` None: its record is unreadable, it is never given out."""
        self._owner[instance_id] = meid
        self._free.pop(instance_id, None)

    def release(self, instance_id: int, doubtful: bool = False) -> None:
        """Frees an id: nothing of its subscription is left. `doubtful`: the E2 node never confirmed the delete."""
        if self._owner.pop(instance_id, None) is None:
            return
        if doubtful:
            self.doubt(instance_id)
        elif instance_id not in self._doubtful:
            self._free[instance_id] = None

    def doubt(self, instance_id: int) -> None:
        """An E2 node may still have a subscription with this id: it is given out only when no other id is left."""
        self._doubtful[instance_id] = None
        self._free.pop(instance_id, None)

    def owner(self, instance_id: int) -> str | None:
        """Returns the Meid of the node whose subscription has this id."""
        return self._owner.get(instance_id)

    def taken(self, instance_id: int) -> bool:
        """Is this id in use, or that of a record that cannot be read?"""
        return instance_id in self._owner

    def owned_by(self, meid: str) -> list[int]:
        """Returns all ids of a node. Looks at every id in use: not for a request's path."""
        return [instance_id for instance_id, owner in self._owner.items() if owner == meid]

    def in_use(self) -> int:
        return len(self._owner)


class NotificationQuota:
    """Counts the room that is taken in the notification queue of each xApp's HTTP endpoint ("host:port").

    A POST reserves room for each of its details before it is accepted, so that every outcome can be told.
    `bound` returns the room of one endpoint; it is asked at each reservation, so that a new setting counts at once.
    Not for threads: every operation is one step without a yield.
    """

    def __init__(self, bound: Callable[[], int]) -> None:
        self._bound = bound
        self._taken: dict[str, int] = {}

    def reserve(self, endpoint: str, n: int) -> bool:
        """Takes room for `n` notifications; returns False, and takes nothing, when there is less."""
        if self.taken(endpoint) + n > self._bound():
            return False
        self.take(endpoint, n)
        return True

    def take(self, endpoint: str, n: int = 1) -> None:
        """Takes room for `n` notifications, free or not: for what has to be told although nobody just asked for it."""
        if n > 0:
            self._taken[endpoint] = self.taken(endpoint) + n

    def release(self, endpoint: str, n: int = 1) -> None:
        """Gives room for `n` notifications back, at most what is taken."""
        left = self.taken(endpoint) - n
        if left > 0:
            self._taken[endpoint] = left
        else:
            self._taken.pop(endpoint, None)

    def taken(self, endpoint: str) -> int:
        return self._taken.get(endpoint, 0)

    def total(self) -> int:
        """Returns the room taken at all endpoints."""
        return sum(self._taken.values())


class Registry:
    """`ids`: instance ids of all nodes. `quota`: room in the notification queues.

    `meids`: the Meid of every REST subscription by SubscriptionId, until its DELETE has been written to the store.
    """

    def __init__(self, quota: NotificationQuota) -> None:
        self.ids = InstanceIds()
        self.quota = quota
        self.meids: dict[str, str] = {}
