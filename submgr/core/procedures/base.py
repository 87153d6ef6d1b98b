# SPDX-License-Identifier: Apache-2.0
"""What all procedures have in common: a table of states, a table of timers, and one way through them.

A procedure reads like the table at its head. An event that the current state does not list is not for it; one that
is listed with `None` is expected and changes nothing. Entering a state does that state's work (also when it is
entered again, for a resend). A procedure ends in DONE or FAILED, and may name a successor that goes on under the
same job.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar

from submgr.core.commands import Finished, Outcome
from submgr.core.timers import Timer

if TYPE_CHECKING:
    from submgr.core.jobs import Job
    from submgr.core.node import Node


class State(Enum):
    NEW = auto()
    SAVING = auto()
    ANSWERING = auto()
    ROUTING = auto()
    REQUESTED = auto()
    COMPLETING = auto()
    DELETING = auto()
    UNROUTING = auto()
    NOTING = auto()
    ERASING = auto()
    DONE = auto()
    FAILED = auto()


ENDED = frozenset({State.DONE, State.FAILED})


@dataclass(frozen=True, slots=True)
class Start:
    pass


@dataclass(frozen=True, slots=True)
class Skip:
    """The state just entered has nothing to do."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The port that should have answered did not."""


@dataclass(frozen=True, slots=True)
class Resend:
    """The E2 timer expired and there are sends left."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The E2 timer expired after the last send."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Whoever wanted this wants it no more."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The E2 connection of the node is down or under reset."""

    reason: str


Table = Mapping[State, Mapping[type, State | None]]


class Procedure(ABC):
    """Base of all procedures. Times are monotonic seconds."""

    NAME: ClassVar[str]
    TRANSITIONS: ClassVar[Table]
    TIMERS: ClassVar[Mapping[State, Timer]]
    SLOT: ClassVar[frozenset[State]] = frozenset()
    """States in which the procedure has the E2 node for itself."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.controls = node.controls
        self.state = State.NEW
        self.deadline: float | None = None
        self.step = 0
        self.started = 0.0
        self.successor: Procedure | None = None
        self.job: Job | None = None
        self.name = self.NAME

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def starts_with_slot(self) -> bool:
        """Does its first state need the E2 node?"""
        return bool(self.SLOT)

    def start(self, now: float) -> None:
        self.started = now
        self.feed(Start(), now)

    def feed(self, event: object, now: float) -> bool:
        """Take an event. False: the current state does not know it, nothing has changed."""
        table = self.TRANSITIONS[self.state]
        if type(event) not in table:
            return False
        target = table[type(event)]
        if target is None:
            return True
        self.taken(event, now)
        self.state = target
        self.node.forget_step(self)
        self.deadline = None
        if target not in ENDED:
            self.step = self.node.new_step(self)
            self.node.arm(self, now + self.seconds(self.TIMERS[target]))
        self.entered(now)
        return True

    def expire(self, now: float) -> None:
        """The deadline of the current state has passed."""
        self.deadline = None
        self.feed(Expired(), now)

    def seconds(self, timer: Timer) -> float:
        return timer.seconds

    def taken(self, event: object, now: float) -> None:
        """What an event brings, before the next state is entered."""

    @abstractmethod
    def entered(self, now: float) -> None:
        """Do the work of the state that was just entered."""

    def finish(self, outcome: Outcome, now: float, instance_id: int, subscription_id: str, detail: str = "") -> None:
        self.node.emit(Finished(self.name, outcome, now - self.started, instance_id, subscription_id, detail))
