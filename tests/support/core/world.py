# SPDX-License-Identifier: Apache-2.0
"""A small world round the core: an E2 node, a Routing Manager, a store and xApps that behave, or are told not to.

Nothing happens by itself: every effect waits in a list until the test lets it happen, in whatever way it chooses.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.handlers.recovery import by_node
from submgr.core.model import (
    ClientEndpoint,
    Content,
    Detail,
    Directives,
    E2Record,
    RestRecord,
    RmrEndpoint,
    SubscribeRequest,
)
from submgr.core.node import Node
from submgr.core.registry import NotificationQuota, Registry
from submgr.e2ap import messages as m

MEID = "gnb_001_001_00000001"


def action(action_id: int = 1, kind: m.ActionType = m.ActionType.REPORT, definition: bytes = b"\x05\x06") -> m.Action:
    return m.Action(action_id, kind, definition)


def content(trigger: bytes = b"\x01\x02", kind: m.ActionType = m.ActionType.REPORT, function: int = 2) -> Content:
    return Content(function, trigger, (action(kind=kind),))


def request(
    *details: Detail,
    host: str = "service-ricxapp-a-http.ricxapp",
    subscription_id: str | None = None,
    directives: Directives | None = None,
    http_port: int = 8080,
    rmr_port: int = 4560,
) -> SubscribeRequest:
    details = details or (Detail(1, content()),)
    endpoint = ClientEndpoint(host, http_port, rmr_port)
    return SubscribeRequest(endpoint, MEID, details[0].content.ran_function_id, details, directives, subscription_id)


@dataclass
class Store:
    """What is on disk: REST and E2 records and removals, by key."""

    rest: dict[str, RestRecord] = field(default_factory=dict)
    e2: dict[int, E2Record] = field(default_factory=dict)
    removals: dict[int, c.Removal] = field(default_factory=dict)

    def apply(self, command: c.Command) -> None:
        match command:
            case c.SaveRest():
                self.rest[command.record.subscription_id] = command.record
            case c.EraseRest():
                self.rest.pop(command.subscription_id, None)
            case c.SaveE2():
                self.e2[command.record.instance_id] = command.record
            case c.EraseE2():
                self.e2.pop(command.instance_id, None)
            case c.SaveRemoval():
                self.removals[command.removal.instance_id] = command.removal
            case c.EraseRemoval():
                self.removals.pop(command.instance_id, None)


WRITES = (c.SaveRest, c.EraseRest, c.SaveE2, c.EraseE2, c.SaveRemoval, c.EraseRemoval)
NAMESPACES = ((c.SaveRest, c.EraseRest), (c.SaveE2, c.EraseE2), (c.SaveRemoval, c.EraseRemoval))
ROUTES = (c.CreateRoute, c.UpdateRoute, c.DeleteRoute)


class World:
    """One E2 node and everything round its worker."""

    def __init__(self, controls: Controls | None = None, places: int = 10_000) -> None:
        self.controls = controls or Controls()
        self.store = Store()
        self.routes: dict[int, set[RmrEndpoint]] = {}
        self.at_node: dict[int, Content] = {}
        self._updates_refused: dict[int, bool] = {}
        """Whether the last update of each subscription was refused."""
        self.told: list[c.Notify] = []
        self.answers: dict[int, c.Command] = {}
        self.rmr_answers: list[c.AnswerOverRmr] = []
        self.log: list[c.Command] = []
        self.expected: Counter[tuple[str, int]] = Counter()
        self.deleted: set[str] = set()
        self.now = 0.0
        self._places = places
        self._token = 0
        self._ids = 0
        self.up = True
        self.store_fails = True
        self._boot()

    def _boot(self) -> None:
        self.registry = Registry(NotificationQuota(lambda: self._places))
        self.node = Node(MEID, self.registry, self.controls, connected=self.up)
        self.writes: list[c.Command] = []
        self._loss_unwritten = False
        self.route_calls: list[c.Command] = []
        self.to_node: list[c.SendToE2] = []
        self.from_node: list[e.Event] = []
        self.notifications: list[c.Notify] = []
        self.to_answer: list[int] = []
        self._counted: dict[int, object] = {}
        self.details: dict[int, SubscribeRequest] = {}

    # --- the shell

    def event(self, event: e.Event) -> list[c.Command]:
        return self._perform(self.node.handle(event, self.now))

    def _perform(self, commands: list[c.Command]) -> list[c.Command]:
        self.log += commands
        for command in commands:
            match command:
                case c.SaveRest() | c.EraseRest() | c.SaveE2() | c.EraseE2() | c.SaveRemoval() | c.EraseRemoval():
                    self.writes.append(command)
                case c.CreateRoute() | c.UpdateRoute() | c.DeleteRoute():
                    self.route_calls.append(command)
                case c.SendToE2():
                    self.to_node.append(command)
                case c.Notify():
                    self.notifications.append(command)
                    self.told.append(command)
                case c.DropNotifications():
                    kept = [n for n in self.notifications if n.subscription_id != command.subscription_id]
                    for gone in self.notifications:
                        if gone not in kept:
                            self.registry.quota.release(gone.endpoint.http)
                    self.notifications = kept
                case c.Accept():
                    self.answers[command.token] = command
                    self.to_answer.append(command.token)
                    self._expect(command.token)
                case c.Refuse() | c.ConfirmDelete():
                    self.answers.setdefault(command.token, command)
                case c.AnswerOverRmr():
                    self.rmr_answers.append(command)
        return commands

    def ports_time_out(self) -> None:
        """What the ports do with calls that nobody answered in time."""
        while self.route_calls:
            self.route_next("timeout")
        for _ in range(len(self.writes)):
            self.write_next("unknown")

    def _expect(self, token: int) -> None:
        """Each detail of an accepted request will be told once; requests that joined it are answered with it."""
        admission = self.node._context.pending_posts.get(token)
        if admission is not None and id(admission) not in self._counted:
            self._counted[id(admission)] = admission
            for detail in admission.request.details:
                self.expected[admission.rest.subscription_id, detail.xapp_event_instance_id] += 1

    def advance(self, seconds: float) -> None:
        """Time goes on; every timer that falls due fires at its own time."""
        end = self.now + seconds
        while True:
            deadline = self.node.deadline
            if deadline is None or deadline > end:
                break
            if not self.store_fails and self.writes:
                self.write_next()
                continue
            self.now = max(self.now, deadline)
            self._perform(self.node.handle_timer(self.now))
        self.now = end

    # --- xApps

    def post(self, wanted: SubscribeRequest) -> int:
        self._token += 1
        self._ids += 1
        self.details[self._token] = wanted
        self.event(e.Subscribe(self._token, wanted, f"rest-{self._ids:04}", "2026-01-01 00:00:00.000"))
        return self._token

    def answered(self, token: int) -> None:
        """The 201 has left."""
        self.to_answer.remove(token)
        self.event(e.Answered(token))

    def delete(self, subscription_id: str) -> int:
        self._token += 1
        self.deleted.add(subscription_id)
        self.event(e.Unsubscribe(self._token, subscription_id))
        return self._token

    def subscribe_over_rmr(self, wanted: Content, requestor: int = 7, xid: bytes | None = None) -> int:
        self._token += 1
        source = RmrEndpoint("service-ricxapp-old-rmr", 4560)
        xid = xid if xid is not None else str(self._token).encode()
        self.event(e.SubscribeOverRmr(self._token, source, xid, requestor, wanted))
        return self._token

    def unsubscribe_over_rmr(self, instance_id: int, requestor: int = 7, xid: bytes | None = None) -> int:
        self._token += 1
        source = RmrEndpoint("service-ricxapp-old-rmr", 4560)
        xid = xid if xid is not None else str(self._token).encode()
        self.event(e.UnsubscribeOverRmr(self._token, source, xid, requestor, instance_id, 2))
        return self._token

    def delete_required(self, instances: list[int], operator: bool = False) -> None:
        """The E2 node, or an operator, wants these deleted."""
        if operator:
            self.event(e.Revoke(tuple(instances)))
            return
        items = tuple(m.SubscriptionToRemove(m.RequestId(123, i), 2, m.Cause(1, 0)) for i in instances)
        self.event(m.SubscriptionDeleteRequired(items))

    # --- what waits, let happen

    def write_next(self, how: str = "ok") -> None:
        """The oldest write: ok, fail, or unknown (which is brought back afterwards, as the store does)."""
        command = self.writes.pop(0)
        self._loss_unwritten = self._loss_unwritten and bool(self.writes)
        how = how if self.store_fails else "ok"
        step = getattr(command, "step", None)
        persistent = step is None or isinstance(command, c.EraseE2 | c.EraseRest)
        if how == "ok" or step is None:
            self.store.apply(command)
            if step is not None:
                self.event(e.Saved(step))
            return
        if persistent:
            # the store goes on trying; its place in the order is kept
            self.writes.insert(0, command)
            self.event(e.SaveFailed(step, "database refused", timed_out=how == "unknown"))
            return
        self.event(e.SaveFailed(step, "database failed", timed_out=how == "unknown"))

    def route_next(self, how: str = "ok", applied: bool = True, index: int = 0) -> None:
        """The oldest call for the instance of call `index`: ok, refused, unreachable, timeout (and maybe done)."""
        wanted = self.route_calls[index].instance_id
        command = next(call for call in self.route_calls if call.instance_id == wanted)
        self.route_calls.remove(command)
        if how == "ok" or (how == "timeout" and applied):
            self._route(command)
        if how == "ok":
            self.event(e.RouteDone(command.step))
        else:
            self.event(e.RouteFailed(command.step, e.RouteFailureKind(how), "as the test wants"))

    def _route(self, command: c.Command) -> None:
        match command:
            case c.CreateRoute():
                self.routes.setdefault(command.instance_id, set()).add(command.endpoint)
            case c.UpdateRoute():
                self.routes[command.instance_id] = set(command.endpoints)
            case c.DeleteRoute():
                left = self.routes.get(command.instance_id, set()) - {command.endpoint}
                if left:
                    self.routes[command.instance_id] = left
                else:
                    self.routes.pop(command.instance_id, None)

    def node_next(self, how: str = "ok", partial: bool = False) -> None:
        """The oldest request at the node: ok, refuse, lose (the request), mute (done, the answer is lost)."""
        command = self.to_node.pop(0)
        message = command.message
        if how == "lose":
            return
        if message.request_id.instance in self.at_node and isinstance(message, m.SubscriptionRequest):
            how = self._as_before(command, how)
        answer = self._at_node(message, how, partial)
        if how != "mute":
            self.from_node.append(answer)

    def _as_before(self, command: c.SendToE2, how: str) -> str:
        """A copy of an update is refused when the one before was, and only then: after a refusal the old content is
        kept, whatever a copy may have done."""
        instance_id = command.message.request_id.instance
        if not command.resend or instance_id not in self._updates_refused:
            self._updates_refused[instance_id] = how == "refuse"
            return how
        if self._updates_refused[instance_id]:
            return "refuse"
        return "ok" if how == "refuse" else how

    def _at_node(self, message: m.Message, how: str, partial: bool) -> e.Event:
        cause = m.Cause(1, 5)
        match message:
            case m.SubscriptionRequest(request_id=request_id, ran_function_id=function):
                if how == "refuse":
                    return m.SubscriptionFailure(request_id, function, cause)
                self.at_node[request_id.instance] = Content(function, message.event_trigger, message.actions)
                ids = tuple(a.action_id for a in message.actions)
                refused = (m.NotAdmitted(99, cause),) if partial else ()
                return m.SubscriptionResponse(request_id, function, ids, refused)
            case m.SubscriptionDeleteRequest(request_id=request_id, ran_function_id=function):
                known = self.at_node.pop(request_id.instance, None) is not None
                if known and how != "refuse":
                    return m.SubscriptionDeleteResponse(request_id, function)
                return m.SubscriptionDeleteFailure(request_id, function, cause)
        raise AssertionError(message)

    def answer_next(self, how: str = "ok") -> None:
        """The oldest answer on its way: ok, lose, or twice."""
        answer = self.from_node.pop(0)
        if how != "lose":
            self.event(answer)
        if how == "twice":
            self.event(answer)

    def notify_next(self, index: int = 0) -> None:
        note = self.notifications.pop(index)
        self.registry.quota.release(note.endpoint.http)
        if note.instance_id:
            self.event(e.Notified(note.subscription_id, note.xapp_event_instance_id, note.instance_id))

    def lose(self) -> None:
        """The E2 connection breaks: the node forgets everything."""
        self.up = False
        self._loss_unwritten = True
        self.at_node.clear()
        self.to_node.clear()
        self.from_node.clear()
        self.event(e.NodeLost("disconnected"))

    def connect(self) -> None:
        self.up = True
        self.event(e.NodeConnected())

    def kill(self, rng: random.Random | None = None) -> None:
        """kill -9 and a start: what was on its way may or may not have happened; then only the store is known."""
        rng = rng or random.Random(0)
        # the store keeps the order within a namespace, not between them
        for namespace in NAMESPACES:
            writes = [command for command in self.writes if isinstance(command, namespace)]
            # nothing but these writes tells of a loss that is over by now
            done = len(writes) if self._loss_unwritten else rng.randint(0, len(writes))
            for command in writes[:done]:
                self.store.apply(command)
        for call in self.route_calls:
            if rng.random() < 0.5:
                self._route(call)
        for sent in self.to_node:
            if rng.random() < 0.5:
                self._at_node(sent.message, "ok", False)
        self._boot()
        store = self.store
        parts = by_node(store.e2.values(), store.rest.values(), store.removals.values(), lambda meid: self.up)
        restored = parts.get(MEID)
        self.expected.clear()
        self.told.clear()
        if restored is not None:
            self.event(restored)

    # --- all is well

    @property
    def busy(self) -> bool:
        return bool(
            self.writes or self.route_calls or self.to_node or self.from_node or self.notifications or self.to_answer
        )

    def settle(self) -> None:
        """Everything that waits goes well, until nothing waits."""
        for _ in range(10_000):
            if self.writes:
                self.write_next()
            elif self.to_answer:
                self.answered(self.to_answer[0])
            elif self.route_calls:
                self.route_next()
            elif self.to_node:
                self.node_next()
            elif self.from_node:
                self.answer_next()
            elif self.notifications:
                self.notify_next()
            elif self.node.deadline is not None:
                self.advance(max(0.0, self.node.deadline - self.now))
            else:
                return
        raise AssertionError("it never settles")

    def subscribed(self, wanted: SubscribeRequest) -> str:
        """POST and let all go well; the SubscriptionId."""
        token = self.post(wanted)
        self.settle()
        answer = self.answers[token]
        assert isinstance(answer, c.Accept), answer
        return answer.subscription_id

    def check_quiet(self) -> None:
        """When quiet: node = routes = store = lists, and no id or place is lost."""
        subs = self.node.subscriptions.e2
        assert self.at_node.keys() == subs.keys()
        for instance_id, sub in subs.items():
            # of an update that was never answered, nobody knows
            assert self.at_node[instance_id] == sub.content or sub.policy_update
            assert self.routes.get(instance_id, set()) == set(sub.wanted_routes)
            assert self.store.e2[instance_id] == sub.record()
            assert sub.holders
        assert self.routes.keys() <= subs.keys()
        assert self.store.e2.keys() == subs.keys()
        assert self.store.rest == {i: rest.record() for i, rest in self.node.subscriptions.rest.items()}
        assert self.registry.ids.in_use() == len(subs)
        assert self.registry.quota.total() == 0
        assert not self.node.removals and not self.store.removals
        assert self.registry.meids.keys() == self.node.subscriptions.rest.keys()
        held = {key for sub in subs.values() for key in sub.rest_holders()}
        mapped = {(r.subscription_id, xei) for r in self.node.subscriptions.rest.values() for xei in r.instances}
        assert {(k.subscription_id, k.xapp_event_instance_id) for k in held} == mapped
