# SPDX-License-Identifier: Apache-2.0
"""Makes large answers one at a time, and each once for all who ask for it at the same time."""

from collections.abc import Callable
from typing import Generic, TypeVar

from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore

from submgr.platform.turns import turn

T = TypeVar("T")


class SharedAnswers(Generic[T]):
    """The answers that are asked for and whose making has not begun yet.

    However many clients ask, one answer is being made, and each is made once for all who have asked before its making
    began. So an answer never misses what its client had done before it asked.
    """

    def __init__(self) -> None:
        self._awaited: dict[str, AsyncResult] = {}
        self._making = BoundedSemaphore(1)

    def get(self, make: Callable[[], T], name: str = "") -> T:
        """The answer `name`, made by `make` here or by one who has asked before. Raises what `make` raised."""
        awaited = self._awaited.get(name)
        if awaited is None:
            awaited = self._awaited[name] = AsyncResult()
            self._make(make, name, awaited)
        answer: T = awaited.get()
        return answer

    def _make(self, make: Callable[[], T], name: str, awaited: AsyncResult) -> None:
        try:
            with self._making:
                turn()  # for those who ask right now
                del self._awaited[name]
                awaited.set(make())
        except BaseException as exc:  # also when this client's greenlet is ended: the others must not wait for ever
            if self._awaited.get(name) is awaited:
                del self._awaited[name]
            awaited.set_exception(exc)
