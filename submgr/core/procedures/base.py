# SPDX-License-Identifier: Apache-2.0
"""The engine of all procedures: one table of states, one way through it.

A procedure reads like the table at its head. A row says which event leads to which state, which timer the state has,
and whether the procedure holds the E2 node's slot meanwhile. An event that the row does not list is not for this
state; an event that is listed with `None` is expected and changes nothing.

The rest about a state stands in methods that carry its name:

    needs_routing()       has the state any work? If not, the engine passes over it along its `Skip` arrow.
    enter_routing(now)    does the work of the state, also when the state is entered again (a resend).
    leave_routing(event)  keeps what an event brings, before the next state is entered.

A procedure ends in DONE or FAILED, and may name a follow-up job, which goes on in its place in the queue.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, ClassVar

from msgspec import Struct

from submgr.core.commands import NOBODY, About, DeleteRoute, Finished, Outcome
from submgr.core.context import NodeContext
from submgr.core.errors import Failure
from submgr.core.events import Expired, RouteDone, RouteFailed, RouteFailureKind, Skip, Start
from submgr.core.jobs import Job
from submgr.core.model import RmrEndpoint
from submgr.core.queue import Entry
from submgr.core.timers import ADJUSTABLE, T_ROUTE, Timer


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

    __hash__ = object.__hash__  # that of Enum calls Python, and tables are asked at each step


class Row(Struct, frozen=True):
    """One state of a table. `to`: event type → next state. A state without a timer is the first or a last one.

    `slot`: the procedure has the E2 node for itself meanwhile.
    """

    to: Mapping[type, State | None]
    timer: Timer | None = None
    slot: bool = False


Table = Mapping[State, Row]


class _Place(Struct):
    """A row of a table, with the methods of its state, and where its arrows lead: found once for each procedure.

    `seconds`: how long its timer runs; None: the procedure says that, or there is none. `enter` is None for NEW, which
    no arrow leads to.
    """

    state: State
    timer: Timer | None
    seconds: float | None
    slot: bool
    enter: Callable[[Any, float], None]
    needs: Callable[[Any], bool] | None
    leave: Callable[[Any, object], None] | None
    to: dict[type, _Place | None]


class Procedure(ABC):
    """Base of all procedures. Times are monotonic seconds. Class attributes are what each procedure begins with.

    `ended`: whether the state is DONE or FAILED.
    """

    NAME: ClassVar[str]
    TABLE: ClassVar[Table]

    _place: _Place
    name: str
    ended = False
    step = 0
    started = 0.0
    follow_up: Job | None = None
    entry: Entry | None = None

    def __init_subclass__(cls) -> None:
        table: Table | None = getattr(cls, "TABLE", None)
        if table is not None:
            cls.name = cls.NAME
            cls._place = _resolved(cls, table)[State.NEW]

    def __init__(self, node: NodeContext) -> None:
        self.node = node
        self.controls = node.controls

    @property
    def instance_id(self) -> int | None:
        """Instance id of the E2 subscription that the procedure works on; None: it works on none."""
        return None

    @property
    def subscription_id(self) -> str:
        """SubscriptionId of the REST subscription that the procedure works for; "" when there is none."""
        return ""

    @property
    def about(self) -> About:
        """Whom the procedure works for, and what it is about, as far as it knows."""
        return NOBODY

    @property
    def state(self) -> State:
        return self._place.state

    @property
    def holds_slot(self) -> bool:
        return self._place.slot

    @property
    def described_state(self) -> str:
        return self.state.name.lower()

    def start(self, now: float) -> None:
        self.started = now
        self.feed(Start(), now)

    def feed(self, event: object, now: float) -> bool:
        """Takes an event. Returns False when the current state does not know it: nothing has changed then."""
        place = self._place
        try:
            target = place.to[type(event)]
        except KeyError:
            return False
        if target is None:
            return True
        if place.leave is not None:
            place.leave(self, event)
        while target.needs is not None and not target.needs(self):
            target = target.to[Skip]
            assert target is not None
        self._place = target
        if target.timer is None:
            self.ended = True
            self.node.end_step(self)
        else:
            self.step = self.node.new_step(self, now + (target.seconds or self.seconds(target.timer)))
        target.enter(self, now)
        return True

    def expire(self, now: float) -> None:
        """The deadline of the current state has passed."""
        self.feed(Expired(), now)

    def seconds(self, timer: Timer) -> float:
        """How long this procedure gives one of the ADJUSTABLE timers."""
        return self.controls.route_timeout if timer is T_ROUTE else timer.seconds

    def not_sent(self, reason: str) -> None:
        """A request to the E2 node did not leave, for this reason."""

    def could_not_decode(self, message: str) -> None:
        """The E2 node answered something that the codec refused, in the codec's words."""

    def finish(self, outcome: Outcome, now: float, failure: Failure | None = None, detail: str = "") -> None:
        """Tells those who watch how the procedure ended. `detail`: what there is to say beside the `failure`."""
        seconds, instance_id = now - self.started, self.instance_id or 0
        detail = detail or (failure.cause if failure is not None else "")
        told = Finished(self.name, outcome, seconds, instance_id, self.subscription_id, detail, failure, self.about)
        self.node.emit(told)


