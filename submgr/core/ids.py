# SPDX-License-Identifier: Apache-2.0
"""E2 instance ids: which are in use, by which node, and which one is given out next."""

from __future__ import annotations

from collections import OrderedDict, deque

FIRST, LAST = 1, 65534


class InstanceIds:
    """Gives out ids 1..65534, the one that has been free the longest first; every operation is O(1).

    An id whose last delete was never answered by its node goes to the very end: it is given out only when no other
    is left. Not for threads: one owner, no yield inside.
    """

    def __init__(self) -> None:
        self._owner: dict[int, str | None] = {}
        self._fresh = FIRST
        self._free: deque[int] = deque()
        self._doubtful: OrderedDict[int, None] = OrderedDict()

    def allocate(self, meid: str) -> int | None:
        """A free id, now owned by this node; None when all 65534 are in use."""
        while self._fresh <= LAST:
            candidate = self._fresh
            self._fresh += 1
            if candidate not in self._owner and candidate not in self._doubtful:
                self._owner[candidate] = meid
                return candidate
        while self._free:
            candidate = self._free.popleft()
            if candidate not in self._owner and candidate not in self._doubtful:
                self._owner[candidate] = meid
                return candidate
        while self._doubtful:
            candidate, _ = self._doubtful.popitem(last=False)
            if candidate not in self._owner:
                self._owner[candidate] = meid
                return candidate
        return None

    def claim(self, instance_id: int, meid: str | None) -> None:
        """Take a given id: it was found in the store. `meid` None: of an unreadable record, never given out."""
        self._owner[instance_id] = meid

    def release(self, instance_id: int, doubtful: bool = False) -> None:
        """Nothing of the old subscription is left. `doubtful`: its node never confirmed that."""
        if self._owner.pop(instance_id, None) is None:
            return
        if doubtful:
            self.doubt(instance_id)
        elif instance_id < self._fresh:
            self._free.append(instance_id)

    def doubt(self, instance_id: int) -> None:
        """A node may still have a subscription with this id: give it out only when no other is left."""
        self._doubtful[instance_id] = None

    def owner(self, instance_id: int) -> str | None:
        """Meid of the node whose subscription has this id."""
        return self._owner.get(instance_id)

    def owned_by(self, meid: str) -> list[int]:
        """All ids of a node. Looks at every id in use: not for a request's path."""
        return [instance_id for instance_id, owner in self._owner.items() if owner == meid]

    def in_use(self) -> int:
        return len(self._owner)
