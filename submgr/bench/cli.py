# SPDX-License-Identifier: Apache-2.0
"""`submgr bench ...`: measures the daemon on this machine, with instant neighbours on the loopback interface."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from typing import Any

import click
import gevent
import msgspec

from submgr.bench.bed import STORES, Bed, BedOptions
from submgr.bench.children import BenchError
from submgr.bench.large import Event, loss, queued, restart
from submgr.bench.load import Figures, Load
from submgr.bench.start import Start, median_of, starts
from submgr.bench.xapps import Listener
from submgr.platform.progress import Progress
from submgr.rmr.tools.bench import percentile
from submgr.rmr.tools.bench import rmr as rmr_benchmark

_LONGEST_RUN = 900.0
_PHASES = 5
"""Of a run with so many clients, see `phases`."""
_PROCESSES = ("submgr", "e2term", "rtmgr", "redis", "clients")
_HEAD = (
    f"{'store':<7}{'resident':>9}{'rtmgr ms':>9}  {'phase':<17}{'clients':>8}{'per s':>8}"
    f"{'201/204 p50':>12}{'p99 ms':>8}{'told p50':>10}{'p99 ms':>8}{'max':>8}"
    f"{'CPU ms':>8}{'e2term':>8}{'rtmgr':>7}{'redis':>7}{'clients':>8}"
)

_START_HEAD = (
    f"{'store':<7}{'stored':>8}  {'source':<8}{'ready s':>9}{'CPU s':>8}{'rest MB':>9}{'used MB':>9}"
    f"{'Pss MB':>9}{'stall ms':>10}"
)


@click.group()
def bench() -> None:
    """Benchmarks: processes on this machine that talk over the loopback interface, bounded in count and time."""


bench.add_command(rmr_benchmark)


@bench.command()
@click.option("--store", "stores", multiple=True, type=click.Choice(STORES), default=("sqlite",), show_default=True)
@click.option("--clients", multiple=True, type=click.IntRange(1, 500), default=(1, 16, 64), show_default=True)
@click.option("--count", type=click.IntRange(1, 20_000), default=2000, show_default=True, help="Operations of a phase.")
@click.option("--nodes", type=click.IntRange(1, 1000), default=8, show_default=True, help="E2 nodes they spread over.")
@click.option("--resident", "residents", multiple=True, type=click.IntRange(0, 50_000), default=(0,), show_default=True,
              help="Subscriptions that are there before.")  # fmt: skip
@click.option("--rtmgr-delay", "delays", multiple=True, type=click.FloatRange(0, 1000), default=(0.0,),
              show_default=True, help="Milliseconds that the Routing Manager takes for each answer.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object per row instead of a table.")
def subscribe(
    stores: tuple[str, ...],
    clients: tuple[int, ...],
    count: int,
    nodes: int,
    residents: tuple[int, ...],
    delays: tuple[float, ...],
    as_json: bool,
) -> None:
    """Subscribe, merge, leave and delete: a second, latencies, CPU. Options that may be repeated make a run for each.

    "subscribe" waits for the notification before the next request of a client, "burst" for the 201 only. Deletes are
    over when the E2 nodes and the Routing Manager hold nothing of them.
    """
    if not as_json:
        click.echo(_HEAD)
    runs = list(product(stores, delays, residents))
    try:
        with Progress(len(runs) * len(clients) * _PHASES) as progress:
            for store, delay, resident in runs:
                with gevent.Timeout(_LONGEST_RUN, BenchError(f"not over after {_LONGEST_RUN:g} s")):
                    _run(BedOptions(store, delay / 1000), clients, count, nodes, resident, as_json, progress)
    except BenchError as failed:
        raise click.ClickException(str(failed)) from failed


@bench.command()
@click.option("--count", type=click.IntRange(1, 65_000), default=60_000, show_default=True, help="Stored ones.")
@click.option("--nodes", type=click.IntRange(1, 1000), default=20, show_default=True, help="E2 nodes they are at.")
@click.option("--lost", type=click.IntRange(0, 65_000), default=10_000, show_default=True,
              help="Subscriptions of a node that is lost and comes back, for each onE2Loss; needs redis.")  # fmt: skip
@click.option("--queued", "waiting", type=click.IntRange(0, 60_000), default=10_000, show_default=True,
              help="Details that are asked for at one node.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object per row instead of a table.")
def large(count: int, nodes: int, lost: int, waiting: int, as_json: bool) -> None:
    """Events that concern very many subscriptions: how long they take, and what any other request waits meanwhile."""
    if not as_json:
        click.echo(f"{'event':<26}{'count':>8}{'seconds':>9}{'probe ms':>10}{'stall ms':>10}{'CPU s':>8}{'MB':>8}")
    runs: list[tuple[str, Callable[[], list[Event]]]] = [("start", partial(restart, "sqlite", count, nodes))]
    if waiting:
        runs.append(("queue", partial(queued, "sqlite", waiting, min(waiting, 100))))
    for policy in ("drop", "notify", "restore") if lost else ():
        runs.append((f"loss of a node, {policy}", partial(loss, policy, lost)))
    try:
        with (
            gevent.Timeout(_LONGEST_RUN, BenchError(f"not over after {_LONGEST_RUN:g} s")),
            Progress(len(runs)) as told,
        ):
            for name, run in runs:
                told.says(name)
                _show(run(), as_json, told)
                told.step()
    except BenchError as failed:
        raise click.ClickException(str(failed)) from failed


@bench.command()
@click.option("--store", "stores", multiple=True, type=click.Choice(STORES), default=("sqlite",), show_default=True)
@click.option("--stored", "counts", multiple=True, type=click.IntRange(0, 60_000), default=(0,), show_default=True,
              help="Subscriptions that are restored.")  # fmt: skip
@click.option("--runs", type=click.IntRange(1, 100), default=5, show_default=True, help="Starts of each source.")
@click.option("--base", type=click.Path(exists=True, file_okay=False, resolve_path=True),
              help="A directory with the source of another commit: both are started in turns.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object per start instead of a table of medians.")
def start(stores: tuple[str, ...], counts: tuple[int, ...], runs: int, base: str | None, as_json: bool) -> None:
    """Start until ready: seconds, CPU, memory at rest and after some requests; medians of several starts."""
    sources = ("", base) if base else ("",)
    if not as_json:
        click.echo(_START_HEAD)
    try:
        for store in stores:
            for stored in counts:
                each: dict[str, list[Start]] = {source: [] for source in sources}
                with gevent.Timeout(_LONGEST_RUN, BenchError(f"not over after {_LONGEST_RUN:g} s")):
                    for source, one in starts(store, stored, runs, sources):
                        each[source].append(one)
                        if as_json:
                            facts = {"store": store, "stored": stored, "source": source}
                            click.echo(msgspec.json.encode({**facts, **msgspec.to_builtins(one)}))
                for source, found in each.items() if not as_json else ():
                    _show_start(f"{store:<7}{stored:>8}", "base" if source else "this", median_of(found))
    except BenchError as failed:
        raise click.ClickException(str(failed)) from failed


def _show_start(what: str, source: str, one: Start) -> None:
    click.echo(
        f"{what}  {source:<8}{one.ready:>9.2f}{one.cpu:>8.2f}{one.at_rest:>9.1f}{one.used:>9.1f}"
        f"{one.shared_out:>9.1f}{one.stall * 1000:>10.1f}"
    )


def _show(events: Iterable[Event], as_json: bool, progress: Progress) -> None:
    for event in events:
        progress.prints(
            msgspec.json.encode(event)
            if as_json
            else f"{event.name:<26}{event.count:>8}{event.seconds:>9.2f}{event.waited * 1000:>10.1f}"
            f"{event.stall * 1000:>10.1f}{event.cpu:>8.2f}{event.megabytes:>8.1f}"
        )


def _run(
    options: BedOptions,
    clients: tuple[int, ...],
    count: int,
    nodes: int,
    resident: int,
    as_json: bool,
    progress: Progress,
) -> None:
    progress.says(f"{options.store}, starting")
    facts = {"store": options.store, "resident": resident, "rtmgr_delay_ms": options.rtmgr_delay * 1000}
    with Bed(options) as bed, Listener() as listener:
        load = Load(bed, listener, nodes)
        if resident:
            progress.says(f"{options.store}, {resident} subscriptions to begin with")
            load.fill(resident)
        for number in clients:
            progress.says(f"{options.store}, {number} clients")
            for figures in phases(load, number, count):
                progress.step()
                progress.prints(_json(facts, figures) if as_json else _line(facts, figures))
        listed = len(msgspec.json.decode(bed.platform("/ric/v1/subscriptions")[1]))
        if listed != resident:
            raise BenchError(f"{listed} subscriptions are left instead of {resident}")
        stall = bed.metric("submgr_hub_stall_longest_seconds") * 1000
        memory = bed.daemon.resident_megabytes()
    end = {"longest_stall_ms": round(stall, 1), "memory_mb": round(memory, 1)}
    if as_json:
        progress.prints(msgspec.json.encode({**facts, **end}))
    else:
        progress.prints(f"{'':<27}longest stall of the event loop {stall:.1f} ms, memory {memory:.0f} MB")


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


def _line(facts: dict[str, Any], figures: Figures) -> str:
    def ms(values: list[float], share: float, width: int) -> str:
        return f"{percentile(values, share) * 1000:>{width}.2f}" if values else f"{'':>{width}}"

    cpu = [f"{figures.cpu_ms(name):>{width}.2f}" for name, width in zip(_PROCESSES, (8, 8, 7, 7, 8), strict=True)]
    return (
        f"{facts['store']:<7}{facts['resident']:>9}{facts['rtmgr_delay_ms']:>9.0f}  "
        f"{figures.phase:<17}{figures.clients:>8}{figures.per_second:>8.0f}"
        f"{ms(figures.answered, 0.5, 12)}{ms(figures.answered, 0.99, 8)}"
        f"{ms(figures.told, 0.5, 10)}{ms(figures.told, 0.99, 8)}{ms(figures.told, 1, 8)}{''.join(cpu)}"
    )


def _json(facts: dict[str, Any], figures: Figures) -> bytes:
    row: dict[str, Any] = {
        **facts,
        "phase": figures.phase,
        "clients": figures.clients,
        "count": figures.count,
        "seconds": round(figures.seconds, 3),
        "per_second": round(figures.per_second, 1),
        "cpu_ms": {name: round(figures.cpu_ms(name), 3) for name in figures.cpu},
    }
    for name, values in (("answered_ms", figures.answered), ("told_ms", figures.told)):
        if values:
            shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
            row[name] = {label: round(percentile(values, share) * 1000, 3) for label, share in shares.items()}
    return msgspec.json.encode(row)
