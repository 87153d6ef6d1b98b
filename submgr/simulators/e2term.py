# SPDX-License-Identifier: Apache-2.0
"""An E2 Termination with E2 nodes behind it, on a real RMR port.

The simulator answers RIC SUBSCRIPTION REQUEST and DELETE REQUEST (RMR types 12010 and 12020; the Meid names the node)
to their sender, as the node would answer or as a rule says. The ground truth is in `nodes` and at `GET /state`: the
subscriptions of every node, and how many procedures it had at once. The control interface is described in
`submgr.simulators.e2term_control`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gevent
from gevent.pool import Group
from msgspec import Struct

from submgr.e2ap import codec
from submgr.e2ap.messages import Cause, RequestId, SubscriptionDeleteRequest, SubscriptionRequest
from submgr.platform.http.listen import ListenError
from submgr.rmr import mtypes
from submgr.rmr.message import Message, Status
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.transport import WireTransport
from submgr.simulators.e2_answers import Outgoing, delete_required, outgoing
from submgr.simulators.e2term_control import E2TermControl
from submgr.simulators.events import EventLog
from submgr.simulators.http import HttpListener
from submgr.simulators.kpm_reports import KpmReports, Routes
from submgr.simulators.nodes import E2Node, NodeState, Workload
from submgr.simulators.rules import E2Rule, RuleBook, parse_cause

OnNodeState = Callable[[str, NodeState], None]
_LAST_WORDS = 0.2
"""Seconds that answers already on their way may take at a stop."""
_UNSPECIFIED = parse_cause("misc: unspecified")


class E2TermConfig(Struct, frozen=True):
    """Where the simulator listens and which nodes are connected at the start."""

    host: str = "127.0.0.1"
    port: int = 0
    """RMR; 0 lets the system choose."""
    control: str | None = "127.0.0.1:0"
    """Control interface; None for none."""
    nodes: tuple[str, ...] = ()
    any_node: bool = False
    """A Meid that is not known is a new, connected node instead of a request for nobody."""
    submgr: str | None = None
    """Where requests of nodes go; None: to whoever asked last."""


class E2TermSimulator:
    """An E2 Termination; `start` and `stop` may follow each other, nodes are kept."""

    def __init__(
        self,
        config: E2TermConfig | None = None,
        on_node_state: OnNodeState | None = None,
        routes: Routes | None = None,
    ) -> None:
        """`on_node_state(name, state)` is called for every change, in the greenlet that makes it.

        `routes`: where the indications of an instance id go; without it no node sends any.
        """
        self.config = config or E2TermConfig()
        self.log = EventLog()
        self.rules: RuleBook[E2Rule] = RuleBook(E2Rule)
        self.nodes: dict[str, E2Node] = {}
        self.workload = Workload()
        self.received: Counter[int] = Counter()
        """Messages by RMR type."""
        self.control: HttpListener | None = None
        self.on_node_state = on_node_state
        self._transport: WireTransport | None = None
        self._port = self.config.port
        self._later = Group()
        self._reports = KpmReports(self._indicate, routes)
        self._last_sender = ""

    def start(self) -> None:
        """Listens, then connects the nodes of the configuration that are not known yet.

        Raises:
            TransportError: the RMR port is not free.
            ListenError: the control port is not free.
        """
        config = TransportConfig(self.config.host, self._port, name=self.config.host, backoff_max=0.2)
        transport = WireTransport(config, self._receive)
        transport.start()
        self._transport, self._port = transport, transport.port
        if self.config.control is not None:
            if self.control is None:
                self.control = HttpListener(self.config.control, E2TermControl(self).answer)
            try:
                self.control.start()
            except ListenError:
                self.stop()
                raise
        for name in self.config.nodes:
            if name not in self.nodes:
                self.connect(name)

    def stop(self) -> None:
        """Closes everything; answers that are still to come are lost."""
        self._later.kill()
        self._reports.stop()
        if self.control is not None:
            self.control.stop()
        if self._transport is not None:
            self._transport.stop(_LAST_WORDS)
            self._transport = None

    @property
    def endpoint(self) -> str:
        """host:port of the RMR side, known after the first start."""
        return f"{self.config.host}:{self._port}"

    @property
    def reporting(self) -> int:
        """How many actions the nodes report at present."""
        return self._reports.count

    def route_table(self) -> str:
        """A route table that leads a Subscription Manager's requests here."""
        types = (mtypes.RIC_SUB_REQ, mtypes.RIC_SUB_DEL_REQ)
        records = [f"mse|{mtype}|-1|{self.endpoint}" for mtype in types]
        return "\n".join(["newrt|start|simulator", *records, f"newrt|end|{len(records)}", ""])

    def connect(self, name: str) -> None:
        """The node is connected; it is made when it is new."""
        self._set_state(name, NodeState.CONNECTED)

    def disconnect(self, name: str) -> None:
        """The E2 connection is lost, and with it the node's subscriptions and answers."""
        self._set_state(name, NodeState.DISCONNECTED)

    def reset_node(self, name: str) -> None:
        """The node is under reset: the same loss, until it is connected again."""
        self._set_state(name, NodeState.UNDER_RESET)

    def require_delete(
        self,
        name: str,
        instances: Iterable[int],
        cause: Cause = _UNSPECIFIED,
        older_numbering: bool = False,
    ) -> Status:
        """The node asks for the deletion of subscriptions, also of ones it does not hold.

        Raises:
            EncodeError: no instances, or more than one message takes.
        """
        held = self.nodes[name].subscriptions
        items = []
        for instance in instances:
            known = held.get(instance)
            ids = RequestId(0 if known is None else known.requestor, instance)
            items.append((ids, 0 if known is None else known.function))
        payload = delete_required(tuple(items), cause, older_numbering)
        return self.send(Message(mtypes.RIC_SUB_DEL_REQUIRED, payload, meid=name))

    def send(self, message: Message, to: str | None = None) -> Status:
        """Sends anything to the Subscription Manager or another endpoint."""
        endpoint = to or self.config.submgr or self._last_sender
        if self._transport is None or not endpoint:
            return Status.NOENDPT
        status = self._transport.send_to(endpoint, message)
        self._log_message("sent", message.mtype, message.payload, message.meid, to=endpoint, status=status.name)
        return status

    def reset(self) -> None:
        """Forgets rules, log, counts and subscriptions, and connects every node."""
        self._later.kill()
        self._reports.stop()
        self.rules.clear()
        self.log.clear()
        self.received.clear()
        self.workload = Workload()
        for node in self.nodes.values():
            node.lose_all()
            node.max_running = node.handled = 0
            if node.state is not NodeState.CONNECTED:
                self.connect(node.name)

    def state(self) -> dict[str, Any]:
        """The ground truth as JSON values."""
        return {
            "endpoint": self.endpoint,
            "nodes": {name: node.as_json() for name, node in sorted(self.nodes.items())},
            "max_running": self.workload.max_running,
            "max_busy_nodes": self.workload.max_busy_nodes,
            "received": {str(mtype): count for mtype, count in sorted(self.received.items())},
        }

    def counts(self) -> dict[str, int]:
        """Connected nodes, subscriptions they hold, requests seen, requests being worked on."""
        nodes = self.nodes.values()
        return {
            "connected": sum(node.state is NodeState.CONNECTED for node in nodes),
            "subscriptions": sum(len(node.subscriptions) for node in nodes),
            "handled": sum(node.handled for node in nodes),
            "running": self.workload.running,
        }

    def _set_state(self, name: str, state: NodeState) -> None:
        node = self.nodes.setdefault(name, E2Node(name, NodeState.DISCONNECTED))
        if state is not NodeState.CONNECTED:
            self.workload.forget(node)
        node.state = state
        self.log.add("node", meid=name, state=state.value)
        if self.on_node_state is not None:
            self.on_node_state(name, state)

    def _receive(self, message: Message) -> None:
        self.received[message.mtype] += 1
        self._log_message("received", message.mtype, message.payload, message.meid, source=message.src)
        try:
            request = codec.decode(message.payload, strict_order=False)
        except codec.DecodeError as error:
            self.log.add("dropped", meid=message.meid, why=f"undecodable: {error}")
            return
        if not isinstance(request, SubscriptionRequest | SubscriptionDeleteRequest):
            self.log.add("dropped", meid=message.meid, why=f"{type(request).__name__} is nothing for a node")
            return
        self._last_sender = message.src or self._last_sender
        if self.config.any_node and message.meid and message.meid not in self.nodes:
            self.connect(message.meid)
        node = self.nodes.get(message.meid)
        if node is None or node.state is not NodeState.CONNECTED:
            self.log.add("dropped", meid=message.meid, why="unknown node" if node is None else node.state.value)
            return
        self._handle(node, message, request)

    def _handle(self, node: E2Node, message: Message, request: SubscriptionRequest | SubscriptionDeleteRequest) -> None:
        subscribes = isinstance(request, SubscriptionRequest)
        instance = request.request_id.instance
        rule = self.rules.pick(
            {
                "meid": node.name,
                "instance": instance,
                "function": request.ran_function_id,
                "procedure": "subscribe" if subscribes else "delete",
            }
        )
        if rule is not None and rule.silent == "request":
            self.log.add("dropped", meid=node.name, why="lost on the way to the node")
            return
        if isinstance(request, SubscriptionRequest):
            answer = node.subscribe(request, rule)
            self._reports.begin(node, instance)
        else:
            answer = node.delete(request, rule)
        if rule is not None and rule.silent == "answer":
            self.log.add("dropped", meid=node.name, why="answer lost")
            return
        self.workload.begin(node, instance)
        first, *copies = outgoing(answer, rule)
        self._after(first.delay, node, lambda: self._finish(node, instance, message, first, rule))
        for copy in copies:
            self._after(copy.delay, node, partial(self._answer, message, copy))

    def _after(self, delay: float, node: E2Node, action: Callable[[], object]) -> None:
        """Does something in `delay` seconds, unless the node has lost its E2 connection by then."""
        if not delay:
            action()
            return
        epoch = node.epoch

        def due() -> None:
            if node.epoch == epoch:
                action()

        self._later.add(gevent.spawn_later(delay, due))

    def _finish(self, node: E2Node, instance: int, message: Message, answer: Outgoing, rule: E2Rule | None) -> None:
        self.workload.end(node, instance)
        self._answer(message, answer)
        if rule is not None and rule.delete_required is not None:
            required = partial(self.require_delete, node.name, [instance], older_numbering=rule.older_numbering)
            self._after(rule.delete_required, node, required)

    def _answer(self, message: Message, answer: Outgoing) -> None:
        if self._transport is None:
            return
        meid = message.meid if answer.meid is None else answer.meid
        status = self._transport.reply(message, answer.mtype, answer.payload, meid=meid)
        self._log_message("sent", answer.mtype, answer.payload, meid, to=message.src, status=status.name)

    def _indicate(self, message: Message, endpoint: str) -> None:
        if self._transport is not None:
            self._transport.send_to(endpoint, message)

    def _log_message(self, event: str, mtype: int, payload: bytes, meid: str, **facts: str) -> None:
        self.log.add(event, mtype=mtype, meid=meid, payload=payload.hex(), **facts)
