# SPDX-License-Identifier: Apache-2.0
"""Control interface of the E2 Termination simulator; its routes are listed in `submgr.simulators.e2term`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from submgr.e2ap.codec import EncodeError
from submgr.rmr.message import Message, Status
from submgr.simulators.http import Control, Reply, Request, error_reply, json_reply
from submgr.simulators.rules import parse_cause

if TYPE_CHECKING:
    from submgr.simulators.e2term import E2TermSimulator


class DeleteRequired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    instances: tuple[int, ...]
    cause: str = "misc: unspecified"
    older_numbering: bool = False


class Anything(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mtype: int
    payload: str
    meid: str = ""
    to: str | None = None


class E2TermControl:
    """Answers requests of the control interface."""

    def __init__(self, simulator: E2TermSimulator) -> None:
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
                    return self._send(msgspec.json.decode(request.body, type=Anything))
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

    def _send(self, wanted: Anything) -> Reply:
        message = Message(wanted.mtype, bytes.fromhex(wanted.payload), meid=wanted.meid)
        return _sent(self._simulator.send(message, wanted.to))


def _sent(status: Status) -> Reply:
    return json_reply({"status": status.name}, 200 if status is Status.OK else 503)
