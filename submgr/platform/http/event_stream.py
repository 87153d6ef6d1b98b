# SPDX-License-Identifier: Apache-2.0
"""Sends the events of a ring as server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import gevent
import msgspec
from flask import Response, request

from submgr.platform.event_ring import EventRing, RingEntry
from submgr.platform.fair import Share
from submgr.platform.http.app import ApiError
from submgr.platform.http.open_stream import Listener

MOST_STREAMS = 32
RETRY_AFTER = "1"
KEEP_ALIVE = 15.0
"""Seconds after which a stream without events shows that it is alive."""
_PAUSE = 0.1
"""Seconds between two pieces of a stream: what happens meanwhile is sent together."""
_LOOK = 1.0
"""Seconds between two looks whether the client is there."""
_PIECE = 250
_PIECE_BYTES = 1 << 17
"""Events that are sent in one piece, and their size: it is held until the client takes it."""

_encode = msgspec.json.Encoder().encode

E = TypeVar("E", bound=RingEntry)


def wants_stream() -> bool:
    """Whether the client of the current request asks for server-sent events rather than for a list."""
    return request.accept_mimetypes.best == "text/event-stream"


class EventStreams(Generic[E]):
    """The streams of `ring`, MOST_STREAMS at a time. A stream has no queue of its own but a place in the ring.

    `kind`: the name of an event's type; `line`: the event in one line of JSON. `missed`: what the number of events
    that are missing is called in a gap.
    """

    def __init__(
        self, ring: EventRing[E], kind: Callable[[E], str], line: Callable[[E], bytes], missed: str = "Missed"
    ) -> None:
        self._ring = ring
        self._kind = kind
        self._line = line
        self._missed = missed
        self._streams = 0

    def answer(self, takes: Callable[[E], bool], least: int, since: str | None) -> Response:
        """A stream of the events that `takes` wants, which are of severity `least` or worse.

        It begins after the header Last-Event-ID or `since`, else with what is new. Raises ApiError 503, and ValueError
        for a `since` that is no id.
        """
        after = self._ring.number_of(since) if since is not None else None
        resumes = since is not None
        last = request.headers.get("Last-Event-ID")
        if last:
            resumes = True
            try:
                after = self._ring.number_of(last)
            except ValueError:  # of somebody else's: nothing is known of what the client has missed
                after = None
        if self._ring.closed:
            raise ApiError(503, "the process is stopping", headers={"Retry-After": RETRY_AFTER})
        if self._streams >= MOST_STREAMS:
            raise ApiError(
                503, f"{MOST_STREAMS} clients follow the events already", headers={"Retry-After": RETRY_AFTER}
            )
        self._streams += 1
        listener = Listener(request.environ)
        if not resumes:
            lines = self._lines(takes, least, self._ring.last, listener)
        elif after is None:
            lines = self._from_the_start(takes, least, listener)
        else:
            lines = self._lines(takes, least, after, listener)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        answer = Response(lines, content_type="text/event-stream", headers=headers)
        answer.call_on_close(self._ended)
        return answer

    def _ended(self) -> None:
        self._streams -= 1

    def _from_the_start(self, takes: Callable[[E], bool], least: int, listener: Listener) -> Iterator[bytes]:
        """For a client that knows an earlier run: what it missed of that, nobody knows."""
        yield self._gap(None)
        yield from self._lines(takes, least, 0, listener)

    def _lines(self, takes: Callable[[E], bool], least: int, number: int, listener: Listener) -> Iterator[bytes]:
        """The stream behind event `number`. Nothing waits for a slow client: what it misses is told as a gap."""
        ring, share = self._ring, Share()
        yield b": events\n\n"
        sent, told = time.monotonic(), 0
        while not ring.closed and listener.there():
            share.renew()
            share.spend()
            # severities lose their entries at different numbers: what was told to be missing is not told again
            missed = ring.missed(max(number, told), least)
            piece, size = [self._gap(missed)] if missed else [], 0
            told = ring.gone if missed else told
            for entry in ring.after(number)[:_PIECE]:
                number = entry.number
                if takes(entry):
                    head = f"id: {ring.id_of(entry)}\nevent: {self._kind(entry)}\ndata: ".encode()
                    piece.append(head + self._line(entry) + b"\n\n")
                    size += len(piece[-1])
                    share.spend()
                if size > _PIECE_BYTES:
                    break
            if piece:
                yield b"".join(piece)
            elif listener.doubtful or time.monotonic() - sent >= KEEP_ALIVE:
                yield b": \n\n"
            else:
                ring.wait(number, _LOOK)
                continue
            sent = time.monotonic()
            gevent.sleep(_PAUSE)

    def _gap(self, missed: int | None) -> bytes:
        return b"event: gap\ndata: " + _encode({self._missed: missed}) + b"\n\n"
