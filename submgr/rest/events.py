# SPDX-License-Identifier: Apache-2.0
"""GET /ric/v1/events: what has happened lately, as a list or as server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import gevent
import msgspec
from flask import Response, request

from submgr.adapters.journal.entries import Entry, Facts, Kind, Severity
from submgr.adapters.journal.journal import Journal
from submgr.platform.fair import Share
from submgr.platform.http.app import ApiError, json_bytes
from submgr.platform.http.open_stream import Listener
from submgr.platform.turns import in_turns
from submgr.rest.parameters import Parameters
from submgr.rest.views import Json, moment

MOST_STREAMS = 32
RETRY_AFTER = "5"
KEEP_ALIVE = 15.0
"""Seconds after which a stream without events shows that it is alive."""
_PAUSE = 0.1
"""Seconds between two pieces of a stream: what happens meanwhile is sent together."""
_LOOK = 1.0
"""Seconds between two looks whether the client is there."""
_PIECE = 50
"""Events that are sent in one piece."""

_encode = msgspec.json.Encoder().encode

Words = Callable[[Facts], str]
"""The content of a subscription in words; "" when there is none, or nobody can read it."""


@dataclass(frozen=True, slots=True)
class _Filter:
    """What a client wants to see. None: everything."""

    kind: Kind | None = None
    severity: Severity = Severity.INFO
    meid: str | None = None
    subscription_id: str | None = None
    xapp: str | None = None

    def takes(self, entry: Entry) -> bool:
        if entry.severity < self.severity or (self.kind is not None and entry.kind is not self.kind):
            return False
        if self.meid is None and self.subscription_id is None and self.xapp is None:
            return True
        facts = entry.facts
        return (
            (self.meid is None or facts.meid == self.meid)
            and (self.subscription_id is None or facts.subscription_id == self.subscription_id)
            and (self.xapp is None or facts.xapp == self.xapp)
        )


class Events:
    """The events of `journal`. `words`: see `Words`."""

    def __init__(self, journal: Journal, words: Words) -> None:
        self._journal = journal
        self._words = words
        self._streams = 0

    def answer(self) -> Response:
        """A list, or a stream for a client that accepts one."""
        parameters = Parameters("since", "limit", "kind", "severity", "meid", "subscriptionId", "xapp", "follow")
        wanted = _Filter(
            parameters.choice("kind", {each.value: each for each in Kind}, None),
            parameters.choice("severity", {each.word: each for each in Severity}, Severity.INFO) or Severity.INFO,
            parameters.text("meid"),
            parameters.text("subscriptionId"),
            parameters.text("xapp"),
        )
        limit = parameters.number("limit", 1, 1000, 200)
        since = parameters.text("since")
        follow = parameters.flag("follow") or request.accept_mimetypes.best == "text/event-stream"
        try:
            after = self._journal.number_of(since) if since is not None else None
        except ValueError as error:
            raise ApiError(400, f"since: {error}", [{"field": "since", "message": str(error)}]) from None
        if follow:
            return self._stream(wanted, since is not None, after)
        newest = (entry for entry in in_turns(self._journal.newest_first()) if entry.number > (after or 0))
        found = list(islice(filter(wanted.takes, newest), limit))
        return self._list(reversed(found))

    def of_subscription(self, subscription_id: str, limit: int = 100) -> list[Json]:
        """The newest events of a REST subscription, the oldest first."""
        wanted = _Filter(subscription_id=subscription_id)
        found = list(islice(filter(wanted.takes, in_turns(self._journal.newest_first())), limit))
        return [self.view(entry) for entry in reversed(found)]

    def _list(self, entries: Iterator[Entry]) -> Response:
        lines = b",".join(self._line(entry) for entry in in_turns(entries))
        return json_bytes(b"[" + lines + b"]")

    # --- one event

    def view(self, entry: Entry) -> Json:
        """An event as it is shown."""
        facts = entry.facts
        view: Json = {
            "Id": self._journal.id_of(entry),
            "Time": moment(entry.time),
            "Kind": entry.kind.value,
            "Severity": entry.severity.word,
            "Words": facts.words,
        }
        known = {
            "Meid": facts.meid,
            "SubscriptionId": facts.subscription_id,
            "E2EventInstanceId": facts.instance_id,
            "XApp": facts.xapp,
            "Procedure": facts.procedure,
            "Outcome": facts.outcome,
            "Cause": facts.cause,
            "Source": facts.source,
            "Contents": self._words(facts) if facts.content is not None else "",
        }
        view.update({name: value for name, value in known.items() if value})
        if facts.xapp_event_instance_id is not None:
            view["XappEventInstanceId"] = facts.xapp_event_instance_id
        if facts.ran_function_id is not None:
            view["RANFunctionID"] = facts.ran_function_id
        if facts.seconds is not None:
            view["Milliseconds"] = round(facts.seconds * 1000, 1)
        return view

    def _line(self, entry: Entry) -> bytes:
        """The event as JSON, which is made once for all who look."""
        if entry.line is None:
            entry.line = _encode(self.view(entry))
        return entry.line

    # --- streams

    def _stream(self, wanted: _Filter, resumes: bool, after: int | None) -> Response:
        last = request.headers.get("Last-Event-ID")
        if last:
            resumes = True
            try:
                after = self._journal.number_of(last)
            except ValueError:  # of somebody else's: nothing is known of what the client has missed
                after = None
        if self._journal.closed:
            raise ApiError(503, "the process is stopping", headers={"Retry-After": RETRY_AFTER})
        if self._streams >= MOST_STREAMS:
            raise ApiError(
                503, f"{MOST_STREAMS} clients follow the events already", headers={"Retry-After": RETRY_AFTER}
            )
        self._streams += 1
        listener = Listener(request.environ)
        if not resumes:
            lines = self._lines(wanted, self._journal.last, listener)
        elif after is None:
            lines = self._from_the_start(wanted, listener)
        else:
            lines = self._lines(wanted, after, listener)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        answer = Response(lines, content_type="text/event-stream", headers=headers)
        answer.call_on_close(self._ended)
        return answer

    def _ended(self) -> None:
        self._streams -= 1

    def _from_the_start(self, wanted: _Filter, listener: Listener) -> Iterator[bytes]:
        """For a client that knows an earlier run: what it missed of that, nobody knows."""
        yield _gap(None)
        yield from self._lines(wanted, 0, listener)

    def _lines(self, wanted: _Filter, number: int, listener: Listener) -> Iterator[bytes]:
        """The stream behind event `number`. Nothing waits for a slow client: what it misses is told as a gap."""
        journal, share = self._journal, Share()
        yield b": events\n\n"
        sent = time.monotonic()
        while not journal.closed and listener.there():
            share.renew()
            share.spend()
            missed = journal.missed(number, wanted.severity)
            piece = [_gap(missed)] if missed else []
            for entry in journal.after(number)[:_PIECE]:
                number = entry.number
                if wanted.takes(entry):
                    head = f"id: {journal.id_of(entry)}\nevent: {entry.kind.value}\ndata: ".encode()
                    piece.append(head + self._line(entry) + b"\n\n")
                    share.spend()
            if piece:
                yield b"".join(piece)
            elif listener.doubtful or time.monotonic() - sent >= KEEP_ALIVE:
                yield b": \n\n"
            else:
                journal.wait(number, _LOOK)
                continue
            sent = time.monotonic()
            gevent.sleep(_PAUSE)


def _gap(missed: int | None) -> bytes:
    return b"event: gap\ndata: " + _encode({"Missed": missed}) + b"\n\n"
