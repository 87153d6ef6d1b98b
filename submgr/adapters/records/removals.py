# SPDX-License-Identifier: Apache-2.0
"""Encodes removals as stored JSON and decodes them: what is left to undo at a node or at the Routing Manager.

The Go implementation has no such records; it ignores their namespace.
"""

from __future__ import annotations

import time

import msgspec

from submgr.adapters.records.forms import RecordError, RemovalForm, checked_meid, endpoint_form, endpoints_of, read
from submgr.core.model import Removal

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(RemovalForm)


def removal_key(meid: str, instance_id: int) -> str:
    """The key of a removal. It names the node as well, since two nodes may have removals with the same instance id."""
    return f"{instance_id}:{meid}"


def encode_removal(removal: Removal) -> bytes:
    """The JSON of a removal. Its key in the store is its `removal_key`."""
    return _encode(
        RemovalForm(
            removal.instance_id,
            removal.meid,
            removal.ran_function_id,
            list(map(endpoint_form, removal.routes)),
            removal.node_delete,
            removal.requestor_id,
            round(time.time() - (time.monotonic() - removal.since), 3),
        )
    )


def decode_removal(key: str, data: bytes) -> Removal:
    """The removal that is stored under `key`.

    Raises:
        RecordError: the JSON cannot be read, or the removal does not belong under this key.
    """
    form = read(_decoder, data)
    if key != removal_key(form.Meid, form.InstanceId):
        raise RecordError(f"the removal of {form.InstanceId} at {form.Meid} does not belong under this key")
    return Removal(
        instance_id=form.InstanceId,
        meid=checked_meid(form.Meid),
        ran_function_id=form.FunctionId,
        routes=endpoints_of(form.Routes),
        node_delete=form.NodeDelete,
        requestor_id=form.RequestorId,
        since=_monotonic(form.Since),
    )


def _monotonic(since: float) -> float:
    """Unix seconds as monotonic seconds of this process. A time that is unknown, or not yet, counts as now."""
    now = time.time()
    return time.monotonic() - (now - since if 0.0 < since < now else 0.0)
