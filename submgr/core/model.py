# SPDX-License-Identifier: Apache-2.0
"""The model as frozen values: requests, holders, records.

The live, changing objects are in `rest_subscription.py` and `e2_subscription.py`. A record is the snapshot of one of
them, which the store, the queries and the notifications see.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import pairwise
from json.encoder import encode_basestring_ascii as _quoted

from msgspec import Struct
from msgspec.structs import replace

from submgr.e2ap.messages import Action, ActionType, NotAdmitted

MAX_ACTIONS = 16
"""Actions of one E2 subscription (E2AP maxofRICactionID)."""

MAX_MEID_BYTES = 31
"""RMR carries the Meid in 32 bytes, NUL-terminated."""


class RmrEndpoint(Struct, frozen=True, order=True):
    """Where the indications of a subscription go: a host name and an RMR port (0: none)."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> RmrEndpoint:
        """`host:port`; raises ValueError on anything else."""
        address, separator, port = text.rpartition(":")
        if not separator or not address or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"not a host:port: {text!r}")
        return cls(address, int(port))


class ClientEndpoint(Struct, frozen=True):
    """An xApp's own addresses: host and HTTP port for notifications, host and RMR port for indications."""

    host: str
    http_port: int
    rmr_port: int

    @property
    def rmr(self) -> RmrEndpoint:
        """The xApp's RMR service is named as its HTTP service, with `rmr` for `http`."""
        return RmrEndpoint(self.host.replace("http", "rmr"), self.rmr_port)

    @property
    def http(self) -> str:
        return f"{self.host}:{self.http_port}"


class Directives(Struct, frozen=True):
    """E2SubscriptionDirectives as given. None: the configured default. `timeout` in seconds; `tries` counts sends."""

    timeout: float | None = None
    tries: int | None = None
    routing: bool = False


class Content(Struct, frozen=True):
    """What is subscribed at an E2 node. Actions keep their order; contents are shared without it (see `key`)."""

    ran_function_id: int
    event_trigger: bytes
    actions: tuple[Action, ...]

    @property
    def action_type(self) -> ActionType:
        """All actions of one E2 subscription have one type."""
        return self.actions[0].action_type

    @property
    def mergeable(self) -> bool:
        """Only REPORT subscriptions are shared between xApps."""
        return self.action_type is ActionType.REPORT

    def key(self) -> Content:
        """The content with its actions in the order of their ids: equal for contents that differ in the order only."""
        actions = self.actions
        if all(one.action_id <= next_one.action_id for one, next_one in pairwise(actions)):
            return self
        return replace(self, actions=tuple(sorted(actions, key=lambda action: action.action_id)))


class Detail(Struct, frozen=True):
    """One SubscriptionDetail of a request: becomes one E2 subscription, or joins one."""

    xapp_event_instance_id: int
    content: Content


class SubscribeRequest(Struct, frozen=True):
    """A valid POST. `subscription_id` None: not given. `directives` None: not given, a route is wanted.

    `folded_octets`: how many of its numbers were no octets, and count by their low octet. `owner`: the name in the
    xApp's certificate, None where nobody asks for it.
    """

    endpoint: ClientEndpoint
    meid: str
    ran_function_id: int
    details: tuple[Detail, ...]
    directives: Directives | None = None
    subscription_id: str | None = None
    folded_octets: int = 0
    owner: str | None = None

    @property
    def routed(self) -> bool:
        return self.directives is None or self.directives.routing

    def digest(self) -> str:
        """Returns the MD5 (32 hex digits) of the whole request but its SubscriptionId; it tells a repeated request.

        The same request of another owner is another request. Digests are stored: they are of this JSON text, blanks
        included, which `json.dumps` would take four times as long to write.
        """
        endpoint, directives = self.endpoint, self.directives
        canonical = (
            f"[[{_quoted(endpoint.host)}, {endpoint.http_port}, {endpoint.rmr_port}], {_quoted(self.meid)}, "
            f"{self.ran_function_id}, {'null' if directives is None else _canonical_directives(directives)}, "
            f"[{', '.join(map(_canonical_detail, self.details))}]"
            f"{'' if self.owner is None else ', ' + _quoted(self.owner)}]"
        )
        return hashlib.md5(canonical.encode(), usedforsecurity=False).hexdigest()


