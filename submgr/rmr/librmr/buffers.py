# SPDX-License-Identifier: Apache-2.0
"""Buffers of librmr with a message in them: a received message, and a message to be sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from submgr.rmr.librmr.binding import Library
from submgr.rmr.message import Message, Status


class Received:
    """The buffer that a message came in. With it librmr can answer on the same connection.

    The first answer uses the buffer up. A message without an answer frees its buffer when it is forgotten.
    """

    __slots__ = ("_buffer", "_library")

    def __init__(self, library: Library, buffer: Any) -> None:
        self._library = library
        self._buffer = buffer

    def take(self) -> Any:
        """The buffer, the first time; then None."""
        buffer, self._buffer = self._buffer, None
        return buffer

    def __del__(self) -> None:
        if self._buffer is not None:
            self._library.free(self._buffer)


class Outgoing:
    """A message to be sent through librmr. The native thread of a lane calls one of the three ways to send it."""

    def __init__(self, library: Library, message: Message, received: Any) -> None:
        self._library = library
        self._message = message
        self._received = received
        self._buffer: Any = None

    def by_route(self) -> tuple[Status, str]:
        """One try to send by librmr's own route table."""
        return self._try(self._library.send)

    def back(self) -> tuple[Status, str]:
        """One try to send back to where the request came from."""
        return self._try(self._library.return_to_sender)

    def through(self, wormholes: dict[str, int], endpoint: str) -> tuple[Status, str]:
        """One try to send straight to an endpoint."""
        wormhole = wormholes.get(endpoint, -1)
        if wormhole < 0:
            wormhole = self._library.open_wormhole(endpoint)
            if wormhole < 0:
                return Status.NOENDPT, f"cannot connect to {endpoint}"
            wormholes[endpoint] = wormhole
        return self._try(lambda buffer: self._library.send_through(wormhole, buffer))

    def dispose(self) -> None:
        """Gives the buffers back."""
        for buffer in (self._buffer, self._received):
            if buffer is not None:
                self._library.free(buffer)
        self._buffer = self._received = None

    def _try(self, send: Callable[[Any], tuple[Any, Status, int]]) -> tuple[Status, str]:
        if self._buffer is None:
            received, self._received = self._received, None
            try:
                fill = self._library.fill
                self._buffer = fill(received, self._message) if received else self._library.new(self._message)
            except MemoryError as bad:
                return Status.RETRY, str(bad)
        self._buffer, status, error = send(self._buffer)
        return status, f"librmr: {status.name}, {os.strerror(error) if error else 'no particulars'}"
