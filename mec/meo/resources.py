# SPDX-License-Identifier: Apache-2.0
"""What platforms have for applications, and what applications take of it.

The units are those of MEC 016, 6.2.2: memory and storage in MB, bandwidth in kbit/s. `cpu` is in cores.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a platform has. None: as much as anybody asks for. `contexts`: how many it serves at a time."""

    contexts: int | None = None
    cpu: float | None = None
    memory: int | None = None
    storage: int | None = None
    bandwidth: int | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """What an application takes: `cpu`, `memory` and `storage` once on a platform, `bandwidth` for each context."""

    cpu: float | None = None
    memory: int | None = None
    storage: int | None = None
    bandwidth: int | None = None


def told_amounts(amounts: Capacity | Resources) -> dict[str, Any]:
    """Those amounts that are told, by their names."""
    return {name: value for name, value in asdict(amounts).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Used:
    """What is taken of a platform, or would be."""

    contexts: int = 0
    cpu: float = 0.0
    memory: int = 0
    storage: int = 0
    bandwidth: int = 0


_UNITS = {"cpu": "cores", "memory": "MB", "storage": "MB", "bandwidth": "kbit/s"}


def needed(resources: Resources, characteristics: Mapping[str, Any]) -> Resources:
    """What an application takes: what its `resources` leave out is as in its appCharcs (MEC 016, 6.2.2)."""

    def first(given: int | None, name: str) -> int | None:
        return given if given is not None else characteristics.get(name)

    return Resources(
        resources.cpu,
        first(resources.memory, "memory"),
        first(resources.storage, "storage"),
        first(resources.bandwidth, "bandwidth"),
    )


def one_more(needs: Resources, *, deployed: bool) -> Used:
    """What one more context takes. `deployed`: its application is there already."""
    bandwidth = needs.bandwidth or 0
    if deployed:
        return Used(1, bandwidth=bandwidth)
    return Used(1, needs.cpu or 0.0, needs.memory or 0, needs.storage or 0, bandwidth)


def total(apps: Mapping[str, tuple[Resources, int]]) -> Used:
    """What applications take of a platform, each with its number of contexts."""
    return Used(
        sum(contexts for _, contexts in apps.values()),
        round(sum(needs.cpu or 0.0 for needs, _ in apps.values()), 6),
        sum(needs.memory or 0 for needs, _ in apps.values()),
        sum(needs.storage or 0 for needs, _ in apps.values()),
        sum((needs.bandwidth or 0) * contexts for needs, contexts in apps.values()),
    )


def fits(capacity: Capacity, used: Used, more: Used) -> bool:
    """Whether a platform has room for `more`. What is not asked for is not looked at."""
    return (
        (capacity.contexts is None or used.contexts + more.contexts <= capacity.contexts)
        and (capacity.cpu is None or not more.cpu or used.cpu + more.cpu <= capacity.cpu + 1e-6)
        and (capacity.memory is None or not more.memory or used.memory + more.memory <= capacity.memory)
        and (capacity.storage is None or not more.storage or used.storage + more.storage <= capacity.storage)
        and (capacity.bandwidth is None or not more.bandwidth or used.bandwidth + more.bandwidth <= capacity.bandwidth)
    )


def shortages(capacity: Capacity, used: Used, more: Used) -> list[str]:
    """Why a platform has no room for `more`, in words; empty when it fits."""
    reasons = []
    if capacity.contexts is not None and used.contexts + more.contexts > capacity.contexts:
        reasons.append(f"no room: it has {used.contexts} of {capacity.contexts} contexts")
    for name, unit in _UNITS.items():
        most, taken, asked = getattr(capacity, name), getattr(used, name), getattr(more, name)
        if most is not None and asked and taken + asked > most + 1e-6:
            free = max(round(most - taken, 6), 0)
            reasons.append(f"no room: {name} {asked:.10g} {unit} asked for, {free:.10g} of {most:.10g} free")
    return reasons