def _canonical_directives(directives: Directives) -> str:
    return json.dumps([directives.timeout, directives.tries, directives.routing])


def _canonical_detail(detail: Detail) -> str:
    content = detail.content
    actions = ", ".join(map(_canonical_action, content.actions))
    return f'[{detail.xapp_event_instance_id}, "{content.event_trigger.hex()}", [{actions}]]'


def _canonical_action(action: Action) -> str:
    definition = "null" if action.definition is None else f'"{action.definition.hex()}"'
    after = action.subsequent
    subsequent = "null" if after is None else f"[{after.type:d}, {after.time_to_wait:d}]"
    return f"[{action.action_id}, {action.action_type:d}, {definition}, {subsequent}]"


class RestHolder(Struct, frozen=True):
    """A REST subscription as holder of an E2 subscription, one for each XappEventInstanceId."""

    subscription_id: str
    xapp_event_instance_id: int


class RmrHolder(Struct, frozen=True):
    """An xApp that subscribed over RMR as holder: its endpoint and its own ricRequestorID."""

    endpoint: RmrEndpoint
    requestor_id: int


HolderKey = RestHolder | RmrHolder


class Holder(Struct, frozen=True):
    """Who holds an E2 subscription. `endpoint` gets its indications. `routed`: wants a route. `notified`: was told."""

    key: HolderKey
    endpoint: RmrEndpoint
    routed: bool
    notified: bool = True


class E2Record(Struct, frozen=True):
    """Snapshot of an E2 subscription, as stored under its instance id.

    `holders` None = written by another implementation that does not keep them. `admitted` None = not answered yet.
    `routes` None = not known (another implementation): then every endpoint with a port is taken as routed.
    """

    instance_id: int
    meid: str
    requestor_id: int
    """ricRequestorID as sent to the E2 node."""
    xapp_requestor_id: int
    """XappEventInstanceId, or the RMR xApp's requestor id, of the first holder."""
    content: Content
    endpoints: tuple[RmrEndpoint, ...]
    holders: tuple[Holder, ...] | None
    routes: tuple[RmrEndpoint, ...] | None
    admitted: tuple[int, ...] | None = None
    not_admitted: tuple[NotAdmitted, ...] = ()
    policy_update: bool = False
    restore_pending: bool = False
    routes_unsure: bool = False
    """One of `routes` may not have been made yet: a holder was joining."""

    @property
    def completed(self) -> bool:
        return self.admitted is not None


class Listed(Struct, frozen=True):
    """What the list of subscriptions tells of a completed E2 subscription: a look at it, and no snapshot."""

    instance_id: int
    meid: str
    holders: Iterable[Holder]
    routes: tuple[RmrEndpoint, ...]


class RestRecord(Struct, frozen=True):
    """Snapshot of a REST subscription, as stored under its SubscriptionId.

    `created` is UTC text `YYYY-MM-DD hh:mm:ss.mmm`. `http_port` None = not known (another implementation).
    `digests` are those of the requests that name this subscription, the newest first. `owner`: see `SubscribeRequest`.
    """

    subscription_id: str
    created: str
    host: str
    http_port: int | None
    rmr: RmrEndpoint
    meid: str
    instances: tuple[tuple[int, int], ...]
    """(XappEventInstanceId, instance id), in the order of completion."""
    request_ongoing: bool
    delete_ongoing: bool
    digests: tuple[str, ...]
    owner: str | None = None


class Removal(Struct, frozen=True):
    """What is still to be undone of a subscription that is gone: routes that the Routing Manager did not remove,
    and, after a delete that the E2 node never answered, one more delete at its next connection."""

    instance_id: int
    meid: str
    ran_function_id: int
    routes: tuple[RmrEndpoint, ...]
    node_delete: bool
    requestor_id: int = 123
    """ricRequestorID that the subscription had at the E2 node."""
    since: float = 0.0
    """When the subscription went, in monotonic seconds of this process; may be before its start."""
