# SPDX-License-Identifier: Apache-2.0
"""Outcomes: how each detail of each REST subscription ended last, and when it got how far. Kept in memory only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, field

from submgr.adapters.journal.entries import small
from submgr.core.errors import Failure
from submgr.core.model import ClientEndpoint, Content, E2Record, RestHolder, SubscribeRequest

ENDED = 1000
"""Details of REST subscriptions that have ended, of which the outcomes are kept."""

MOST = 200_000
"""REST subscriptions of which the outcomes are kept: three times as many as there are instance ids."""

Outcome = Literal["pending", "succeeded", "failed"]

STEPS = ("posted", "saved", "started", "route", "requested", "answered", "told", "notified")
"""What happens for a detail, in the usual order: its POST came; the request is in the database, and answered 201; its
turn at the E2 node came; its route was made; the E2 node was asked; it answered; the outcome was known, and its
notification was due; the xApp took the notification."""


class Trace(Struct, eq=False):
    """How far a detail got. The steps are seconds since 1970, 0.0 for what did not happen (yet).

    `number`: its XappEventInstanceId; None: an xApp that subscribes over RMR. `content`: what it asks for; None where a
    failed one was too large to be kept. `failure`: why it failed, the last time. `instance_id`: of the E2 subscription
    that was made for it or that it shares, 0: none.
    """

    number: int | None
    content: Content | None
    ran_function_id: int
    posted: float
    saved: float = 0.0
    started: float = 0.0
    route: float = 0.0
    requested: float = 0.0
    answered: float = 0.0
    told: float = 0.0
    notified: float = 0.0
    outcome: Outcome = "pending"
    failure: Failure | None = None
    instance_id: int = 0

    def begin_again(self, content: Content, posted: float) -> None:
        """Another request for this detail has come. It has its E2 subscription until it is told of another outcome."""
        fresh = Trace(self.number, content, content.ran_function_id, posted, instance_id=self.instance_id)
        for name in self.__struct_fields__:
            setattr(self, name, getattr(fresh, name))

    def end(self, failure: Failure | None, instance_id: int, now: float) -> None:
        """The outcome is known, and the xApp is being told."""
        self.told = now
        self.failure = failure
        self.instance_id = instance_id
        self.outcome = "succeeded" if failure is None else "failed"
        if failure is not None and not small(self.content):
            self.content = None

    @property
    def seconds(self) -> float | None:
        """From the POST to the outcome; None while there is none."""
        return max(0.0, self.told - self.posted) if self.told and self.posted else None

    def timeline(self) -> Iterator[tuple[str, float]]:
        """The steps in the order in which they happened, with their times."""
        steps = [(when, name) for name in STEPS if (when := getattr(self, name))]
        for when, name in sorted(steps, key=lambda step: step[0]):
            yield name, when


class RestTrace(Struct, eq=False):
    """The details of one REST subscription by XappEventInstanceId. `created`: seconds since 1970."""

    meid: str
    endpoint: ClientEndpoint
    created: float
    details: dict[int, Trace] = field(default_factory=dict)

    @property
    def last(self) -> Trace | None:
        """The detail that says how the subscription is: one that is pending, else the one that ended last."""
        found = None
        for trace in self.details.values():
            if trace.outcome == "pending":
                return trace
            if found is None or trace.told > found.told:
                found = trace
        return found


class Outcomes:
    """The traces of what is subscribed, and of the details that ended last.

    What was restored at a start has none until an xApp asks for it again. Every call is O(1), but `posted`, which is
    O(details of the request).
    """

    def __init__(self) -> None:
        self._rest: dict[str, RestTrace] = {}
        self._by_instance: dict[int, Trace] = {}
        self._ended: OrderedDict[str, RestTrace] = OrderedDict()
        self._ended_details = 0

    def of(self, subscription_id: str) -> RestTrace | None:
        """The traces of a REST subscription that is there, or ended lately."""
        return self._rest.get(subscription_id) or self._ended.get(subscription_id)

    def detail(self, subscription_id: str, number: int) -> Trace | None:
        """The trace of one detail, also of what ended lately."""
        rest = self._rest.get(subscription_id) or self._ended.get(subscription_id)
        return rest.details.get(number) if rest is not None else None

    def ended(self) -> list[tuple[str, RestTrace]]:
        """The REST subscriptions that have ended lately, the last one first."""
        return list(reversed(self._ended.items()))

    def by_instance(self, instance_id: int) -> Trace | None:
        """The trace of the request by which an E2 subscription was made, or changed last."""
        return self._by_instance.get(instance_id)

    def posted(self, subscription_id: str, meid: str, request: SubscribeRequest, now: float) -> None:
        """A POST is being saved."""
        rest = self._rest.get(subscription_id)
        if rest is None:
            rest = self._rest[subscription_id] = RestTrace(meid, request.endpoint, now)
            if len(self._rest) > MOST:  # of a node that was read anew some may never end
                del self._rest[next(iter(self._rest))]
        rest.endpoint = request.endpoint
        for detail in request.details:
            known = rest.details.get(detail.xapp_event_instance_id)
            if known is None:
                number, content = detail.xapp_event_instance_id, detail.content
                rest.details[number] = Trace(number, content, content.ran_function_id, now)
            else:
                known.begin_again(detail.content, now)

    def saved(self, subscription_id: str, now: float) -> None:
        """A POST is in the database, and is answered."""
        rest = self._rest.get(subscription_id)
        for trace in rest.details.values() if rest is not None else ():
            if not trace.saved:
                trace.saved = now

    def started(self, record: E2Record, now: float) -> None:
        """The E2 record of a procedure is being saved: the turn of its requester has come."""
        holder = record.holders[-1].key if record.holders else None
        if isinstance(holder, RestHolder):
            trace = self.detail(holder.subscription_id, holder.xapp_event_instance_id)
            if trace is None or trace.started or trace.outcome != "pending":
                return
            self._by_instance[record.instance_id] = trace
        elif holder is not None and not record.completed and record.instance_id not in self._by_instance:
            content = record.content
            trace = self._by_instance[record.instance_id] = Trace(None, content, content.ran_function_id, 0.0)
        else:
            return
        trace.started = now
        trace.instance_id = record.instance_id

    def forget(self, instance_id: int) -> None:
        """An E2 subscription is gone."""
        self._by_instance.pop(instance_id, None)

    def withdrawn(self, subscription_id: str) -> None:
        """A REST subscription is gone. A POST that was not accepted leaves nothing."""
        rest = self._rest.pop(subscription_id, None)
        if rest is None or not any(trace.saved for trace in rest.details.values()):
            return
        self._ended[subscription_id] = rest
        self._ended_details += len(rest.details)
        while self._ended_details > ENDED and len(self._ended) > 1:
            _, oldest = self._ended.popitem(last=False)
            self._ended_details -= len(oldest.details)
