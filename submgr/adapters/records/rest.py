# SPDX-License-Identifier: Apache-2.0
"""Records to stored JSON and back: REST subscriptions and removals here, E2 subscriptions in `e2_records`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from submgr.adapters.records.e2 import decode_e2, e2_json, encode_e2
from submgr.adapters.records.forms import (
    RecordError,
    RemovalForm,
    RestForm,
    checked_meid,
    endpoint_form,
    endpoints_of,
    read,
)
from submgr.core.model import ClientEndpoint, Removal, RestRecord, RmrEndpoint

__all__ = [
    "RecordError",
    "decode_e2",
    "decode_removal",
    "decode_rest",
    "e2_json",
    "encode_e2",
    "encode_removal",
    "encode_rest",
    "removal_key",
]

_encode = msgspec.json.Encoder().encode
_rest_decoder = msgspec.json.Decoder(RestForm)
_removal_decoder = msgspec.json.Decoder(RemovalForm)


def encode_rest(record: RestRecord) -> bytes:
    """The value of a REST subscription, stored under its SubscriptionId."""
    # a Go map is written in the order of its keys as text
    pairs = sorted(record.instances, key=lambda pair: str(pair[0]))
    form = RestForm(
        Created=record.created,
        XAppServiceName=record.host,
        XAppRmrEndPoint=str(record.rmr),
        Meid=record.meid,
        InstanceIds=list(dict.fromkeys(instance_id for _, instance_id in record.instances)) or None,
        XAppIdToE2Id=dict(pairs),
        SubReqOngoing=record.request_ongoing,
        SubDelReqOngoing=record.delete_ongoing,
        Md5sum=record.digests[0] if record.digests else "",
    )
    if record.http_port is not None:
        form.HttpPort = record.http_port
    if record.http_port is not None or len(record.digests) > 1:
        form.Digests = list(record.digests)
    return _encode(form)


def decode_rest(subscription_id: str, data: bytes, requestors: Mapping[int, int] | None = None) -> RestRecord:
    """The REST subscription stored under `subscription_id`.

    Instance ids that a record has without a XappEventInstanceId get theirs from `requestors` (instance id to the
    `xapp_requestor_id` of its E2 record), and are left out when it is not there.

    Raises:
        RecordError: it cannot be read.
    """
    form = read(_rest_decoder, data)
    rmr = _rmr_endpoint(form)
    newest = [form.Md5sum] if form.Md5sum else []
    kept = [] if form.Digests is UNSET or form.Digests is None else form.Digests
    return RestRecord(
        subscription_id=subscription_id,
        created=form.Created or "",
        host=form.XAppServiceName or rmr.address,
        http_port=None if form.HttpPort is UNSET else form.HttpPort,
        rmr=rmr,
        meid=checked_meid(form.Meid),
        instances=_instances(form, requestors or {}),
        request_ongoing=bool(form.SubReqOngoing),
        delete_ongoing=bool(form.SubDelReqOngoing),
        digests=tuple(dict.fromkeys(newest + kept)),
    )


def removal_key(meid: str, instance_id: int) -> str:
    """The key of a removal: two nodes may each have one with the same instance id."""
    return f"{instance_id}:{meid}"


def encode_removal(removal: Removal) -> bytes:
    """The value of a removal, stored under its `removal_key`."""
    routes = [endpoint_form(endpoint) for endpoint in removal.routes]
    return _encode(
        RemovalForm(
            removal.instance_id,
            removal.meid,
            removal.ran_function_id,
            routes,
            removal.node_delete,
            removal.requestor_id,
        )
    )


def decode_removal(key: str, data: bytes) -> Removal:
    """The removal stored under `key`.

    Raises:
        RecordError: it cannot be read, or does not belong under this key.
    """
    form = read(_removal_decoder, data)
    if key != removal_key(form.Meid, form.InstanceId):
        raise RecordError(f"the removal of {form.InstanceId} at {form.Meid} does not belong under this key")
    return Removal(
        instance_id=form.InstanceId,
        meid=checked_meid(form.Meid),
        ran_function_id=form.FunctionId,
        routes=endpoints_of(form.Routes),
        node_delete=form.NodeDelete,
        requestor_id=form.RequestorId,
    )


def _rmr_endpoint(form: RestForm) -> RmrEndpoint:
    if not form.XAppRmrEndPoint and form.XAppServiceName:
        # the Go implementation leaves it empty for an xApp without an RMR port
        return ClientEndpoint(form.XAppServiceName, 0, 0).rmr
    try:
        return RmrEndpoint.parse(form.XAppRmrEndPoint)
    except ValueError as error:
        raise RecordError(f"XAppRmrEndPoint is {error}") from error


def _instances(form: RestForm, requestors: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    """The pairs in the order of `InstanceIds`, then those that only the map has."""
    known = form.XAppIdToE2Id or {}
    by_instance: dict[int, list[int]] = {instance_id: [] for instance_id in form.InstanceIds or ()}
    for xapp_id, instance_id in known.items():
        by_instance.setdefault(instance_id, []).append(xapp_id)
    for instance_id, xapp_ids in by_instance.items():
        requestor = requestors.get(instance_id)
        if not xapp_ids and requestor is not None and requestor not in known:
            xapp_ids.append(requestor)
    return tuple((xapp_id, instance_id) for instance_id, xapp_ids in by_instance.items() for xapp_id in xapp_ids)
