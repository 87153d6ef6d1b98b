# SPDX-License-Identifier: Apache-2.0
"""What the REST layer needs of the rest of the daemon; the composition hands it in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from submgr.core.model import E2Record, RestRecord, SubscribeRequest
from submgr.service import Accepted


class Subscriptions(Protocol):
    """The use cases. A call may wait for the store, bounded in time."""

    def subscribe(self, request: SubscribeRequest) -> Accepted:
        """Raises RefusedError 400, 404, 409 or 503, for a node that is not up its subclass NodeDownError."""

    def unsubscribe(self, subscription_id: str) -> None:
        """Never fails: what is not known is deleted already."""

    def e2_subscriptions(self) -> Iterable[E2Record]:
        """The completed ones, by instance id."""

    def rest_subscriptions(self) -> Iterable[RestRecord]: ...

    def e2_subscriptions_of(self, subscription_id: str) -> list[E2Record] | None:
        """None: there is no such REST subscription."""

    def connected_nodes(self) -> list[str]: ...

    def delete_node_subscriptions(self, meid: str) -> bool:
        """False: there is no such E2 node."""

    def delete_xapp_subscriptions(self, host: str) -> bool:
        """False: there is no such xApp."""

    def remove_record(self, instance_id: int) -> bool:
        """Remove one E2 record from the database, and nothing else. False: there is none."""

    def empty_database(self) -> None: ...

    def restart(self) -> None:
        """Have the process stop its listeners and exit with status 1. Returns at once."""


Count = Callable[[str], None]
"""Adds one to the counter of the user guide of this name."""

InternalError = Callable[[], None]
"""Told of each request that was answered 500: a bug, with its traceback in the log."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """`reasons` say why it is not ok, `warnings` what is worth a look all the same."""

    ok: bool
    reasons: Sequence[str] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DebugWrite:
    """Who may use the requests of the platform API that change something.

    `mode` is `open` (anyone) or `token` (who has the token); with anything else, as `off`, nobody may.
    """

    mode: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Operations:
    """What the platform API shows beside the subscriptions. Each is asked anew for each request.

    `metrics` is Prometheus text and its Content-Type, `config` the running configuration without its secrets,
    `recent_log` the newest log lines in order, `record_json` an E2 record in the form of the database.
    """

    alive: Callable[[], HealthReport]
    ready: Callable[[], HealthReport]
    metrics: Callable[[], tuple[bytes, str]]
    config: Callable[[], dict[str, object]]
    recent_log: Callable[[], list[str]]
    debug_write: Callable[[], DebugWrite]
    record_json: Callable[[E2Record], dict[str, object]]
