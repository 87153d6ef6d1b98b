# SPDX-License-Identifier: Apache-2.0
"""Records that a start finds in the store."""

from __future__ import annotations

from msgspec.structs import replace

from submgr.core import events as e
from submgr.core.controls import Controls
from submgr.core.model import E2Record, Holder, Removal, RestHolder, RestRecord, RmrEndpoint
from support.core.playbook import Script
from support.core.world import MEID, content

A = RmrEndpoint("service-ricxapp-a-rmr", 4560)
B = RmrEndpoint("service-ricxapp-b-rmr", 4560)
OLD = RmrEndpoint("service-ricxapp-old-rmr", 4560)
CREATED = "2026-01-01 00:00:00.000"


def rest_record(name: str = "r1", endpoint: RmrEndpoint = A, **more: object) -> RestRecord:
    host = endpoint.address.replace("rmr", "http")
    record = RestRecord(name, CREATED, host, 8080, endpoint, MEID, ((1, 1),), False, False, (f"digest of {name}",))
    return replace(record, **more)  # type: ignore[arg-type]


def held(name: str = "r1", endpoint: RmrEndpoint = A, xei: int = 1, **more: object) -> Holder:
    return replace(Holder(RestHolder(name, xei), endpoint, routed=True), **more)  # type: ignore[arg-type]


def e2_record(*holders: Holder, instance: int = 1, what=None, **more: object) -> E2Record:
    holders = holders or (held(),)
    endpoints = tuple(dict.fromkeys(h.endpoint for h in holders))
    routes = tuple(h.endpoint for h in holders if h.routed)
    record = E2Record(instance, MEID, 123, 1, what or content(), endpoints, holders, routes, (1,))
    return replace(record, **more)  # type: ignore[arg-type]


def start(
    e2: list[E2Record],
    rest: list[RestRecord],
    removals: list[Removal] | None = None,
    connected: bool = True,
    controls: Controls | None = None,
    spared: frozenset[str] = frozenset(),
) -> tuple[Script, list[str]]:
    script = Script(controls, connected)
    restored = e.Restored(tuple(e2), tuple(rest), tuple(removals or ()), connected, spared)
    return script, script.step(0.0, restored)
