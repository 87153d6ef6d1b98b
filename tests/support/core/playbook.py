# SPDX-License-Identifier: Apache-2.0
"""Sequence charts: (time, event, what the core wants done). Commands are lines of text, so that a chart can be read.

    play(
        (0.0, post(), ["save rest r1 ongoing"]),
        (0.1, saved, ["201 r1"]),
        (0.2, sent_201, ["save e2 1 uncompleted"]),
        ...
        (4.2, TIME, ["tell r1/1 failed: SUBMGR E2-Timeout E2 RICSubscriptionResponse timeout"]),
    )

Answers of the store and of the Routing Manager (`saved`, `routed` ...) go to the oldest call that waits for one.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.model import Content, E2Record, RestHolder, RmrEndpoint, SubscribeRequest
from submgr.core.node import Node
from submgr.core.registry import NotificationQuota, Registry
from submgr.e2ap import messages as m
from support.core.world import MEID, content, request

XAPP = RmrEndpoint("service-ricxapp-old-rmr", 4560)
CAUSE = m.Cause(1, 5)


class Time:
    """Nothing happens but the clock."""


TIME = Time()
Happening = Callable[["Script"], e.Event]
Step = tuple[float, "Happening | e.Event | Time", list[str]]


class Script:
    """A node between a test and nothing: the test says what happens and when, and what has to come of it."""

    def __init__(self, controls: Controls | None = None, connected: bool = True, places: int = 10_000) -> None:
        self.registry = Registry(NotificationQuota(lambda: places))
        self.node = Node(MEID, self.registry, controls or Controls(), connected)
        self.writes: list[int] = []
        self.routes: list[int] = []
        self.last_send: c.SendToE2 | None = None
        self.commands: list[c.Command] = []
        """Those of the last step, as they are."""
        self.all: list[c.Command] = []
        self.posts = 0
        self.token = 0

    def play(self, *steps: Step) -> None:
        for when, what, expected in steps:
            lines = self.step(when, what)
            assert lines == expected, f"at {when}: {lines}, not {expected}"

    def step(self, when: float, what: Happening | e.Event | Time) -> list[str]:
        """What it wants done, without what is only for logs and counters."""
        due = self.node.deadline
        if isinstance(what, Time):
            assert due is not None and due <= when, f"no timer by {when}: the next is {due}"
            commands = self.node.handle_timer(when)
        else:
            assert due is None or due > when, f"a timer at {due} comes before {when}"
            event = what(self) if callable(what) else what
            commands = self.node.handle(event, when)
        for command in commands:
            self._remember(command)
        self.commands = commands
        self.all += commands
        return [line for command in commands if (line := brief(command))]

    def _remember(self, command: c.Command) -> None:
        match command:
            case c.SaveRest() | c.SaveE2() | c.EraseE2() | c.SaveRemoval() if command.step is not None:
                self.writes.append(command.step)
            case c.CreateRoute() | c.UpdateRoute() | c.DeleteRoute():
                self.routes.append(command.step)
            case c.SendToE2():
                self.last_send = command

    def finished(self) -> list[tuple[str, str]]:
        """Procedures that have ended, with their outcome."""
        return [(x.procedure, x.outcome.value) for x in self.all if isinstance(x, c.Finished)]

    def noted(self) -> list[str]:
        return [x.what.value for x in self.all if isinstance(x, c.Noted) for _ in range(x.n)]

    def ignored(self) -> list[str]:
        return [x.kind.value for x in self.all if isinstance(x, c.Ignored)]

    def subscribed(self, wanted: SubscribeRequest | None = None, when: float = 0.0) -> str:
        """One detail per request, and all goes well; the SubscriptionId."""
        wanted = wanted or request()
        number = self.posts + 1
        self.step(when, post(wanted))
        self.step(when, saved)
        self.step(when, sent_201)
        while self.writes or self.routes or self.last_send is not None:
            if self.writes:
                self.step(when, saved)
            elif self.routes:
                self.step(when, routed)
            else:
                sent, self.last_send = self.last_send, None
                assert sent is not None
                self.step(when, admitted(sent.message.request_id.instance))
        for note in [x for x in self.all if isinstance(x, c.Notify) and x.subscription_id == f"r{number}"]:
            self.step(when, e.Notified(note.subscription_id, note.xapp_event_instance_id, note.instance_id))
            self.registry.quota.release(note.endpoint.http)
        return f"r{number}"


# --- commands as text


def brief(command: c.Command) -> str:
    """'' for what is only for logs and counters."""
    match command:
        case c.Accept():
            return f"201 {command.subscription_id}"
        case c.Refuse():
            return f"{command.status}"
        case c.ConfirmDelete():
            return "204"
        case c.SaveRest():
            return f"save rest {_rest(command)}" + ("" if command.step is not None else " (later)")
        case c.EraseRest():
            return f"erase rest {command.subscription_id}"
        case c.SaveE2():
            return f"save e2 {_e2(command.record)}" + ("" if command.step is not None else " (later)")
        case c.EraseE2():
            return f"erase e2 {command.instance_id}"
        case c.SaveRemoval(removal=removal):
            what = [*map(_endpoint, removal.routes), *(["delete"] if removal.node_delete else [])]
            return f"save removal {removal.instance_id} {' '.join(what)}"
        case c.EraseRemoval():
            return f"erase removal {command.instance_id}"
        case c.CreateRoute():
            return f"POST route {command.instance_id} {_endpoint(command.endpoint)}"
        case c.UpdateRoute():
            return f"PUT route {command.instance_id} {' '.join(map(_endpoint, command.endpoints))}"
        case c.DeleteRoute():
            return f"DELETE route {command.instance_id} {_endpoint(command.endpoint)}"
        case c.SendToE2():
            return _send(command)
        case c.Notify():
            return _notify(command)
        case c.DropNotifications():
            return f"drop notifications {command.subscription_id}"
        case c.AnswerOverRmr():
            name = type(command.message).__name__.removeprefix("Subscription").lower()
            ids = command.message.request_id
            return f"rmr answer {command.token} {name} {ids.requestor}/{ids.instance}"
        case c.Ignored():
            return f"ignored: {command.kind.value}"
        case _:
            return ""


def _rest(command: c.SaveRest) -> str:
    record = command.record
    words = [record.subscription_id, *(f"{xei}={instance}" for xei, instance in record.instances)]
    words += ["ongoing"] * record.request_ongoing + ["deleted"] * record.delete_ongoing
    return " ".join(words)


def _e2(record: E2Record) -> str:
    words = [str(record.instance_id), "completed" if record.completed else "uncompleted"]
    words += ["updating"] * record.policy_update + ["to restore"] * record.restore_pending
    words += [_holder(h.key) + ("" if h.notified else "?") for h in record.holders or ()]
    return " ".join(words)


def _holder(key: object) -> str:
    if isinstance(key, RestHolder):
        return f"{key.subscription_id}/{key.xapp_event_instance_id}"
    return f"rmr/{key.requestor_id}"  # type: ignore[attr-defined]


def _endpoint(endpoint: RmrEndpoint) -> str:
    name = endpoint.address.removeprefix("service-ricxapp-").removesuffix(".ricxapp")
    return name if endpoint.port == 4560 else f"{name}:{endpoint.port}"


def _send(command: c.SendToE2) -> str:
    kind = "subscribe" if isinstance(command.message, m.SubscriptionRequest) else "delete"
    again = " again" if command.resend else ""
    return f"{kind} {command.message.request_id.instance}{again}"


def _notify(command: c.Notify) -> str:
    who = f"tell {command.subscription_id}/{command.xapp_event_instance_id}"
    if command.failure is None:
        return f"{who} = {command.instance_id}" + (" partly" if command.not_admitted else "")
    assert command.instance_id == 0
    failure = command.failure
    words = [failure.source.value, *([failure.timeout.value] if failure.timeout else []), failure.cause]
    return f"{who} failed: {' '.join(words)}"


# --- what can happen


def post(wanted: SubscribeRequest | None = None, **more: object) -> Happening:
    """A POST; the n-th gets token n, and r<n> for a SubscriptionId if it is a new one."""

    def event(script: Script) -> e.Event:
        script.posts += 1
        script.token = script.posts
        asked = wanted or request()
        if more:
            asked = replace(asked, **more)  # type: ignore[arg-type]
        return e.Subscribe(script.token, asked, f"r{script.posts}", "2026-01-01 00:00:00.000")

    return event


def sent_201(script: Script) -> e.Event:
    """The 201 of the newest POST has been written."""
    return e.Answered(script.posts)


def delete(subscription_id: str, token: int = 1000) -> e.Event:
    return e.Unsubscribe(token, subscription_id)


def saved(script: Script) -> e.Event:
    return e.Saved(script.writes.pop(0))


def save_failed(script: Script) -> e.Event:
    return e.SaveFailed(script.writes.pop(0), "MISCONF disk full")


def save_unknown(script: Script) -> e.Event:
    return e.SaveFailed(script.writes.pop(0), "database write timeout after 2 s", timed_out=True)


def routed(script: Script) -> e.Event:
    return e.RouteDone(script.routes.pop(0))


def route_failed(kind: e.RouteFailureKind = e.RouteFailureKind.REFUSED, message: str = "503 no") -> Happening:
    return lambda script: e.RouteFailed(script.routes.pop(0), kind, message)


def unencodable(script: Script) -> e.Event:
    assert script.last_send is not None
    return e.EncodeFailed(script.last_send.step, "17 actions, at most 16")


def admitted(instance: int, *actions: int) -> m.SubscriptionResponse:
    return m.SubscriptionResponse(m.RequestId(123, instance), 2, actions or (1,))


def admitted_partly(instance: int) -> m.SubscriptionResponse:
    return m.SubscriptionResponse(m.RequestId(123, instance), 2, (1,), (m.NotAdmitted(2, CAUSE),))


def refused(instance: int) -> m.SubscriptionFailure:
    return m.SubscriptionFailure(m.RequestId(123, instance), 2, CAUSE)


def deleted(instance: int) -> m.SubscriptionDeleteResponse:
    return m.SubscriptionDeleteResponse(m.RequestId(123, instance), 2)


def delete_refused(instance: int) -> m.SubscriptionDeleteFailure:
    return m.SubscriptionDeleteFailure(m.RequestId(123, instance), 2, CAUSE)


def delete_required(*instances: int) -> m.SubscriptionDeleteRequired:
    items = tuple(m.SubscriptionToRemove(m.RequestId(123, i), 2, CAUSE) for i in instances)
    return m.SubscriptionDeleteRequired(items)


def over_rmr(token: int, wanted: Content | None = None, requestor: int = 7, xid: bytes = b"x1") -> e.SubscribeOverRmr:
    return e.SubscribeOverRmr(token, XAPP, xid, requestor, wanted or content())


def delete_over_rmr(token: int, instance: int, requestor: int = 7, xid: bytes = b"x2") -> e.UnsubscribeOverRmr:
    return e.UnsubscribeOverRmr(token, XAPP, xid, requestor, instance, 2)
