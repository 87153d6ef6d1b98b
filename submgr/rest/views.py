# SPDX-License-Identifier: Apache-2.0
"""Turns the model into the JSON of the two REST interfaces ("RIC subscription" 0.0.4, user guide)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from submgr.backup import Imported
from submgr.core.model import E2Record, RestHolder, RestRecord, RmrEndpoint
from submgr.orphans import Orphan
from submgr.platform.turns import pause
from submgr.reconciler import Difference
from submgr.rest.use_cases import HealthReport

Json = dict[str, object]
Owned = Callable[[str], bool]
"""Whether a REST subscription, given by its id, is one of those that may be seen."""
Item = TypeVar("Item")

_SLICE = 200
"""Items that are turned into JSON before other greenlets have their turn: about 1 ms of work."""

_encode = msgspec.json.Encoder().encode


def moment(seconds: float) -> str:
    """A time in seconds since 1970 as UTC text, to the millisecond (RFC 3339)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def accepted_view(subscription_id: str) -> Json:
    """SubscriptionResponse of a POST. The list is empty, not null: clients iterate over it."""
    return {"SubscriptionId": subscription_id, "SubscriptionInstances": []}


def e2_subscription_view(record: E2Record, show_ids: bool = True) -> Json:
    """SubscriptionData of an E2 subscription. `show_ids`: with the ids of the REST subscriptions that hold it."""
    holders = _rest_holders(record)
    view: Json = {
        "SubscriptionId": record.instance_id,
        "Meid": record.meid,
        "ClientEndpoint": [str(endpoint) for endpoint in _routed(record)],
        "SubscriptionInstances": [
            {"XappEventInstanceId": instance, "E2EventInstanceId": record.instance_id, "ErrorCause": ""}
            for instance in _xapp_instances(record, holders)
        ],
    }
    if show_ids:
        view["RestSubscriptionIds"] = list(dict.fromkeys(holder.subscription_id for holder in holders))
    return view


def _rest_holders(record: E2Record) -> list[RestHolder]:
    return [holder.key for holder in record.holders or () if isinstance(holder.key, RestHolder)]


def _xapp_instances(record: E2Record, holders: list[RestHolder]) -> list[int]:
    if record.holders is None:  # written by another implementation, which keeps the id of the first holder only
        return [record.xapp_requestor_id]
    return [holder.xapp_event_instance_id for holder in holders]


def _routed(record: E2Record) -> Iterable[RmrEndpoint]:
    """The endpoints whose route is still wanted.

    The Routing Manager makes a new route for each endpoint in the list of subscriptions. An endpoint that has left
    must not be in the list, even while its old route could not be removed yet.
    """
    routes = [endpoint for endpoint in record.endpoints if endpoint.port] if record.routes is None else record.routes
    if record.holders is None:
        return routes
    wanted = {holder.endpoint for holder in record.holders if holder.routed}
    return [endpoint for endpoint in routes if endpoint in wanted]


def rest_subscription_view(record: RestRecord) -> Json:
    """One entry of `restsubscriptions`."""
    return {
        "Created": record.created,
        "Meid": record.meid,
        "InstanceIds": list(dict.fromkeys(instance_id for _, instance_id in record.instances)),
        "SubReqOngoing": record.request_ongoing,
        "SubDelReqOngoing": record.delete_ongoing,
    }


def orphan_view(orphan: Orphan) -> Json:
    """One entry of `orphans`. SubscriptionId is the id of a REST subscription, or the instance id for an RMR xApp."""
    since = datetime.now(UTC) - timedelta(seconds=orphan.age)
    return {
        "SubscriptionId": orphan.key,
        "Meid": orphan.meid,
        "XApp": orphan.xapp,
        "Since": since.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
        "Why": orphan.why,
    }


def difference_view(difference: Difference) -> Json:
    """One entry of `reconcile`."""
    return {
        "What": difference.what,
        "Key": difference.key,
        "Meid": difference.meid,
        "Why": difference.why,
        "Repaired": difference.repaired,
    }


def import_view(imported: Imported, restarting: bool) -> Json:
    """The answer to an import. `Records`: the number of records by kind."""
    return {"Records": dict(imported.records), "Skipped": imported.skipped, "Restarting": restarting}


def health_view(report: HealthReport) -> Json:
    """The answer of a health check."""
    return {
        "status": "ok" if report.ok else "not ok",
        "reasons": list(report.reasons),
        "warnings": list(report.warnings),
    }


def in_order(records: Iterable[E2Record]) -> list[E2Record]:
    """The records by instance id."""
    return sorted(records, key=attrgetter("instance_id"))


def encode_e2_subscriptions(records: Iterable[E2Record], show_ids: bool = True, only: Owned | None = None) -> bytes:
    """The answer to a query of the E2 subscriptions. `show_ids`: with the ids of the REST subscriptions.

    `only`: those that are held by REST subscriptions of these ids, and nothing of their other holders.
    """
    seen = records if only is None else filter(None, (held_by(record, only) for record in records))
    return encode_list(seen, lambda record: e2_subscription_view(record, show_ids))


def held_by(record: E2Record, owned: Owned) -> E2Record | None:
    """What those who own some of its holders see of an E2 subscription; None when they own none."""
    holders = tuple(
        holder
        for holder in record.holders or ()
        if isinstance(holder.key, RestHolder) and owned(holder.key.subscription_id)
    )
    return replace(record, holders=holders) if holders else None


def encode_list(items: Iterable[Item], view: Callable[[Item], Json]) -> bytes:
    """A JSON list of the views of `items`. Other greenlets run while it is made."""
    return _joined(b"[]", _encoded(items, lambda some: [view(item) for item in some]))


def encode_dict(items: Iterable[Item], key: Callable[[Item], str], view: Callable[[Item], Json]) -> bytes:
    """A JSON object of the views of `items` under their keys. Other greenlets run while it is made."""
    return _joined(b"{}", _encoded(items, lambda some: {key(item): view(item) for item in some}))


def _joined(brackets: bytes, parts: Iterable[bytes]) -> bytes:
    """Joins encoded lists, or objects, into one. The result may have many megabytes, which are copied only once."""
    pieces = [brackets[:1]]
    for part in parts:
        pieces += (part[1:-1], b",")
    pieces[max(len(pieces) - 1, 1) :] = [brackets[1:]]
    return b"".join(pieces)


def _encoded(items: Iterable[Item], form: Callable[[list[Item]], object]) -> Iterator[bytes]:
    left = iter(items)
    while some := list(islice(left, _SLICE)):
        yield _encode(form(some))
        pause()