def _resolved(cls: type[Procedure], table: Table) -> dict[State, _Place]:
    """Finds the methods of each state. Raises TypeError for a state that nothing enters, a `Skip` arrow without its
    condition, a state that has a timer and must not, or none and must, and a method whose state is not in the table."""
    names = {state.name.lower(): state for state in table}
    for method in dir(cls):
        kind, _, name = method.partition("_")
        if kind in ("enter", "needs", "leave") and name not in names:
            raise TypeError(f"{cls.__name__}.{method}: no such state in its table")
    places = {}
    for name, state in names.items():
        row = table[state]
        enter: Any = getattr(cls, f"enter_{name}", None)
        needs = getattr(cls, f"needs_{name}", None)
        if enter is None and state is not State.NEW:
            raise TypeError(f"{cls.__name__}: nothing enters {name}")
        if (needs is not None) is not (Skip in row.to):
            raise TypeError(f"{cls.__name__}: {name} has either a Skip arrow or needs_{name}, not both")
        if (row.timer is None) is not (state in (State.NEW, State.DONE, State.FAILED)):
            raise TypeError(f"{cls.__name__}: {name} is left by a timer, or is the first or a last one, not both")
        seconds = None if row.timer is None or row.timer in ADJUSTABLE else row.timer.seconds
        leave = getattr(cls, f"leave_{name}", None)
        places[state] = _Place(state, row.timer, seconds, row.slot, enter, needs, leave, {})
    for state, place in places.items():
        place.to.update({event: target and places[target] for event, target in table[state].to.items()})
    return places


def unrouting(then: State) -> Row:
    """The row of a procedure that removes routes: one after the other, each answer brings the next."""
    again = State.UNROUTING
    return Row({RouteDone: again, RouteFailed: again, Expired: again, Skip: then}, T_ROUTE)


class RouteRemoval(Procedure):
    """Removes routes of an E2 subscription, one call after the other, behind its delete at the E2 node, if any.

    `leftover`: what could not be removed. `refused`: some of it for another reason than that the Routing Manager knows
    no such route.
    """

    _routes: list[RmrEndpoint]
    leftover: list[RmrEndpoint]
    refused: bool

    @property
    def holds_slot(self) -> bool:
        """At a node that is known to be silent, others need not wait for the answer to a delete that never comes."""
        waits = self.state is not State.DELETING or self.controls.delete_waits_for_answer(self.node.meid)
        return super().holds_slot and waits

    def remove(self, routes: tuple[RmrEndpoint, ...]) -> None:
        """These routes are to be removed when their turn comes."""
        self._routes = list(routes)
        self.leftover = []
        self.refused = False

    def needs_unrouting(self) -> bool:
        return bool(self._routes)

    def enter_unrouting(self, now: float) -> None:
        assert self.instance_id is not None
        self.node.emit(DeleteRoute(self.step, self.instance_id, self._routes[0]))

    def leave_unrouting(self, event: object) -> None:
        route = self._routes.pop(0)
        if isinstance(event, RouteDone):
            return
        self.leftover.append(route)
        if not isinstance(event, RouteFailed) or event.kind is not RouteFailureKind.UNCONFIRMED:
            self.refused = True
