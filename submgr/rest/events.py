# SPDX-License-Identifier: Apache-2.0
"""GET /ric/v1/events: what has happened lately, as a list or as server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import msgspec
from flask import Response
from msgspec import Struct

from submgr.adapters.journal.entries import Entry, Facts, Kind, Severity
from submgr.adapters.journal.journal import Journal
from submgr.platform.http.app import ApiError, json_bytes
from submgr.platform.http.event_stream import EventStreams, wants_stream
from submgr.platform.turns import in_turns
from submgr.rest.parameters import Parameters
from submgr.rest.views import Json, moment

_encode = msgspec.json.Encoder().encode

Words = Callable[[Facts], str]
"""The content of a subscription in words; "" when there is none, or nobody can read it."""


class _Filter(Struct, frozen=True):
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
        self._streams = EventStreams(journal, lambda entry: entry.kind.value, self._line)

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
        follow = parameters.flag("follow") or wants_stream()
        try:
            after = self._journal.number_of(since) if since is not None else None
            if follow:
                return self._streams.answer(wanted.takes, wanted.severity, since)
        except ValueError as error:
            raise ApiError(400, f"since: {error}", [{"field": "since", "message": str(error)}]) from None
        newest = (entry for entry in in_turns(self._journal.newest_first()) if entry.number > (after or 0))
        found = list(islice(filter(wanted.takes, newest), limit))
        return json_bytes(self._list(reversed(found)))

    def all(self) -> bytes:
        """All events that are kept, the oldest first, as a JSON list."""
        return self._list(reversed(list(self._journal.newest_first())))

    def of_subscription(self, subscription_id: str, limit: int = 100) -> list[Json]:
        """The newest events of a REST subscription, the oldest first."""
        wanted = _Filter(subscription_id=subscription_id)
        found = list(islice(filter(wanted.takes, in_turns(self._journal.newest_first())), limit))
        return [self.view(entry) for entry in reversed(found)]

    def _list(self, entries: Iterator[Entry]) -> bytes:
        return b"[" + b",".join(self._line(entry) for entry in in_turns(entries)) + b"]"

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
