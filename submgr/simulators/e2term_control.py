# SPDX-License-Identifier: Apache-2.0
"""Control interface of the E2 Termination simulator.

It has the common routes of `submgr.simulators.http`, and:

    POST /nodes/NAME/connected · /disconnected · /under_reset    state of a node, made when it is new
    POST /nodes/NAME/delete_required                             {"instances": [1], "cause": "misc: unspecified",
                                                                  "older_numbering": false}
    POST /send      {"mtype": 12023, "payload": "hex", "meid": "NAME", "to": "host:port"}
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, Protocol

import msgspec

from submgr.e2ap.codec import EncodeError
from submgr.e2ap.messages import Cause
from submgr.rmr.message import Message, Status
from submgr.simulators.events import EventLog
from submgr.simulators.http import Control, Reply, Request, error_reply, json_reply
from submgr.simulators.rules import E2Rule, RuleBook, parse_cause


class E2Termination(Protocol):
    """The simulator as the control interface uses it; see `submgr.simulators.e2term.E2TermSimulator`."""

    log: EventLog
    rules: RuleBook[E2Rule]

    @property
    def nodes(self) -> Container[str]: ...

    def connect(self, name: str) -> None: ...
    def disconnect(self, name: str) -> None: ...
    def reset_node(self, name: str) -> None: ...
    def require_delete(self, name: str, instances: Iterable[int], cause: Cause, older_numbering: bool) -> Status: ...
    def send(self, message: Message, to: str | None = None) -> Status: ...
    def reset(self) -> None: ...
    def state(self) -> dict[str, Any]: ...
    def counts(self) -> dict[str, int]: ...


class DeleteRequired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `delete_required`."""

    instances: tuple[int, ...]
    cause: str = "misc: unspecified"
    older_numbering: bool = False


class AnyMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `send`; the payload is hexadecimal."""

    mtype: int
    payload: str
    meid: str = ""
    to: str | None = None


class E2TermControl:
    """Answers the requests of the control interface."""

    def __init__(self, simulator: E2Termination) -> None:
        self._simulator = simulator
        self._common = Control(simulator.log, simulator.rules, simulator.state, simulator.counts, simulator.reset)

    def answer(self, request: Request) -> Reply:
        """The answer to one request."""
        reply = self._common.answer(request)
        if reply is not None:
            return reply
        try:
            match request.method, request.path.split("/")[1:]:
                case "POST", ["nodes", name, action]:
                    return self._node(name, action, request.body)
                case "POST", ["send"]:
                    return self._send(msgspec.json.decode(request.body, type=AnyMessage))
        except (msgspec.DecodeError, EncodeError, ValueError) as error:
            return error_reply(400, str(error))
        return error_reply(404, f"there is no {request.path}")

    def _node(self, name: str, action: str, body: bytes) -> Reply:
        simulator = self._simulator
        match action:
            case "connected":
                simulator.connect(name)
            case "disconnected":
                simulator.disconnect(name)
            case "under_reset":
                simulator.reset_node(name)
            case "delete_required" if name in simulator.nodes:
                wanted = msgspec.json.decode(body, type=DeleteRequired)
                return _sent(
                    simulator.require_delete(name, wanted.instances, parse_cause(wanted.cause), wanted.older_numbering)
                )
            case _:
                return error_reply(404, f"there is no node {name} or no action {action}")
        return Reply(204)

    def _send(self, wanted: AnyMessage) -> Reply:
        message = Message(wanted.mtype, bytes.fromhex(wanted.payload), meid=wanted.meid)
        return _sent(self._simulator.send(message, wanted.to))


def _sent(status: Status) -> Reply:
    return json_reply({"status": status.name}, 200 if status is Status.OK else 503)
