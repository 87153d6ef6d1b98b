# SPDX-License-Identifier: Apache-2.0
"""Counts the bytes that an HTTP server holds for its clients: requests that come, and answers that are being taken."""

from collections import Counter
from typing import Generic, TypeVar

T = TypeVar("T")


class RequestBytes(Generic[T]):
    """What has come of the requests of all clients. `total`: their sum."""

    def __init__(self) -> None:
        self.total = 0
        self._received: dict[T, int] = {}

    def of(self, client: T) -> int:
        """The bytes that are held for `client`."""
        return self._received.get(client, 0)

    def add(self, client: T, octets: int) -> None:
        """So many more bytes of the client's request have come."""
        self._received[client] = self._received.get(client, 0) + octets
        self.total += octets

    def release(self, client: T) -> None:
        """Nothing is held for the client any more."""
        self.total -= self._received.pop(client, 0)


class AnswerBytes(Generic[T]):
    """The answers that all clients are taking. One that is sent to several of them counts once. `total`: their sum."""

    def __init__(self) -> None:
        self.total = 0
        self._answers: dict[T, bytes | memoryview] = {}
        self._takers: Counter[int] = Counter()

    def of(self, client: T) -> int:
        """The bytes that are held for `client`."""
        return len(self._answers.get(client, b""))

    def put(self, client: T, answer: bytes | memoryview) -> None:
        """The client is given this answer, or this piece of one, in place of the one before."""
        self.release(client)
        self._answers[client] = answer
        self._takers[id(answer)] += 1
        if self._takers[id(answer)] == 1:
            self.total += len(answer)

    def release(self, client: T) -> None:
        """Nothing is held for the client any more."""
        answer = self._answers.pop(client, None)
        if answer is None:
            return
        self._takers[id(answer)] -= 1
        if not self._takers[id(answer)]:
            del self._takers[id(answer)]
            self.total -= len(answer)
