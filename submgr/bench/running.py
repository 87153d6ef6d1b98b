# SPDX-License-Identifier: Apache-2.0
"""Runs of `submgr bench subscribe`: at an own daemon, at a target, and at two sources in turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import gevent
import msgspec
from msgspec import Struct

from submgr.bench import rows
from submgr.bench.bed import Bed, BedOptions
from submgr.bench.children import BenchError
from submgr.bench.comparing import alternately
from submgr.bench.load import Figures, Load
from submgr.bench.profiling import profiled
from submgr.bench.rows import Facts
from submgr.bench.sources import Source
from submgr.bench.syscalls import counted, traced
from submgr.bench.target import Target, TargetOptions, with_hint
from submgr.bench.xapps import Listener
from submgr.platform.progress import Progress

LONGEST_RUN = 900.0
PHASES = 5
"""Of a run with so many clients, see `phases`."""
_TRACED = 200
"""Operations of a phase whose system calls are counted: a traced daemon is slow."""


class Run(Struct, frozen=True):
    """A test bed with so many subscriptions to begin with, and the loads that it gets."""

    bed: BedOptions
    resident: int
    nodes: int
    clients: tuple[int, ...]
    count: int

    @property
    def facts(self) -> Facts:
        return Facts(self.bed.store, self.resident, self.bed.rtmgr_delay * 1000, self.nodes)


class Output(Struct, frozen=True):
    """Where figures go. `profile`: the file for a flame graph, `syscalls`: they are counted; both in extra passes."""

    progress: Progress
    as_json: bool
    profile: Path | None = None
    syscalls: bool = False


def phases(load: Load, clients: int, count: int) -> Iterator[Figures]:
    """Runs every phase with so many clients. At the end only the resident subscriptions are left."""
    resident = load.resident
    figures, numbers, first = load.subscribe(clients, count, wait=True)
    yield figures
    figures, _, second = load.subscribe(clients, count, wait=False)
    yield figures
    figures, joined = load.merge(clients, numbers)
    yield figures
    yield load.delete("leave", clients, joined, (resident + 2 * count, resident + 2 * count))
    yield load.delete("delete", clients, [*first, *second], (resident, resident))


def measure(run: Run, options: TargetOptions | None, output: Output) -> None:
    """Runs all loads and prints their figures. `options`: of the target, None for a daemon of the bench's own."""
    output.progress.says(f"{run.bed.store}, starting")
    if options is not None:
        with (
            with_hint(options),
            Target(options, run.nodes, run.bed.rtmgr_delay, run.bed.e2_delay) as target,
            Listener(options.host) as listener,
        ):
            before = target.listed()
            load = Load(target, listener, run.nodes)
            try:
                _loads(run, load, output, options.pid, target.ports(listener.port))
            finally:
                _withdraw(load)
            for remark in dict.fromkeys(load.remarks):
                click.echo(remark, err=True)
            left = target.listed()
            if left != before:
                click.echo(f"the target lists {left} subscriptions, it has listed {before} before", err=True)
        return
    with Bed(run.bed) as bed, Listener() as listener:
        load = Load(bed, listener, run.nodes)
        _loads(run, load, output, bed.daemon.pid, bed.ports(listener.port))
        listed = len(msgspec.json.decode(bed.platform("/ric/v1/subscriptions")[1]))
        if listed != run.resident:
            raise BenchError(f"{listed} subscriptions are left instead of {run.resident}")
        stall = bed.metric("submgr_hub_stall_longest_seconds") * 1000
        memory = bed.daemon.resident_megabytes()
    end = {"longest_stall_ms": round(stall, 1), "memory_mb": round(memory, 1)}
    if output.as_json:
        output.progress.prints(msgspec.json.encode({**run.facts._asdict(), **end}))
    else:
        words = f"longest stall of the event loop {stall:.1f} ms, memory {memory:.0f} MB"
        output.progress.prints(f"{'':<27}{words}")


def _withdraw(load: Load) -> None:
    try:
        load.withdraw()
    except BenchError as failed:
        click.echo(f"what the bench has made may still be there: {failed}", err=True)


def _loads(run: Run, load: Load, output: Output, pid: int, ports: dict[int, str]) -> None:
    """The pass that figures are taken of, and those of tools that slow down what they look at."""
    progress = output.progress
    if run.resident:
        progress.says(f"{run.bed.store}, {run.resident} subscriptions to begin with")
        load.fill(run.resident)
    for number in run.clients:
        progress.says(f"{run.bed.store}, {number} clients")
        for figures in phases(load, number, run.count):
            progress.step()
            write = rows.as_json if output.as_json else rows.line
            progress.prints(write(run.facts, figures))
    if output.profile is not None:
        progress.says("once more, for the flame graph")
        with profiled(pid, output.profile):
            for number in run.clients:
                for _ in phases(load, number, run.count):
                    progress.step()
        click.echo(f"{output.profile}: the daemon under this load, once more", err=True)
    if output.syscalls:
        _count_syscalls(run, load, output, pid, ports)


def _count_syscalls(run: Run, load: Load, output: Output, pid: int, ports: dict[int, str]) -> None:
    progress, trace = output.progress, load.directory / "strace"
    if not output.as_json:
        progress.prints(
            f"{'':<27}system calls of one operation, by strace in a pass of its own: the figures above are without it"
        )

    @contextmanager
    def around(phase: str) -> Iterator[None]:
        with traced(pid, trace):
            yield

    load.around = around
    count = min(run.count, _TRACED)
    for number in run.clients:
        progress.says(f"system calls, {number} clients")
        for figures in phases(load, number, count):
            progress.step()
            with trace.open(errors="replace") as lines:
                counts = counted(lines, ports)
            if output.as_json:
                progress.prints(rows.syscalls_json(run.facts, number, figures.phase, figures.count, counts))
            else:
                progress.prints(rows.syscalls_line(number, figures.phase, figures.count, counts))


def compare(runs: Sequence[Run], other: Source, rounds: int, progress: Progress, as_json: bool) -> None:
    """Runs all loads at this source and the other one in turns, and prints how they compare."""
    if not as_json:
        progress.prints(rows.COMPARED_HEAD)
    for run in runs:
        figures: dict[str, dict[tuple[int, str], list[Figures]]] = {"": {}, other.directory: {}}
        for turn, source in enumerate(alternately(other, rounds)):
            progress.says(f"{run.bed.store}, {run.nodes} nodes, round {turn // 2 + 1} of {rounds}, {source.name}")
            with (
                gevent.Timeout(LONGEST_RUN, BenchError(f"not over after {LONGEST_RUN:g} s")),
                Bed(run.bed, source.directory) as bed,
                Listener() as listener,
            ):
                load = Load(bed, listener, run.nodes)
                load.fill(run.resident)
                for number in run.clients:
                    for one in phases(load, number, run.count):
                        figures[source.directory].setdefault((number, one.phase), []).append(one)
                        progress.step()
        for key, these in figures[""].items():
            row = rows.compare(these, figures[other.directory][key])
            if as_json:
                progress.prints(rows.compared_json(run.facts, other.name, row))
            else:
                progress.prints(rows.compared_line(run.facts, row))
