# SPDX-License-Identifier: Apache-2.0
"""Counts the bytes that an HTTP server holds for its clients: requests that come, answers that are being taken."""

from collections import Counter
from typing import Generic, TypeVar

T = TypeVar("T")


class InFlight(Generic[T]):
    """The bytes in flight of all clients. An answer that is sent to several of them at the same time counts once.

    `total`: their sum.
    """

    def __init__(self) -> None:
        self.total = 0
        self._received: dict[T, int] = {}
        self._answers: dict[T, bytes | memoryview] = {}
        self._takers: Counter[int] = Counter()

    def of(self, client: T) -> int:
        """The bytes that are held for `client`."""
        return self._received.get(client, 0) + len(self._answers.get(client, b""))

    def receive(self, client: T, octets: int) -> None:
        """So many more bytes of the client's request have come."""
        self._received[client] = self._received.get(client, 0) + octets
        self.total += octets

    def send(self, client: T, answer: bytes | memoryview) -> None:
        """The client is given this answer, or this piece of one, in place of the one before."""
        self._sent(client)
        self._answers[client] = answer
        self._takers[id(answer)] += 1
        if self._takers[id(answer)] == 1:
            self.total += len(answer)

    def release(self, client: T) -> None:
        """Nothing is held for the client any more."""
        self.total -= self._received.pop(client, 0)
        if client in self._answers:
            self._sent(client)

    def _sent(self, client: T) -> None:
        answer = self._answers.pop(client, None)
        if answer is None:
            return
        self._takers[id(answer)] -= 1
        if not self._takers[id(answer)]:
            del self._takers[id(answer)]
            self.total -= len(answer)
