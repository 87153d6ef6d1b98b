# SPDX-License-Identifier: Apache-2.0
"""Follows the events of a Subscription Manager (server-sent events, WHATWG HTML 9.2), over broken connections too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import click
import msgspec
from msgspec import Struct, field

from submgr.cli.ctl.server import Refused, Server, Silent

QUIET = 50.0
"""Seconds without a sign of life after which a connection counts as broken; there is one every 15 s."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 3.0
_LONGEST_EVENT = 1 << 20

Event = dict[str, Any]


class Message(Struct):
    """One message of a stream."""

    id: str | None = None
    event: str = "message"
    data: list[str] = field(default_factory=list)


def messages(chunks: Iterable[bytes]) -> Iterator[Message]:
    """The messages in the pieces of a stream. Raises ValueError for one that is too long."""
    message, begun = Message(), b""
    for chunk in chunks:
        *lines, begun = (begun + chunk).split(b"\n")
        if len(begun) > _LONGEST_EVENT:
            raise ValueError("an event is too long")
        for line in lines:
            text = line.removesuffix(b"\r").decode(errors="replace")
            if not text:
                if message.data:
                    yield message
                message = Message()
                continue
            name, _, value = text.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                message.data.append(value)
            elif name == "event":
                message.event = value
            elif name == "id":
                message.id = value


class Follower:
    """The events from now on, or after `last`, the id of an event. `parameters`: which ones.

    `say` is told in words when the connection breaks, when it is there again, and what was missed meanwhile.
    `answers`: the server has just answered another request; without it, it has to answer the first one.
    """

    def __init__(
        self,
        server: Server,
        parameters: Mapping[str, object],
        last: str | None,
        say: Callable[[str], None],
        sleep: Callable[[float], object],
        answers: bool = False,
    ) -> None:
        self._server = server
        given = urlencode({name: value for name, value in parameters.items() if value is not None})
        self._path = f"events?{given}" if given else "events"
        self._last = last
        self._say = say
        self._sleep = sleep
        self._connected = answers
        self._lost = False

    def events(self) -> Iterator[Event]:
        """For ever. Raises click.ClickException when the first connection cannot be made, or when it is refused."""
        pause = _FIRST_PAUSE
        while True:
            why = "it has ended the stream"
            try:
                for event in self._stream():
                    pause = _FIRST_PAUSE
                    yield event
            except Refused as refused:
                if not self._connected or refused.status < 500:
                    raise
                why = refused.message
            except Silent as silent:
                if not self._connected:
                    raise
                why = silent.message.splitlines()[0]
            except (ValueError, msgspec.DecodeError) as broken:
                why = str(broken)
            if not self._lost:
                self._say(f"connection lost: {why}; trying again")
            self._lost = True
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _stream(self) -> Iterator[Event]:
        resumed = {} if self._last is None else {"Last-Event-ID": self._last}
        chunks = self._server.stream(self._path, QUIET, Accept="text/event-stream", **resumed)
        for message in messages(self._noticed(chunks)):
            if message.event == "gap":
                self._say(_missed(msgspec.json.decode("\n".join(message.data))))
                continue
            self._last = message.id or self._last
            yield msgspec.json.decode("\n".join(message.data))

    def _noticed(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._lost:
                self._say("connected again")
            self._connected, self._lost = True, False
            yield chunk


def _missed(gap: dict[str, Any]) -> str:
    if gap.get("Missed") is None:
        return "events may be missing here: the Subscription Manager was started anew"
    return f"{gap['Missed']} events are missing here"


def told(words: str) -> None:
    """Says something about the stream where it is not taken for an event."""
    click.echo(f"submgr: {words}", err=True)
