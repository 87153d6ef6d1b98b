# SPDX-License-Identifier: Apache-2.0
"""E2 nodes that measure: the RAN functions they announce, and the KPM indications they send when asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import gevent
from gevent.pool import Group
from msgspec import Struct

from submgr.e2ap.messages import Action, ActionType
from submgr.e2sm import kpm, rc_function
from submgr.e2sm.choices import Chosen
from submgr.e2sm.common import EventTriggerStyle, FunctionName
from submgr.e2sm.decoding import Body, Decoded, decode, encode
from submgr.e2sm.errors import Unreadable
from submgr.e2sm.kpm_indication import CollectionStart, Header, Message, Record, Records, read_message, write
from submgr.e2sm.layouts import LAYOUTS, Model
from submgr.rmr import mtypes
from submgr.rmr.message import Message as RmrMessage
from submgr.simulators.indications import Indication, write_indication
from submgr.simulators.nodes import E2Node, Held

KPM, RC = 2, 3
KPM_OID, RC_OID = "1.3.6.1.4.1.53148.1.2.2.2", "1.3.6.1.4.1.53148.1.1.2.3"
MEASUREMENTS = ("DRB.UEThpDl", "DRB.UEThpUl", "RRU.PrbTotDl", "RRU.PrbTotUl", "RRC.ConnMean")
SHORTEST_PERIOD = 0.01
"""Seconds between two indications, whatever is asked for."""
MOST_REPORTS = 500
"""Actions that are reported at once, over all nodes."""

Routes = Callable[[int], Iterable[str]]
"""Where the indications of an instance id go, as host:port."""
Send = Callable[[RmrMessage, str], object]


class Announced(Struct, frozen=True):
    """A RAN function in the E2 Setup of a node. `definition`: of the service model that the OID names."""

    id: int
    revision: int
    oid: str
    definition: bytes


def functions() -> tuple[Announced, ...]:
    """The RAN functions that a simulated node announces."""
    styles = (EventTriggerStyle(style=1, name="Periodic Report", format=1),)
    offered = tuple(kpm.OfferedMeasurement(name=name) for name in MEASUREMENTS)
    report = kpm.ReportStyle(
        style=1, name="E2 Node Measurement", action_format=1, measurements=offered, header_format=1, message_format=1
    )
    named = FunctionName(short_name="ORAN-E2SM-KPM", oid=KPM_OID, description="KPM Monitor")
    measuring = kpm.FunctionDefinition(name=named, event_trigger_styles=styles, report_styles=(report,))
    named = FunctionName(short_name="ORAN-E2SM-RC", oid=RC_OID, description="RAN Control")
    controlling = rc_function.FunctionDefinition(name=named)
    return (
        Announced(KPM, 1, KPM_OID, encode(measuring, Body.RAN_FUNCTION, LAYOUTS[Model.KPM][0])),
        Announced(RC, 1, RC_OID, encode(controlling, Body.RAN_FUNCTION, LAYOUTS[Model.RC][0])),
    )


class KpmReports:
    """Sends what nodes measure. Subscriptions that are no KPM reports of a node's measurements (format 1) get nothing.

    `send` gets a message and the endpoint of an xApp; `routes` says which endpoints these are at the time. Without it
    nothing is looked at and nothing sent.
    """

    def __init__(self, send: Send, routes: Routes | None) -> None:
        self._send, self._routes = send, routes
        self._running = Group()

    def begin(self, node: E2Node, instance: int) -> None:
        """The node reports this subscription until it is gone, or replaced, or the node has lost its connection."""
        if self._routes is None:
            return
        held = node.subscriptions.get(instance)
        period = _period(held.trigger) if held is not None else None
        if held is None or period is None:
            return
        for action in held.actions:
            asked = _measured(action)
            if asked is not None and len(self._running) < MOST_REPORTS:
                routes = self._routes
                self._running.spawn(self._report, routes, node, instance, held, action.action_id, asked, period)

    @property
    def count(self) -> int:
        """How many actions are reported."""
        return len(self._running)

    def stop(self) -> None:
        self._running.kill()

    def _report(
        self,
        routes: Routes,
        node: E2Node,
        instance: int,
        held: Held,
        action: int,
        asked: kpm.Format1,
        period: float,
    ) -> None:
        epoch = node.epoch
        for number in count():
            gevent.sleep(period)
            if node.epoch != epoch or node.subscriptions.get(instance) is not held:
                return
            message = write(_measurement(asked, number))
            ids = held.requestor, instance, held.function, action, number % 65536
            payload = write_indication(Indication(*ids, write(_header()), message))
            for endpoint in list(routes(instance)):
                self._send(RmrMessage(mtypes.RIC_INDICATION, payload, sub_id=instance, meid=node.name), endpoint)


def _period(trigger: bytes) -> float | None:
    """Seconds; None for an event trigger of something else."""
    decoded = decode(trigger, Body.EVENT_TRIGGER, [Model.KPM])
    return max(SHORTEST_PERIOD, decoded.value.content.value.period / 1000) if isinstance(decoded, Decoded) else None


def _measured(action: Action) -> kpm.Format1 | None:
    decoded = decode(action.definition or b"", Body.ACTION_DEFINITION, [Model.KPM])
    if action.action_type is not ActionType.REPORT or not isinstance(decoded, Decoded):
        return None
    content: Any = decoded.value.content.value
    return content if isinstance(content, kpm.Format1) else None


def _header() -> Header:
    seconds = time.time() + 2_208_988_800  # from 1900, as NTP counts
    return Header(content=Chosen(1, CollectionStart(time=int(seconds * (1 << 32)).to_bytes(9)[-8:])))


def _measurement(asked: kpm.Format1, number: int) -> Message:
    """A value for each label of each measurement; they go up and down."""
    labels = sum(len(one.labels) for one in asked.measurements)
    values = tuple(Chosen("integer", 1000 + (37 * number + 101 * place) % 500) for place in range(labels))
    record = Record(values=values)
    content = Records(records=(record,), measurements=asked.measurements, granularity=asked.granularity)
    return Message(content=Chosen(1, content))


def measured(message: bytes) -> dict[str, Any]:
    """Names, or ids, and the values of the last record of a KPM indication; nothing when it is none."""
    try:
        content = read_message(message).content.value
    except Unreadable:
        return {}
    if not isinstance(content, Records) or content.measurements is None:
        return {}
    values = iter(content.records[-1].values)
    named: dict[str, Any] = {}
    for one in content.measurements:
        named[str(one.measurement.value)] = [chosen.value for chosen, _ in zip(values, one.labels, strict=False)]
    return named
