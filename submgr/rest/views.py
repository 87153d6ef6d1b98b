# SPDX-License-Identifier: Apache-2.0
"""Turns the model into the JSON of the two REST interfaces ("RIC subscription" 0.0.4, user guide)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice
from operator import attrgetter
from typing import TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from submgr.backup import Imported
from submgr.core.model import E2Record, Listed, RestHolder, RestRecord
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


class SubscriptionInstance(Struct, gc=False):
    """SubscriptionInstance of a list item."""

    XappEventInstanceId: int
    E2EventInstanceId: int
    ErrorCause: str = ""


class SubscriptionData(Struct, gc=False):
    """SubscriptionData: an E2 subscription in the list of subscriptions. Structs take a tenth of the time of dicts."""

    SubscriptionId: int
    Meid: str
    ClientEndpoint: list[str]
    SubscriptionInstances: list[SubscriptionInstance]
    RestSubscriptionIds: list[str] | UnsetType = UNSET


def subscription_data(listed: Listed, show_ids: bool = True) -> SubscriptionData:
    """An item of the list. `show_ids`: with the ids of the REST subscriptions that hold the E2 subscription.

    The Routing Manager makes a new route for each endpoint in the list. An endpoint that has left must not be in it,
    even while its old route could not be removed yet, nor one that is joining.
    """
    instance_id = listed.instance_id
    ids, instances, wanted, endpoints = [], [], [], []
    for holder in listed.holders:
        key = holder.key
        if type(key) is RestHolder:
            ids.append(key.subscription_id)
            instances.append(SubscriptionInstance(key.xapp_event_instance_id, instance_id))
        if holder.routed:
            wanted.append(holder.endpoint)
    for endpoint in listed.routes:
        if endpoint in wanted:
            endpoints.append(str(endpoint))
    if len(ids) > 1:
        ids = list(dict.fromkeys(ids))
    return SubscriptionData(instance_id, listed.meid, endpoints, instances, ids if show_ids else UNSET)


def held_by(listed: Listed, owned: Owned) -> Listed | None:
    """What those who own some of its holders see of an E2 subscription; None when they own none."""
    holders = [
        holder for holder in listed.holders if isinstance(holder.key, RestHolder) and owned(holder.key.subscription_id)
    ]
    return replace(listed, holders=holders) if holders else None


class RestSubscriptionData(Struct, gc=False):
    """One entry of `restsubscriptions`."""

    Created: str
    Meid: str
    InstanceIds: list[int]
    SubReqOngoing: bool
    SubDelReqOngoing: bool


def rest_subscription_data(record: RestRecord) -> RestSubscriptionData:
    instance_ids = [instance_id for _, instance_id in record.instances]
    if len(instance_ids) > 1:
        instance_ids = list(dict.fromkeys(instance_ids))
    return RestSubscriptionData(
        record.created, record.meid, instance_ids, record.request_ongoing, record.delete_ongoing
    )


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


def encode_e2_subscriptions(listed: Iterable[Listed], show_ids: bool = True, only: Owned | None = None) -> bytes:
    """The list of subscriptions, see `subscription_data`. Other greenlets run while it is made.

    `only`: those that are held by REST subscriptions of these ids, and nothing of their other holders.
    """
    seen = listed if only is None else filter(None, (held_by(one, only) for one in listed))
    return encode_list(seen, lambda one: subscription_data(one, show_ids))


def encode_rest_subscriptions(records: Iterable[RestRecord]) -> bytes:
    """A JSON object of REST subscriptions under their ids. Other greenlets run while it is made."""
    return encode_dict(records, attrgetter("subscription_id"), rest_subscription_data)


def encode_list(items: Iterable[Item], view: Callable[[Item], object]) -> bytes:
    """A JSON list of the views of `items`. Other greenlets run while it is made, but not between an item and its
    view."""
    return _joined(b"[]", _encoded(map(view, items), list))


def encode_dict(items: Iterable[Item], key: Callable[[Item], str], view: Callable[[Item], object]) -> bytes:
    """A JSON object of the views of `items` under their keys. Other greenlets run while it is made, as in
    `encode_list`."""
    return _joined(b"{}", _encoded(((key(item), view(item)) for item in items), dict))


def _joined(brackets: bytes, parts: Iterable[bytes]) -> bytes:
    """Joins encoded lists, or objects, into one. The result may have many megabytes: it grows with the parts, since to
    copy all of them at its end would hold up everybody."""
    whole = BytesIO()
    whole.write(brackets[:1])
    between = b""
    for part in parts:
        whole.write(between)
        whole.write(memoryview(part)[1:-1])
        between = b","
    whole.write(brackets[1:])
    return whole.getvalue()


def _encoded(views: Iterable[Item], form: Callable[[list[Item]], object]) -> Iterator[bytes]:
    left = iter(views)
    while some := list(islice(left, _SLICE)):
        yield _encode(form(some))
        pause()
