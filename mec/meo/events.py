# SPDX-License-Identifier: Apache-2.0
"""What the orchestrator has done and been told lately, for operators and the page of the manager.

Events name contexts, never the device or the user of one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from itertools import islice
from typing import Any, TypeVar

import msgspec
from flask import Response, request

from mec.common.problem_details import bad_field
from submgr.platform.event_ring import EventRing
from submgr.platform.http.app import json_bytes
from submgr.platform.http.event_stream import EventStreams, wants_stream
from submgr.platform.turns import in_turns

T = TypeVar("T")


class Kind(StrEnum):
    """What an event is about."""

    CONTEXT = "context"
    MIGRATION = "migration"
    PLATFORM = "platform"
    APPLICATION = "application"
    DEPLOYMENT = "deployment"
    OVERLOAD = "overload"
    NOTIFICATION = "notification"
    TELEMETRY = "telemetry"


class Severity(IntEnum):
    """How bad it is. DETAIL is told again and again, such as the load of a platform."""

    DETAIL = 0
    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


PLACES: dict[int, int] = {Severity.DETAIL: 2000, Severity.INFO: 2000, Severity.WARNING: 1000, Severity.ERROR: 500}
"""Events that are kept, by severity."""
MOST_LISTED = 1000
_MOST_REASONS = 20
"""Platforms whose reasons an event has."""

_WORDS: Mapping[tuple[Kind, str], str] = {
    (Kind.CONTEXT, "admitted"): "context {contextId} of {appName} admitted on {platform}",
    (Kind.CONTEXT, "rejected"): "no platform can take a context of {appName}",
    (Kind.CONTEXT, "ended"): "context {contextId} of {appName} on {platform} ended: {reason}",
    (Kind.MIGRATION, "moved"): "context {contextId} of {appName} moved from {origin} to {target}: {reason}",
    (Kind.PLATFORM, "registered"): "platform {platform} registered",
    (Kind.PLATFORM, "withdrawn"): "platform {platform} withdrawn",
    (Kind.PLATFORM, "capacity"): "platform {platform} has told its capacity",
    (Kind.PLATFORM, "forgotten"): "nothing is left on platform {platform}, it is forgotten",
    (Kind.APPLICATION, "registered"): "application {appName} registered",
    (Kind.APPLICATION, "withdrawn"): "application {appName} withdrawn",
    (Kind.DEPLOYMENT, "deploying"): "application {appKey} is being deployed on {platform} {message}",
    (Kind.DEPLOYMENT, "ready"): "application {appKey} is ready on {platform} {message}",
    (Kind.DEPLOYMENT, "failed"): "deployment of application {appKey} on {platform} failed: {message}",
    (Kind.DEPLOYMENT, "removed"): "application {appKey} removed from {platform}",
    (Kind.OVERLOAD, "begun"): "platform {platform} is over the limits and nobody can take its contexts: {reason}",
    (Kind.OVERLOAD, "over"): "platform {platform} is no longer in overload",
    (Kind.NOTIFICATION, "failed"): "the device of context {contextId} could not be told: {reason}",
    (Kind.TELEMETRY, "load"): "platform {platform} has a load of {value:.4g}",
    (Kind.TELEMETRY, "key"): "platform {platform} has a key availability of {value:.4g}",
    (Kind.TELEMETRY, "latency"): "platform {platform} has a latency of {value:.4g} ms to zone {zone}",
}


@dataclass(slots=True)
class Event:
    """`what` has happened to what `facts` name. `at`: s since 1970. `line`: the event as it is sent, once it was."""

    number: int
    at: float
    kind: Kind
    severity: Severity
    what: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    line: bytes | None = None

    @property
    def words(self) -> str:
        """The event in a sentence."""
        return _WORDS[self.kind, self.what].format_map(self.facts).rstrip()


class Events(EventRing[Event]):
    """The ring of the orchestrator's events. `wall`: s since 1970."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        super().__init__(PLACES, wall)

    def tell(self, kind: Kind, severity: Severity, what: str, **facts: Any) -> None:
        """Writes an event. The facts are in JSON's words and have what the words of the event need."""
        self.put(Event(self.last + 1, self.now(), kind, severity, what, facts))


def some_reasons(reasons: Mapping[str, str]) -> dict[str, str]:
    """As many reasons as an event may have."""
    return dict(islice(reasons.items(), _MOST_REASONS))


@dataclass(frozen=True, slots=True)
class _Filter:
    kind: Kind | None
    severity: Severity
    facts: Mapping[str, str]

    def takes(self, event: Event) -> bool:
        if event.severity < self.severity or (self.kind is not None and event.kind is not self.kind):
            return False
        return all(
            value in ((event.facts.get("origin"), event.facts.get("target")) if name == "platform" else ())
            or event.facts.get(name) == value
            for name, value in self.facts.items()
        )


class EventAnswers:
    """Answers `GET /meo/v1/events`: a list, or server-sent events for a client that accepts them."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._streams = EventStreams(events, lambda event: event.kind.value, self._line, missed="missed")

    def answer(self) -> Response:
        """The answer to the current request. Raises ApiError 400, and 503 when too many follow already."""
        given = {name: value for name, value in request.args.items() if value}
        known = ("since", "limit", "kind", "severity", "platform", "contextId", "appKey", "follow")
        for name in request.args:
            if name not in known:
                raise bad_field(name[:40], f"is not known, only {', '.join(known)}")
        wanted, limit = _wanted(given), _limit(given.get("limit", "200"))
        follow = _one_of("follow", given.get("follow", "false"), {"true": True, "false": False}) or wants_stream()
        since = given.get("since")
        try:
            after = self._events.number_of(since) if since is not None else None
            if follow:
                return self._streams.answer(wanted.takes, wanted.severity, since)
        except ValueError as exc:
            raise bad_field("since", str(exc)) from None
        newest = (event for event in in_turns(self._events.newest_first()) if event.number > (after or 0))
        found = list(islice(filter(wanted.takes, newest), limit))[::-1]
        lines = b",".join(self._line(event) for event in in_turns(found))
        return json_bytes(b"[" + lines + b"]")

    def _line(self, event: Event) -> bytes:
        """The event as JSON, which is made once for all who look."""
        if event.line is None:
            view = {
                "id": self._events.id_of(event),
                "at": event.at,
                "kind": event.kind.value,
                "severity": event.severity.word,
                "event": event.what,
                "words": event.words,
                **event.facts,
            }
            event.line = msgspec.json.encode(view)
        return event.line


def _wanted(given: Mapping[str, str]) -> _Filter:
    """Details are told to those who ask for them, or for telemetry."""
    kind = _one_of("kind", given["kind"], {each.value: each for each in Kind}) if "kind" in given else None
    usual = "detail" if kind is Kind.TELEMETRY else "info"
    severity = _one_of("severity", given.get("severity", usual), {each.word: each for each in Severity})
    facts = {name: given[name] for name in ("platform", "contextId", "appKey") if name in given}
    return _Filter(kind, severity, facts)


def _one_of(name: str, text: str, choices: Mapping[str, T]) -> T:
    if text not in choices:
        raise bad_field(name, f"must be one of {', '.join(choices)}")
    return choices[text]


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 1 <= int(text) <= MOST_LISTED):
        raise bad_field("limit", f"must be a whole number from 1 to {MOST_LISTED}")
    return int(text)
