# SPDX-License-Identifier: Apache-2.0
"""The figures of a load as lines of a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from submgr.bench.comparing import Comparison, compared, rounded
from submgr.bench.load import Figures
from submgr.bench.syscalls import Counts
from submgr.rmr.tools.bench import percentile

_PROCESSES = ("submgr", "e2term", "rtmgr", "redis", "clients")
HEAD = (
    f"{'store':<7}{'resident':>9}{'rtmgr ms':>9}  {'phase':<17}{'clients':>8}{'per s':>8}"
    f"{'201/204 p50':>12}{'p99 ms':>8}{'told p50':>10}{'p99 ms':>8}{'max':>8}"
    f"{'CPU ms':>8}{'e2term':>8}{'rtmgr':>8}{'redis':>8}{'clients':>8}"
)
COMPARED_HEAD = (
    f"{'store':<7}{'resident':>9}{'rtmgr ms':>9}{'nodes':>7}  {'phase':<17}{'clients':>8}"
    f"{'CPU ms':>9}{'this':>8}  {'ratio':<19}{'p50 ms':>9}{'this':>8}  {'ratio':<19}{'per s':>8}{'this':>7}  ratio"
)
_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


class Facts(NamedTuple):
    """What a run is about. `store`: "target" where the daemon is not the bench's own."""

    store: str
    resident: int
    rtmgr_delay_ms: float
    nodes: int

    @property
    def words(self) -> str:
        return f"{self.store:<7}{self.resident:>9}{self.rtmgr_delay_ms:>9.0f}"


def line(facts: Facts, figures: Figures) -> str:
    def ms(values: list[float], share: float, width: int) -> str:
        return f"{percentile(values, share) * 1000:>{width}.2f}" if values else f"{'':>{width}}"

    def cpu(name: str) -> str:
        used = figures.cpu_ms(name)
        return f"{'unknown':>8}" if used is None else f"{used:>8.2f}"

    return (
        f"{facts.words}  {figures.phase:<17}{figures.clients:>8}{figures.per_second:>8.0f}"
        f"{ms(figures.answered, 0.5, 12)}{ms(figures.answered, 0.99, 8)}"
        f"{ms(figures.told, 0.5, 10)}{ms(figures.told, 0.99, 8)}{ms(figures.told, 1, 8)}"
        + "".join(map(cpu, _PROCESSES))
    )


def as_json(facts: Facts, figures: Figures) -> bytes:
    row: dict[str, Any] = {
        **facts._asdict(),
        "phase": figures.phase,
        "clients": figures.clients,
        "count": figures.count,
        "seconds": round(figures.seconds, 3),
        "per_second": round(figures.per_second, 1),
        "cpu_ms": {name: _rounded(figures.cpu_ms(name)) for name in figures.cpu},
    }
    for name, values in (("answered_ms", figures.answered), ("told_ms", figures.told)):
        if values:
            row[name] = {label: round(percentile(values, share) * 1000, 3) for label, share in _SHARES.items()}
    return msgspec.json.encode(row)


class Compared(Struct, frozen=True):
    """One phase of both sources over all rounds: CPU and median latency in ms, operations a second."""

    phase: str
    clients: int
    count: int
    rounds: int
    cpu_ms: Comparison
    p50_ms: Comparison
    per_second: Comparison


def compare(this: Sequence[Figures], base: Sequence[Figures]) -> Compared:
    """Compares the figures of one phase, one of each source for every round."""

    def both(figure: Any) -> Comparison:
        return compared([figure(one) for one in this], [figure(one) for one in base])

    first = this[0]
    return Compared(
        *(first.phase, first.clients, first.count, len(this)),
        cpu_ms=both(lambda one: one.cpu_ms("submgr")),
        p50_ms=both(lambda one: percentile(one.latencies, 0.5) * 1000),
        per_second=both(lambda one: one.per_second),
    )


def compared_line(facts: Facts, row: Compared) -> str:
    cpu, p50, rate = row.cpu_ms, row.p50_ms, row.per_second
    return (
        f"{facts.words}{facts.nodes:>7}  {row.phase:<17}{row.clients:>8}"
        f"{cpu.base:>9.2f}{cpu.this:>8.2f}  {cpu!s:<19}{p50.base:>9.2f}{p50.this:>8.2f}  {p50!s:<19}"
        f"{rate.base:>8.0f}{rate.this:>7.0f}  {rate}"
    )


def compared_json(facts: Facts, base: str, row: Compared) -> bytes:
    figures = {name: rounded(getattr(row, name)) for name in ("cpu_ms", "p50_ms", "per_second")}
    names = {"phase": row.phase, "clients": row.clients, "count": row.count, "rounds": row.rounds}
    return msgspec.json.encode({**facts._asdict(), "base": base, **names, **figures})


def syscalls_line(clients: int, phase: str, count: int, counts: Counts) -> str:
    """System calls of one operation: in all, and by name."""

    def words(name: str, number: int, failed: int) -> str:
        vain = f" ({failed / count:.1f} in vain)" if failed * 20 > count else ""
        return f"{name} {number / count:.1f}{vain}"

    by_name = counts.by_name()
    every = sum(number for number, _ in by_name.values())
    names = ", ".join(words(name, *numbers) for name, numbers in by_name.items() if numbers[0] * 20 > count)
    return f"{'':<27}{phase:<17}{clients:>8}{every / count:>8.1f}  {names}"


def syscalls_json(facts: Facts, clients: int, phase: str, count: int, counts: Counts) -> bytes:
    by_name = counts.by_name()
    about: list[dict[str, Any]] = [
        {
            "name": call.name,
            "about": call.about,
            "calls": round(number / count, 3),
            "failed": round(counts.failed[call] / count, 3),
        }
        for call, number in counts.calls.most_common()
    ]
    row = {
        **facts._asdict(),
        "phase": phase,
        "clients": clients,
        "count": count,
        "syscalls": {name: round(number / count, 3) for name, (number, _) in by_name.items()},
        "syscalls_failed": {name: round(failed / count, 3) for name, (_, failed) in by_name.items() if failed},
        "syscalls_about": about,
    }
    return msgspec.json.encode(row)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
