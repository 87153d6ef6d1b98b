# SPDX-License-Identifier: Apache-2.0
"""Entries of the journal: what has happened, as operators want to see it. Words are made when somebody looks."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from submgr.adapters.journal.repeats import and_more
from submgr.core.commands import Finished, Notify, Outcome
from submgr.core.errors import Failure
from submgr.core.model import Content

LARGEST_CONTENT = 1024
"""Bytes of the content of a subscription that is kept for its words. Larger ones are not: entries are many."""


class Kind(StrEnum):
    """What an entry is about."""

    SUBSCRIPTION = "subscription"
    NODE = "node"
    ROUTE = "route"
    NOTIFICATION = "notification"
    LEADERSHIP = "leadership"
    CONFIGURATION = "configuration"
    STORE = "store"
    REPAIR = "repair"
    START = "start"


class Severity(IntEnum):
    """How bad it is."""

    INFO = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class Facts(Struct, frozen=True):
    """What is known of an entry: a sentence, and what it is about, as far as that applies.

    `xapp`: the host of the xApp. `content`: what was subscribed. `outcome`: how `procedure` ended.
    """

    words: str
    meid: str = ""
    subscription_id: str = ""
    instance_id: int = 0
    xapp: str = ""
    xapp_event_instance_id: int | None = None
    ran_function_id: int | None = None
    content: Content | None = None
    procedure: str = ""
    outcome: str = ""
    cause: str = ""
    source: str = ""
    seconds: float | None = None


class Happening(Protocol):
    """Something of which the facts are told when somebody looks."""

    def facts(self) -> Facts: ...


class Ended(Struct, frozen=True, eq=False):
    """A procedure of an E2 node has ended."""

    meid: str
    finished: Finished
    left_out: int = 0
    """Failures like this one that have no entry."""

    def facts(self) -> Facts:
        finished, about = self.finished, self.finished.about
        failure = finished.failure
        cause = failure.cause if failure is not None else finished.detail
        words = f"{finished.procedure} {_ending(finished.outcome)} at {self.meid}{_for(about.xapp)}"
        words += _instance(about.xapp_event_instance_id) + (f": {cause}" if cause else "") + and_more(self.left_out)
        return Facts(
            words=words,
            meid=self.meid,
            subscription_id=finished.subscription_id,
            instance_id=finished.instance_id,
            xapp=about.xapp,
            xapp_event_instance_id=about.xapp_event_instance_id,
            ran_function_id=about.ran_function_id,
            content=about.content,
            procedure=finished.procedure,
            outcome=finished.outcome.value,
            cause=cause,
            source=failure.source.value if failure is not None else "",
            seconds=finished.seconds,
        )


class Unmet(Struct, frozen=True):
    """An xApp is told of a failure that no procedure has had: its request was not begun, or it lost what it had."""

    meid: str
    notification: Notify
    failure: Failure
    ran_function_id: int | None = None
    left_out: int = 0

    def facts(self) -> Facts:
        told, xapp = self.notification, self.notification.endpoint.host
        return Facts(
            words=f"no subscription at {self.meid}{_for(xapp)}{_instance(told.xapp_event_instance_id)}:"
            f" {self.failure.cause}{and_more(self.left_out)}",
            meid=self.meid,
            subscription_id=told.subscription_id,
            xapp=xapp,
            xapp_event_instance_id=told.xapp_event_instance_id,
            ran_function_id=self.ran_function_id,
            procedure="subscribe",
            outcome=Outcome.FAILED.value,
            cause=self.failure.cause,
            source=self.failure.source.value,
        )


class Entry(Struct, eq=False):
    """One line of the journal. `number` grows by one with each; `time`: seconds since 1970.

    `happening`: what `facts` are made of, or they themselves. `line`: the entry as it is sent, once somebody has made
    that.
    """

    number: int
    time: float
    kind: Kind
    severity: Severity
    happening: Facts | Happening
    line: bytes | None = None

    @property
    def facts(self) -> Facts:
        if not isinstance(self.happening, Facts):
            self.happening = self.happening.facts()
        return self.happening


def kept(finished: Finished) -> Finished:
    """The same without its content, if that is too large to be kept."""
    about = finished.about
    if small(about.content):
        return finished
    return replace(finished, about=replace(about, content=None))


def small(content: Content | None) -> bool:
    """Whether a content may be kept for its words."""
    if content is None:
        return True
    size = len(content.event_trigger)
    for action in content.actions:
        if action.definition is not None:
            size += len(action.definition)
    return size <= LARGEST_CONTENT


def _ending(outcome: Outcome) -> str:
    if outcome is Outcome.SUCCESS:
        return "succeeded"
    return "was admitted in part" if outcome is Outcome.PARTIAL else "failed"


def _for(xapp: str) -> str:
    return f" for {xapp}" if xapp else ""


def _instance(number: int | None) -> str:
    return f" (instance {number})" if number is not None else ""
