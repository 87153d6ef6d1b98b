# SPDX-License-Identifier: Apache-2.0
"""The application states that are kept in memory: the ones used last, up to a size."""

from collections import OrderedDict
from collections.abc import Hashable


class StateCache:
    """States by key, at most `size` bytes of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.held = 0
        self._states: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, key: Hashable) -> bytes | None:
        state = self._states.get(key)
        if state is not None:
            self._states.move_to_end(key)
        return state

    def put(self, key: Hashable, state: bytes) -> None:
        self.drop(key)
        self._states[key] = state
        self.held += len(state)
        while self.held > self._size:
            _, oldest = self._states.popitem(last=False)
            self.held -= len(oldest)

    def drop(self, key: Hashable) -> None:
        self.held -= len(self._states.pop(key, b""))
