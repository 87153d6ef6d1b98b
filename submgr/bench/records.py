# SPDX-License-Identifier: Apache-2.0
"""Fills the database with completed subscriptions before the daemon runs, as a previous run would have left them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from submgr.adapters.records.store import StoredRecords
from submgr.core.model import Content, E2Record, Holder, RestHolder, RestRecord, RmrEndpoint
from submgr.e2ap.messages import Action, ActionType, SubsequentAction, SubsequentActionType, TimeToWait
from submgr.platform.ksuid import new_ksuid
from submgr.platform.store.base import Store
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sdl_client import SdlSettings
from submgr.platform.store.sqlite import SqliteStore
from submgr.platform.turns import turn

_AT_A_TIME = 200
HOST, RMR_PORT = "127.0.0.1", 4560
"""The endpoint of all subscriptions."""


def open_store(store: str, database: Path, environment: Mapping[str, str]) -> Store:
    """The started store of kind sqlite or redis."""
    opened: Store = SqliteStore(database) if store == "sqlite" else SdlStore(SdlSettings(environment))
    opened.start()
    return opened


def fill(store: Store, count: int, nodes: int, http_port: int) -> None:
    """Saves E2 subscriptions with the instance ids 1..count, spread over the nodes, each with a REST subscription of
    its own. Raises StoreError.
    """
    records = StoredRecords(store)
    for instance_id in range(1, count + 1):
        e2, rest = records_of(instance_id, f"gnb_208_092_{instance_id % nodes:06d}", http_port)
        records.save_e2(e2, None)
        records.save_rest(rest, None)
        if instance_id % _AT_A_TIME == 0:
            records.flush()
            turn()
    records.flush()


def records_of(instance_id: int, meid: str, http_port: int) -> tuple[E2Record, RestRecord]:
    """The records of a completed E2 subscription and of the REST subscription that holds it."""
    subscription_id = new_ksuid()
    xapp_event_instance_id = instance_id % 65536
    endpoint = RmrEndpoint(HOST, RMR_PORT)
    octets = instance_id.to_bytes(4, "big")
    subsequent = SubsequentAction(SubsequentActionType.CONTINUE, TimeToWait.W10MS)
    action = Action(1, ActionType.REPORT, octets + bytes(range(28)), subsequent)
    e2 = E2Record(
        instance_id=instance_id,
        meid=meid,
        requestor_id=123,
        xapp_requestor_id=xapp_event_instance_id,
        content=Content(2, octets, (action,)),
        endpoints=(endpoint,),
        holders=(Holder(RestHolder(subscription_id, xapp_event_instance_id), endpoint, routed=True),),
        routes=(endpoint,),
        admitted=(1,),
    )
    rest = RestRecord(
        subscription_id=subscription_id,
        created="2026-01-01 00:00:00.000",
        host=HOST,
        http_port=http_port,
        rmr=endpoint,
        meid=meid,
        instances=((xapp_event_instance_id, instance_id),),
        request_ongoing=False,
        delete_ongoing=False,
        digests=(f"{instance_id:032x}",),
    )
    return e2, rest
