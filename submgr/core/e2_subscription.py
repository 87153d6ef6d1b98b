# SPDX-License-Identifier: Apache-2.0
"""A live E2 subscription: its content at the E2 node, its routes at the Routing Manager, and its holders."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from enum import Enum, auto

from msgspec.structs import replace

from submgr.core.model import Content, E2Record, Holder, HolderKey, RestHolder, RmrEndpoint
from submgr.e2ap.messages import NotAdmitted, RequestId, SubscriptionDeleteRequest, SubscriptionRequest


class Life(Enum):
    PENDING = auto()
    """It is being subscribed: no other requester may share it yet."""
    ESTABLISHED = auto()
    ENDING = auto()
    """It is being deleted: nobody may share it any more."""


class E2Subscription:
    """Owned by its node. `key`: of its content. `line`: the key under which all work on it queues. `made_for`: the
    endpoint of its first holder. `holders` are changed by `join`, `leave` and `mark` alone; `endpoints` are those of
    all holders, `wanted_routes` those of the holders that want a route: each once, in the order the holders came.

    `admitted`: ids of the admitted actions; None: the E2 node has not answered yet. `routes`: every endpoint that the
    Routing Manager may have for it. A route call whose outcome nobody knows leaves the larger set, and
    `routes_unsure` says that some of it may not be there. `id_reused`: the instance id belonged to an earlier
    subscription, of which the Routing Manager may still have a route.
    """

    __slots__ = (
        "admitted",
        "content",
        "endpoints",
        "holders",
        "id_reused",
        "instance_id",
        "key",
        "life",
        "line",
        "made_for",
        "meid",
        "not_admitted",
        "policy_update",
        "requestor_id",
        "restore_pending",
        "route_failures",
        "routes",
        "routes_unsure",
        "wanted_routes",
        "xapp_requestor_id",
    )

    def __init__(
        self,
        instance_id: int,
        meid: str,
        requestor_id: int,
        content: Content,
        key: Content,
        line: Hashable,
        xapp_requestor_id: int,
        holders: Iterable[Holder],
    ) -> None:
        self.instance_id = instance_id
        self.meid = meid
        self.requestor_id = requestor_id
        self.content = content
        self.key = key
        self.line = line
        self.xapp_requestor_id = xapp_requestor_id
        self.holders: dict[HolderKey, Holder] = {holder.key: holder for holder in holders}
        self._find_endpoints()
        self.made_for = self.endpoints[0] if self.endpoints else None
        self.life = Life.PENDING
        self.admitted: tuple[int, ...] | None = None
        self.not_admitted: tuple[NotAdmitted, ...] = ()
        self.routes: tuple[RmrEndpoint, ...] = ()
        self.routes_unsure = False
        self.route_failures = 0
        self.policy_update = False
        self.restore_pending = False
        self.id_reused = False

    def join(self, holder: Holder) -> None:
        """Holds it from now on, or in another way than before."""
        self.holders[holder.key] = holder
        self._find_endpoints()

    def leave(self, key: HolderKey) -> None:
        self.holders.pop(key, None)
        self._find_endpoints()

    def mark(self, key: HolderKey, notified: bool) -> None:
        """Whether this holder knows of its success."""
        self.holders[key] = replace(self.holders[key], notified=notified)

    def _find_endpoints(self) -> None:
        holders = self.holders.values()
        self.endpoints: tuple[RmrEndpoint, ...] = tuple({h.endpoint: None for h in holders})
        wanted = tuple({h.endpoint: None for h in holders if h.routed and h.endpoint.port})
        # mostly all of them: then it is the same tuple
        self.wanted_routes = self.endpoints if wanted == self.endpoints else wanted

    @property
    def routes_differ(self) -> bool:
        wanted = self.wanted_routes
        return self.routes_unsure or (self.routes != wanted and set(self.routes) != set(wanted))

    @property
    def request_id(self) -> RequestId:
        return RequestId(self.requestor_id, self.instance_id)

    def request(self) -> SubscriptionRequest:
        """Returns the request as it is sent to the E2 node."""
        content = self.content
        return SubscriptionRequest(self.request_id, content.ran_function_id, content.event_trigger, content.actions)

    def delete_request(self) -> SubscriptionDeleteRequest:
        return SubscriptionDeleteRequest(self.request_id, self.content.ran_function_id)

    def rest_holders(self) -> list[RestHolder]:
        return [key for key in self.holders if isinstance(key, RestHolder)]

    def record(self) -> E2Record:
        return E2Record(
            instance_id=self.instance_id,
            meid=self.meid,
            requestor_id=self.requestor_id,
            xapp_requestor_id=self.xapp_requestor_id,
            content=self.content,
            endpoints=self.endpoints,
            holders=tuple(self.holders.values()),
            routes=self.routes,
            admitted=self.admitted,
            not_admitted=self.not_admitted,
            policy_update=self.policy_update,
            restore_pending=self.restore_pending,
            routes_unsure=self.routes_unsure,
        )


def requestor_of(key: HolderKey) -> int:
    """Returns the number that the stored record knows a holder by: its XappEventInstanceId or ricRequestorID."""
    return key.xapp_event_instance_id if isinstance(key, RestHolder) else key.requestor_id
