# SPDX-License-Identifier: Apache-2.0
"""An xApp: takes notifications over HTTP and, when asked, subscribes over RMR as older xApps do.

    POST …/ric/v1/subscriptions/response    a notification, answered 200 or as a rule says

Notifications are in `notifications` and at `GET /state` in the order they came, each with the status of its answer
(None: no answer). `delivered` has those answered with a 2xx. Indications are counted, and the values of the newest KPM
indication are in `measured`. The common control interface is on the same port (see
`submgr.simulators.http`). With an RMR side there are also:

    POST /rmr/subscribe   {"meid": "gnb", "function": 2, "trigger": "01", "actions": [{"id": 1, "type": "report",
                           "definition": "05"}], "requestor": 123, "xid": "x1", "to": "host:port"}
    POST /rmr/delete      {"meid": "gnb", "function": 2, "instance": 1, "requestor": 123, "to": "host:port"}
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from msgspec import Struct

from submgr.e2ap import codec
from submgr.e2ap.messages import Message as E2Message
from submgr.e2ap.messages import RequestId, SubscriptionDeleteRequest, SubscriptionRequest
from submgr.rmr import mtypes
from submgr.rmr.message import Message, Status
from submgr.rmr.transport import TransportConfig, TransportError
from submgr.rmr.wire.transport import WireTransport
from submgr.simulators.events import EventLog, remember
from submgr.simulators.http import Control, HttpListener, Reply, Request, error_reply, json_reply, pause, spoiled
from submgr.simulators.indications import read_indication
from submgr.simulators.kpm_reports import measured
from submgr.simulators.rules import HttpRule, RuleBook
from submgr.simulators.xapp_requests import RmrDelete, RmrSubscribe

RESPONSE_PATH = "/ric/v1/subscriptions/response"


class XappConfig(Struct, frozen=True):
    """Where the xApp listens. `rmr_port` None: no RMR side; 0 lets the system choose."""

    listen: str = "127.0.0.1:0"
    host: str = "127.0.0.1"
    rmr_port: int | None = None
    submgr: str | None = None
    """RMR endpoint of the Subscription Manager."""


class Notification(Struct, frozen=True):
    """One notification: its body, the `Host` it was sent to, and the status of the answer."""

    body: dict[str, Any]
    host: str
    status: int | None
    chunked: bool = False
    """The body came in chunks, without a Content-Length."""

    @property
    def delivered(self) -> bool:
        """Whether the sender has to take the notification for delivered."""
        return self.status is not None and 200 <= self.status < 300


class RmrAnswer(Struct, frozen=True):
    """One message from the Subscription Manager; `message` is None when its payload cannot be decoded."""

    mtype: int
    xid: bytes
    meid: str
    sub_id: int
    message: E2Message | None


def _as_json(message: E2Message | None) -> dict[str, Any] | None:
    """A message with its kind; octets in base64."""
    return None if message is None else {"kind": type(message).__name__, **msgspec.to_builtins(message)}


class XappSimulator:
    """An xApp. `start` and `stop` may follow each other; notifications and answers are kept."""

    def __init__(self, config: XappConfig | None = None) -> None:
        self.config = config or XappConfig()
        self.log = EventLog()
        self.rules: RuleBook[HttpRule] = RuleBook(HttpRule)
        self.notifications: list[Notification] = []
        self.delivered: list[Notification] = []
        """Those that were answered with a 2xx."""
        self.answers: list[RmrAnswer] = []
        self.indications: Counter[int] = Counter()
        """Indications by the instance id of their E2 subscription."""
        self.measured: dict[int, dict[str, Any]] = {}
        """What the newest KPM indication of an instance id said."""
        self.http = HttpListener(self.config.listen, self._answer)
        self._control = Control(self.log, self.rules, self.state, self.counts, self.reset)
        self._transport: WireTransport | None = None
        self._rmr_port = self.config.rmr_port

    def start(self) -> None:
        """Listens. Raises ListenError or TransportError when a port is not free."""
        self.http.start()
        if self._rmr_port is not None:
            config = TransportConfig(self.config.host, self._rmr_port, name=self.config.host, backoff_max=0.2)
            transport = WireTransport(config, self._receive)
            try:
                transport.start()
            except TransportError:
                self.http.stop()
                raise
            self._transport, self._rmr_port = transport, transport.port

    def stop(self) -> None:
        """Closes the ports and every connection."""
        self.http.stop()
        if self._transport is not None:
            self._transport.stop(timeout=0.2)
            self._transport = None

    @property
    def rmr_port(self) -> int:
        """Port of the RMR side (0: there is none), known after start."""
        return self._rmr_port or 0

    def instances(self, subscription_id: str | None = None) -> list[dict[str, Any]]:
        """Subscription instances of the delivered notifications, of one REST subscription or of all."""
        return [
            instance
            for item in self.delivered
            if subscription_id in (None, item.body.get("SubscriptionId"))
            for instance in item.body.get("SubscriptionInstances", [])
        ]

    def wait(self, count: int, timeout: float = 10.0) -> bool:
        """Waits until so many notifications have been delivered."""
        return self.log.wait(lambda: len(self.delivered) >= count, timeout)

    def wait_for_answers(self, count: int, timeout: float = 10.0) -> bool:
        """Waits until so many RMR messages have come."""
        return self.log.wait(lambda: len(self.answers) >= count, timeout)

    def subscribe(self, meid: str, request: SubscriptionRequest, xid: bytes = b"", to: str | None = None) -> Status:
        """Sends RIC_SUB_REQ. Raises EncodeError when the request cannot be encoded."""
        return self._send(mtypes.RIC_SUB_REQ, codec.encode(request), meid, xid, to)

    def unsubscribe(
        self, meid: str, request_id: RequestId, function: int, xid: bytes = b"", to: str | None = None
    ) -> Status:
        """Sends RIC_SUB_DEL_REQ."""
        payload = codec.encode(SubscriptionDeleteRequest(request_id, function))
        return self._send(mtypes.RIC_SUB_DEL_REQ, payload, meid, xid, to)

    def reset(self) -> None:
        """Forgets notifications, answers, rules and log."""
        self.rules.clear()
        self.log.clear()
        self.notifications.clear()
        self.delivered.clear()
        self.answers.clear()
        self.indications.clear()
        self.measured.clear()

    def state(self) -> dict[str, Any]:
        """The notifications and answers so far, as JSON values."""
        return {
            "notifications": [
                {"body": item.body, "host": item.host, "status": item.status, "chunked": item.chunked}
                for item in self.notifications
            ],
            "answers": [
                {
                    "mtype": answer.mtype,
                    "xid": answer.xid.rstrip(b"\0").decode(errors="replace"),
                    "meid": answer.meid,
                    "sub_id": answer.sub_id,
                    "message": _as_json(answer.message),
                }
                for answer in self.answers
            ],
            "indications": {str(instance): count for instance, count in sorted(self.indications.items())},
            "measured": {str(instance): values for instance, values in sorted(self.measured.items())},
        }

    def counts(self) -> dict[str, int]:
        """The numbers of notifications, delivered notifications, answers and indications so far."""
        return {
            "notifications": len(self.notifications),
            "delivered": len(self.delivered),
            "answers": len(self.answers),
            "indications": self.indications.total(),
        }

    def _answer(self, request: Request) -> Reply:
        reply = self._control.answer(request)
        if reply is not None:
            return reply
        if request.method == "POST" and request.path.startswith("/rmr/"):
            return self._rmr_request(request)
        if request.path.rstrip("/") != RESPONSE_PATH:
            return error_reply(404, f"there is no {request.path}")
        if request.method != "POST":
            return error_reply(405, f"{request.method} is not possible on {request.path}")
        return self._notified(request)

    def _notified(self, request: Request) -> Reply:
        try:
            body = msgspec.json.decode(request.body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            self.log.add("refused", why=str(error), body=request.body.decode(errors="replace"))
            return error_reply(400, str(error))
        facts = {"subscription_id": body.get("SubscriptionId"), "host": request.host, "method": request.method}
        rule = self.rules.pick(facts)
        self.log.add("received", body=body, host=request.host)
        pause(rule)
        reply = spoiled(rule, Reply(200))
        status = None if reply.hang or reply.close else reply.status
        notification = Notification(body, request.host, status, request.chunked)
        remember(self.notifications, notification)
        if notification.delivered:
            remember(self.delivered, notification)
        self.log.add("answered", status=status, **facts)
        return reply

    def _rmr_request(self, request: Request) -> Reply:
        try:
            if request.path == "/rmr/subscribe":
                wanted = msgspec.json.decode(request.body, type=RmrSubscribe)
                status = self.subscribe(wanted.meid, wanted.request(), wanted.xid.encode(), wanted.to)
            elif request.path == "/rmr/delete":
                delete = msgspec.json.decode(request.body, type=RmrDelete)
                ids = RequestId(delete.requestor, delete.instance)
                status = self.unsubscribe(delete.meid, ids, delete.function, delete.xid.encode(), delete.to)
            else:
                return error_reply(404, f"there is no {request.path}")
        except (msgspec.DecodeError, codec.EncodeError, ValueError) as error:
            return error_reply(400, str(error))
        return json_reply({"status": status.name}, 200 if status is Status.OK else 503)

    def _send(self, mtype: int, payload: bytes, meid: str, xid: bytes, to: str | None) -> Status:
        endpoint = to or self.config.submgr
        if self._transport is None or endpoint is None:
            return Status.NOENDPT
        status = self._transport.send_to(endpoint, Message(mtype, payload, xid=xid, meid=meid))
        self.log.add("sent", mtype=mtype, meid=meid, to=endpoint, status=status.name)
        return status

    def _receive(self, message: Message) -> None:
        if message.mtype == mtypes.RIC_INDICATION:
            self._indicated(message)
            return
        try:
            decoded: E2Message | None = codec.decode(message.payload)
        except codec.DecodeError:
            decoded = None
        answer = RmrAnswer(message.mtype, message.xid, message.meid, message.sub_id, decoded)
        remember(self.answers, answer)
        self.log.add("rmr", mtype=message.mtype, meid=message.meid, payload=message.payload.hex())

    def _indicated(self, message: Message) -> None:
        """Counts an indication, and keeps its values. It is not in the log, which would soon have nothing else."""
        indication = read_indication(message.payload)
        if indication is None:
            self.log.add("undecodable", mtype=message.mtype, payload=message.payload.hex())
            return
        self.indications[indication.instance] += 1
        values = measured(indication.message)
        if values:
            self.measured[indication.instance] = values
        self.log.wake()
