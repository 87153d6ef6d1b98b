# SPDX-License-Identifier: Apache-2.0
"""The values of the overview."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from msgspec import Struct, field

from submgr.adapters.journal.entries import Entry
from submgr.adapters.journal.outcomes import Trace
from submgr.core.model import Content, E2Record

State = Literal["pending", "established", "partly", "failed", "deleting", "ended"]


class Row(Struct, frozen=True, eq=False):
    """One subscription of an xApp: a REST subscription, or an E2 subscription that is held over RMR only.

    `trace`: what is known of it since the start; None: nothing. `created`: UTC text, "" where nobody knows.
    """

    subscription_id: str | None
    meid: str
    xapp: str
    ran_function_id: int | None
    created: str
    state: State
    instances: int
    trace: Trace | None


class Sortable(Protocol):
    """What rows are chosen and sorted by. `instance_id`: of those without a `subscription_id`, else 0. `more`: what
    else a text is looked for in."""

    @property
    def subscription_id(self) -> str | None: ...
    @property
    def instance_id(self) -> int: ...
    @property
    def meid(self) -> str: ...
    @property
    def xapp(self) -> str: ...
    @property
    def ran_function_id(self) -> int | None: ...
    @property
    def created(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def trace(self) -> Trace | None: ...
    @property
    def more(self) -> str: ...


class DetailRow(Struct, frozen=True):
    """One detail of a REST subscription. `record`: its E2 subscription; `content`: what it asks for, if known."""

    number: int
    instance_id: int
    state: State
    trace: Trace | None
    record: E2Record | None
    content: Content | None


class Whole(Struct, frozen=True):
    """A REST subscription with everything that is known of it. `endpoint`: host:port of its indications; `target`: of
    its notifications."""

    row: Row
    endpoint: str
    target: str
    owner: str | None
    details: tuple[DetailRow, ...]


class Share(Struct):
    """The part of one E2 node, or of one xApp, in what is subscribed. REST subscriptions by state."""

    e2: int = 0
    established: int = 0
    rest: int = 0
    pending: int = 0
    failed: int = 0
    endpoints: dict[str, None] = field(default_factory=dict)

    def count(self, state: State) -> None:
        self.rest += 1
        self.established += state in ("established", "partly")
        self.pending += state == "pending"
        self.failed += state in ("failed", "partly")


class Census(Struct, frozen=True):
    """What is subscribed: in all, by Meid, by the host of the xApp. `waiting`: procedures in the queues by Meid."""

    total: Share
    nodes: dict[str, Share]
    xapps: dict[str, Share]
    waiting: dict[str, int]


class NodeLine(Struct, frozen=True):
    """An E2 node. `since`: when it got its state, in seconds since 1970; None: before this process looked.

    `waiting`: procedures in its queue. `subscribes`, `failures`: of the last minute.
    """

    meid: str
    state: str
    since: float | None
    share: Share
    waiting: int
    subscribes: int
    failures: int
    last_failure: Entry | None


class XappLine(Struct, frozen=True):
    """An xApp, by its host. `waiting`: notifications that are not delivered yet."""

    host: str
    share: Share
    waiting: int
    last_failure: Entry | None


class Neighbour(Struct, frozen=True):
    """Somebody that the process needs. `words`: what is wrong, or that nothing is."""

    name: str
    up: bool
    words: str


class Status(Struct, frozen=True):
    """How the process is. `since`: its start, in seconds since 1970; `memory` in bytes, `longest_stall` in seconds.

    `endpoints`: those of RMR to which requests for E2 nodes go. `records`: of the route table in force, None where
    nobody knows; `routes_age`: seconds since it came.
    """

    name: str
    version: str
    since: float
    ready: bool
    reasons: tuple[str, ...]
    active: bool
    store: Neighbour
    endpoints: int
    records: int | None
    routes_age: float | None
    neighbours: tuple[Neighbour, ...]
    longest_stall: float
    memory: int


class Wanted(Struct, frozen=True):
    """Which rows are wanted: those that match all that is given, in which order, from which on, how many.

    `text`: part of an id, a Meid, an xApp, an endpoint or a cause, in any letter case. `states`: any of
    them; empty: all.
    """

    offset: int = 0
    limit: int = 100
    sort: str = "id"
    descending: bool = False
    text: str = ""
    meid: str | None = None
    xapp: str | None = None
    states: frozenset[str] = frozenset()
    ran_function_id: int | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is filtered out."""
        return not (self.text or self.meid or self.xapp or self.states) and self.ran_function_id is None

    def takes(self, row: Sortable) -> bool:
        return (
            (self.meid is None or row.meid == self.meid)
            and (self.xapp is None or row.xapp == self.xapp)
            and (not self.states or row.state in self.states)
            and (self.ran_function_id is None or row.ran_function_id == self.ran_function_id)
            and (
                not self.text
                or self.text in f"{row.subscription_id or ''} {row.meid} {row.xapp} {row.more}".lower()
                or self.text in _cause(row).lower()
            )
        )


def _cause(row: Sortable) -> str:
    return row.trace.failure.cause if row.trace is not None and row.trace.failure is not None else ""


_BADNESS = {"failed": 0, "partly": 1, "pending": 2, "deleting": 3, "established": 4, "ended": 5}


def _worst(row: Sortable) -> tuple[int, float, str]:
    """The worst state first; of one state what was told last."""
    told = row.trace.told if row.trace is not None else None
    return _BADNESS[row.state], -(told or 0.0), row.subscription_id or ""


SORTS: dict[str, Callable[[Sortable], object]] = {
    "id": lambda row: (row.subscription_id or "", row.instance_id),
    "node": lambda row: (row.meid, row.subscription_id or ""),
    "xapp": lambda row: (row.xapp, row.subscription_id or ""),
    "state": _worst,
    "function": lambda row: (-1 if row.ran_function_id is None else row.ran_function_id, row.subscription_id or ""),
    "time": lambda row: (row.created, row.subscription_id or ""),
}
"""What the rows can be sorted by."""
