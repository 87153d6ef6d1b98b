# SPDX-License-Identifier: Apache-2.0
"""The ports of the two REST interfaces: what their views call in the rest of the daemon.

`submgr/servers.py` hands the implementations in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct, field

from submgr.adapters.journal.journal import Journal
from submgr.adapters.rnib.ran_functions import RanFunction
from submgr.backup import Imported
from submgr.core.model import E2Record, Listed, RestRecord, SubscribeRequest
from submgr.orphans import Orphan
from submgr.overview.overview import Overview
from submgr.overview.values import Status
from submgr.reconciler import Difference
from submgr.rest.edge import Edge
from submgr.rmr.routing.table import RouteTable
from submgr.service import Accepted


class Subscriptions(Protocol):
    """The use cases of xApps and operators. A call may wait for the store, but only for a limited time."""

    def subscribe(self, request: SubscribeRequest) -> Accepted:
        """Accepts a subscription request, or changes the REST subscription whose id it names.

        Raises RefusedError 400, 404, 409 or 503, and its subclass NodeDownError for an E2 node that is not up.
        """

    def unsubscribe(self, subscription_id: str, owner: str | None = None) -> None:
        """Deletes a REST subscription. An unknown one is taken as deleted already.

        `owner`: the name in the certificate of who asks; None: anybody's may be deleted. Raises RefusedError 404 for
        what another one has made.
        """

    def owns(self, owner: str, subscription_id: str) -> bool:
        """Whether a REST subscription was made with a certificate that has the name `owner`."""

    def listed(self) -> Iterable[Listed]:
        """What the list of subscriptions tells of each completed E2 subscription, by instance id."""

    def e2_subscriptions(self) -> Iterable[E2Record]:
        """The completed E2 subscriptions, by instance id."""

    def e2_subscription(self, instance_id: int) -> E2Record | None:
        """The completed E2 subscription with this instance id; None when there is none."""

    def rest_subscriptions(self, meid: str | None = None, host: str | None = None) -> Iterable[RestRecord]:
        """All REST subscriptions, or those of one E2 node, or of one xApp by its host."""

    def xapps(self) -> list[str]:
        """The hosts of all xApps that have REST subscriptions, sorted."""

    def e2_subscriptions_of(self, subscription_id: str) -> list[E2Record] | None:
        """The E2 subscriptions of a REST subscription; None when there is no such REST subscription."""

    def connected_nodes(self) -> list[str]:
        """The Meids of the E2 nodes that are connected."""

    def delete_subscription(self, subscription_id: str) -> bool:
        """Deletes a REST subscription, whoever has made it; False when there is no such REST subscription."""

    def delete_node_subscriptions(self, meid: str) -> bool:
        """Deletes all subscriptions of an E2 node; False when there is no such node."""

    def delete_xapp_subscriptions(self, host: str) -> bool:
        """Deletes all REST subscriptions of an xApp; False when there is no such xApp."""

    def remove_record(self, instance_id: int) -> bool:
        """Removes one E2 record from the database, and does nothing else. False when there is no such record."""

    def empty_database(self) -> None:
        """Removes all records from the database, and does nothing else."""

    def restart(self) -> None:
        """Makes the process stop its listeners and exit with status 1. Returns at once."""


Count = Callable[[str], None]
"""Adds one to the counter that has this name in the user guide."""

InternalError = Callable[[], None]
"""Called for each request that was answered 500: the daemon has a bug, whose traceback is in the log."""


def _nothing(number: int) -> None:
    pass


def _open(host: str, port: int) -> str | None:
    return None


class XappOptions(Struct, frozen=True):
    """What the configuration says of the xApp interface.

    `show_ids`: the list of subscriptions has the ids of the REST subscriptions. `strict_octets`: an integer that is no
    octet is a mistake; otherwise `count_folded_octets` is called with the number of these integers in a request.
    `refusal`: says why no xApp may have a host and a port for its notifications, None when it may. `origins`: web
    pages that may send requests, see `refuse_foreign_origins`. `ownership`: an xApp sees and deletes only what the
    name in its certificate has made. `permit` raises RefusedError unless this process may answer.
    """

    show_ids: bool = True
    strict_octets: bool = False
    count_folded_octets: Callable[[int], None] = _nothing
    refusal: Callable[[str, int], str | None] = _open
    origins: Sequence[str] = ()
    ownership: bool = False
    permit: Callable[[], None] | None = None


class HealthReport(Struct, frozen=True):
    """How the process is: `reasons` say why it is not ok, `warnings` what an operator should look at anyway."""

    ok: bool
    reasons: Sequence[str] = ()
    warnings: Sequence[str] = ()


class DebugWrite(Struct, frozen=True):
    """Who may use the requests of the platform API that change something.

    `mode` is `open` (anybody) or `token` (whoever bears the token); with any other value, such as `off`, nobody may.
    """

    mode: str
    token: str = ""


class Looks(Struct, frozen=True):
    """What an operator looks at: what has happened, what is subscribed where, and how the process is.

    `routes`: the RMR route table in force; None while there is none, and when librmr keeps it.
    """

    journal: Journal
    overview: Overview
    status: Callable[[], Status]
    routes: Callable[[], RouteTable | None]


class Operations(Struct, frozen=True):
    """What the platform API shows beside the subscriptions. The views call these functions anew for each request.

    `metrics` returns Prometheus text and its Content-Type, `config` the running configuration without its secrets,
    `recent_log` the newest log lines in order, `record_json` an E2 record in the form in which the database keeps it,
    `orphans` the subscriptions whose xApp is gone, `reconcile` the differences to the database and the Routing Manager,
    which it repairs if its argument says so, `export` the lines of a backup. `import_` brings one back and says what it
    had: its arguments are the file, whether it is to be checked only, and whether what cannot be read is left out.
    `functions` returns the RAN functions of an E2 node, none when nobody knows, `knows_node` whether there is such a
    node. `edge`: the MEC services of this process.
    """

    alive: Callable[[], HealthReport]
    ready: Callable[[], HealthReport]
    metrics: Callable[[], tuple[bytes, str]]
    config: Callable[[], dict[str, object]]
    recent_log: Callable[[], list[str]]
    debug_write: Callable[[], DebugWrite]
    record_json: Callable[[E2Record], dict[str, object]]
    orphans: Callable[[], list[Orphan]]
    reconcile: Callable[[bool], list[Difference]]
    export: Callable[[], Iterable[bytes]]
    import_: Callable[[bytes, bool, bool], Imported]
    functions: Callable[[str], Sequence[RanFunction]]
    knows_node: Callable[[str], bool]
    edge: Edge = field(default_factory=Edge)
