# SPDX-License-Identifier: Apache-2.0
"""E2AP over RMR: sends requests to the E2 Termination, takes its answers, and talks to xApps that speak RMR."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from submgr.adapters.held_requests import HeldRequests
from submgr.core import events as e
from submgr.core.model import MAX_ACTIONS, Content, RmrEndpoint
from submgr.e2ap import codec
from submgr.e2ap import messages as m
from submgr.platform.sparse_log import Sparsely
from submgr.rmr.message import Message, Status
from submgr.rmr.transport import Failed
from submgr.runtime.ports import MType

log = logging.getLogger(__name__)

KEPT_REQUESTS = 10_000
"""Requests of RMR xApps that may wait for an answer. The oldest is forgotten first: a timeout is never answered."""
KEPT_BYTES = 8 << 20
"""Bytes of trace data that those requests may have together: an answer has to carry them back."""

ANSWERS = frozenset(
    {MType.SUBSCRIBED, MType.SUBSCRIBE_FAILED, MType.DELETED, MType.DELETE_FAILED, MType.DELETE_REQUIRED}
)
REQUESTS = frozenset({MType.SUBSCRIBE, MType.DELETE})


class Rmr(Protocol):
    """The RMR layer, as far as it is used here."""

    def send(self, message: Message, failed: Failed | None = None) -> Status: ...
    def reply(
        self, request: Message, mtype: int, payload: bytes, failed: Failed | None = None, *, sub_id: int
    ) -> Status: ...
    def awaits_routes(self) -> bool:
        """Whether the full route table that comes after a start is still to come."""

    def leads(self, message: Message) -> bool:
        """Whether the table in force has a destination for a message."""

    def on_routes(self, changed: Callable[[], None]) -> None:
        """`changed` is called after each new table."""


class Inbound(Protocol):
    """Takes the received E2AP messages (the dispatcher)."""

    def post(self, meid: str, event: e.Event) -> None: ...
    def answered(self, meid: str, event: e.Event, instance_id: int) -> None: ...
    def delete_required(self, meid: str, event: m.SubscriptionDeleteRequired) -> None: ...
    def undecodable(self, meid: str, instance_id: int, message: str) -> None: ...


class E2Termination:
    """Implements `submgr.runtime.ports.E2Sender`, and handles received RMR messages.

    `strict_order()`: whether a message with its information elements out of order is undecodable. `owner(instance_id)`:
    the Meid of the node that an instance id belongs to. `token()`: a new number for a request of an xApp.
    """

    def __init__(
        self,
        strict_order: Callable[[], bool],
        owner: Callable[[int], str | None],
        token: Callable[[], int],
        held: HeldRequests | None = None,
    ) -> None:
        self._strict_order = strict_order
        self._owner = owner
        self._token = token
        self._rmr: Rmr | None = None
        self._inbound: Inbound | None = None
        self._answers_only = True
        self._requests: OrderedDict[int, Message] = OrderedDict()
        self._kept_bytes = 0
        self._held = HeldRequests() if held is None else held
        self._sparsely = Sparsely(log)

    def connect(self, rmr: Rmr) -> None:
        """Sets the RMR layer to send through. To be called before anything is sent."""
        self._rmr = rmr
        rmr.on_routes(self._held.release)

    def open(self, inbound: Inbound, answers_only: bool = False) -> None:
        """Passes received messages on to `inbound` from now on; before, they are dropped.

        `answers_only`: requests of xApps are still dropped.
        """
        self._inbound = inbound
        self._answers_only = answers_only

    # --- out

    def send_to_node(
        self, meid: str, mtype: MType, instance_id: int, payload: bytes, failed: Failed, wait: float = 0.0
    ) -> None:
        """Sends a request. Before the first full route table, one without a route waits for `wait` s at most."""
        rmr = self._rmr
        assert rmr is not None
        message = Message(mtype, payload, sub_id=instance_id, meid=meid)
        self._held.drop((meid, instance_id))
        if wait > 0 and rmr.awaits_routes() and not rmr.leads(message):
            why = f"no RMR route for {mtype.value} to {meid}, and no complete route table since the start"
            held = self._held.hold(
                (meid, instance_id),
                wait,
                has_route=lambda: rmr.leads(message),
                send=lambda: self._send(rmr, message, failed),
                give_up=lambda: failed(why),
            )
            if not held:
                failed(why)
            return
        self._send(rmr, message, failed)

    def node_lost(self, meid: str) -> None:
        """Sends nothing that still waits for a route to this node: its procedures are over."""
        self._held.drop_node(meid)

    def _send(self, rmr: Rmr, message: Message, failed: Failed) -> None:
        status = rmr.send(message, failed)
        if status is Status.NOENDPT:
            failed(f"no RMR route for {message.mtype} to {message.meid}")
        elif status is not Status.OK:
            failed(f"RMR refused the message: {status.name}")

    def answer(self, token: int, mtype: MType, instance_id: int, payload: bytes) -> None:
        assert self._rmr is not None
        request = self._requests.pop(token, None)
        if request is None:
            return
        self._kept_bytes -= _carried(request)
        status = self._rmr.reply(request, mtype, payload, self._unanswered, sub_id=instance_id)
        if status is not Status.OK:
            self._unanswered(status.name)

    def _unanswered(self, reason: str) -> None:
        self._sparsely.log(logging.WARNING, "answer", f"answer to an RMR xApp could not be sent: {reason}")

    # --- in

    def received(self, message: Message) -> None:
        """Handles one RMR message. Raises nothing, whatever the message is."""
        inbound = self._inbound
        if inbound is not None and message.mtype in ANSWERS:
            self._answer(inbound, message)
        elif inbound is None or self._answers_only:
            self._sparsely.log(logging.WARNING, "early", "RMR message before the subscriptions were restored: dropped")
        elif message.mtype in REQUESTS:
            self._request(inbound, message)
        else:
            self._sparsely.log(logging.WARNING, "type", f"RMR message type {message.mtype} is not for us")

    def _answer(self, inbound: Inbound, message: Message) -> None:
        try:
            decoded = codec.decode(message.payload, self._strict_order())
        except codec.DecodeError as refused:
            inbound.undecodable(message.meid, max(message.sub_id, 0), str(refused))
            return
        match decoded:
            case (
                m.SubscriptionResponse()
                | m.SubscriptionFailure()
                | m.SubscriptionDeleteResponse()
                | m.SubscriptionDeleteFailure()
            ):
                inbound.answered(message.meid, decoded, decoded.request_id.instance)
            case m.SubscriptionDeleteRequired():
                inbound.delete_required(message.meid, decoded)
            case _:
                name = type(decoded).__name__
                inbound.undecodable(message.meid, 0, f"{name} under RMR type {message.mtype}")

    def _request(self, inbound: Inbound, message: Message) -> None:
        try:
            decoded = codec.decode(message.payload, self._strict_order())
            source = RmrEndpoint.parse(message.src)
        except (codec.DecodeError, ValueError) as refused:
            self._sparsely.log(logging.WARNING, "request", f"request of an RMR xApp {message.src}: {refused}")
            return
        meid = message.meid
        match decoded:
            case m.SubscriptionRequest() if meid:
                content = Content(decoded.ran_function_id, decoded.event_trigger, decoded.actions)
                if not _is_one_subscription(content):
                    self._sparsely.log(logging.WARNING, "actions", f"request of {source}: actions that do not fit")
                    return
                token = self._keep(message)
                inbound.post(
                    meid, e.SubscribeOverRmr(token, source, message.xid, decoded.request_id.requestor, content)
                )
            case m.SubscriptionDeleteRequest():
                token = self._keep(message)
                request_id = decoded.request_id
                event = e.UnsubscribeOverRmr(
                    token, source, message.xid, request_id.requestor, request_id.instance, decoded.ran_function_id
                )
                inbound.post(meid or self._owner(request_id.instance) or "", event)
            case _:
                self._sparsely.log(logging.WARNING, "request", f"request of {source}: no Meid, or not a request")

    def _keep(self, message: Message) -> int:
        token = self._token()
        # the answer needs everything but the payload
        self._requests[token] = replace(message, payload=b"")
        self._kept_bytes += _carried(message)
        while len(self._requests) > KEPT_REQUESTS or self._kept_bytes > KEPT_BYTES:
            _, oldest = self._requests.popitem(last=False)
            self._kept_bytes -= _carried(oldest)
        return token


def _carried(request: Message) -> int:
    return len(request.trace) + len(request.d1)


def _is_one_subscription(content: Content) -> bool:
    """Whether the actions keep the rules for REST requests: at most 16, all of one type, with different ids."""
    actions = content.actions
    if not 0 < len(actions) <= MAX_ACTIONS:
        return False
    return len({a.action_type for a in actions}) == 1 and len({a.action_id for a in actions}) == len(actions)
