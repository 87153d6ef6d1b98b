# SPDX-License-Identifier: Apache-2.0
"""Encodes REST subscriptions as stored JSON and decodes them."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from submgr.adapters.records.forms import RecordError, RestForm, checked_meid, read, shared_endpoint
from submgr.core.model import ClientEndpoint, RestRecord, RmrEndpoint

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(RestForm)


def encode_rest(record: RestRecord) -> bytes:
    """The JSON of a REST subscription. Its key in the store is the SubscriptionId."""
    instances = record.instances
    instance_ids = [instance_id for _, instance_id in instances]
    if len(instances) > 1:
        instances = tuple(sorted(instances, key=_as_text))  # as a Go map is written
        instance_ids = list(dict.fromkeys(instance_ids))
    form = RestForm(
        Created=record.created,
        XAppServiceName=record.host,
        XAppRmrEndPoint=str(record.rmr),
        Meid=record.meid,
        InstanceIds=instance_ids or None,
        XAppIdToE2Id=dict(instances),
        SubReqOngoing=record.request_ongoing,
        SubDelReqOngoing=record.delete_ongoing,
        Md5sum=record.digests[0] if record.digests else "",
    )
    if record.http_port is not None:
        form.HttpPort = record.http_port
    if record.http_port is not None or len(record.digests) > 1:
        form.Digests = list(record.digests)
    if record.owner is not None:
        form.Owner = record.owner
    return _encode(form)


def _as_text(pair: tuple[int, int]) -> str:
    return str(pair[0])


def decode_rest(subscription_id: str, data: bytes, requestors: Mapping[int, int] | None = None) -> RestRecord:
    """The REST subscription that is stored under `subscription_id`.

    Old releases stored instance ids without their XappEventInstanceIds. `requestors` maps the instance ids of the
    stored E2 subscriptions to their `xapp_requestor_id`, which is the missing number; an instance id that is not in it
    is left out.

    Raises:
        RecordError: the JSON cannot be read.
    """
    form = read(_decoder, data)
    rmr = _rmr_endpoint(form)
    newest = [form.Md5sum] if form.Md5sum else []
    kept = [] if form.Digests is UNSET or form.Digests is None else form.Digests
    return RestRecord(
        subscription_id=subscription_id,
        created=form.Created or "",
        host=sys.intern(form.XAppServiceName or rmr.address),
        http_port=None if form.HttpPort is UNSET else form.HttpPort,
        rmr=rmr,
        meid=checked_meid(form.Meid),
        instances=_instances(form, requestors or {}),
        request_ongoing=bool(form.SubReqOngoing),
        delete_ongoing=bool(form.SubDelReqOngoing),
        digests=tuple(dict.fromkeys(newest + kept)),
        owner=None if form.Owner is UNSET else form.Owner,
    )


def _rmr_endpoint(form: RestForm) -> RmrEndpoint:
    if not form.XAppRmrEndPoint and form.XAppServiceName:
        # the Go implementation leaves it empty for an xApp without an RMR port
        return ClientEndpoint(form.XAppServiceName, 0, 0).rmr
    try:
        parsed = RmrEndpoint.parse(form.XAppRmrEndPoint)
        return shared_endpoint(parsed.address, parsed.port)
    except ValueError as error:
        raise RecordError(f"XAppRmrEndPoint is {error}") from error


def _instances(form: RestForm, requestors: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    """(XappEventInstanceId, instance id) in the order of `InstanceIds`, then the pairs that only `XAppIdToE2Id` has."""
    known = form.XAppIdToE2Id or {}
    by_instance: dict[int, list[int]] = {instance_id: [] for instance_id in form.InstanceIds or ()}
    for xapp_id, instance_id in known.items():
        by_instance.setdefault(instance_id, []).append(xapp_id)
    for instance_id, xapp_ids in by_instance.items():
        requestor = requestors.get(instance_id) if not xapp_ids else None
        if requestor is not None and requestor not in known:
            xapp_ids.append(requestor)
    return tuple((xapp_id, instance_id) for instance_id, xapp_ids in by_instance.items() for xapp_id in xapp_ids)
