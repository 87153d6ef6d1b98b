# SPDX-License-Identifier: Apache-2.0
"""Starts of the daemon: seconds and CPU until it is ready, memory at rest; this source and another one in turns."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from statistics import median

from msgspec import Struct

from submgr.bench.bed import Bed, BedOptions
from submgr.bench.comparing import alternately
from submgr.bench.load import Load
from submgr.bench.records import fill, open_store
from submgr.bench.sources import THIS, Source
from submgr.bench.xapps import Listener

REQUESTS = 20
"""Subscriptions that are made and deleted before the memory is looked at a second time."""


class Start(Struct, frozen=True):
    """One start, or the medians of several. Times in seconds, memory in MB (10^6 bytes).

    `ready`: from the start of the process to the first 200 of `/ric/v1/health/ready`; `cpu`: of user and system
    until then. `at_rest`: resident memory when ready; `used`: after some requests. `shared_out`: the proportional
    set size then, in which pages of libraries count in part where others have them too. `stall`: the longest time
    that the event loop stood still.
    """

    ready: float
    cpu: float
    at_rest: float
    used: float
    shared_out: float
    stall: float


def starts(store: str, stored: int, runs: int, other: Source | None) -> Iterator[tuple[Source, Start]]:
    """Starts the daemon `runs` times with so many subscriptions in its database; another source in turns, if there is
    one. Yields the source of each start. Each source is started once before, which compiles it.
    """
    with Bed(BedOptions(store, compiled=True)) as bed, Listener() as listener:
        bed.stop_daemon()
        if other is not None:
            bed.start_daemon(other.directory)
            bed.stop_daemon()
        if stored:
            opened = open_store(store, bed.database, bed.environment)
            fill(opened, stored, min(stored, 20), listener.port)
            opened.stop()
        for source in alternately(other, runs) if other else [THIS] * runs:
            yield source, _start(bed, listener, source.directory)


def median_of(each: Sequence[Start]) -> Start:
    """The median of every figure."""
    return Start(*(median(getattr(start, name) for start in each) for name in Start.__struct_fields__))


def _start(bed: Bed, listener: Listener, source: str) -> Start:
    began = time.monotonic()
    bed.start_daemon(source)
    ready, cpu, at_rest = time.monotonic() - began, bed.daemon.cpu(), bed.daemon.resident_megabytes()
    load = Load(bed, listener, nodes=2)
    _, _, ids = load.subscribe(1, REQUESTS, wait=True)
    load.delete("delete", 1, ids, (load.resident, load.resident))
    used, shared_out = bed.daemon.resident_megabytes(), bed.daemon.proportional_megabytes()
    stall = bed.metric("submgr_hub_stall_longest_seconds")
    bed.stop_daemon()
    return Start(ready, cpu, at_rest, used, shared_out, stall)
