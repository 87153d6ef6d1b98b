# SPDX-License-Identifier: Apache-2.0
"""`submgr bench ...`: measures the daemon on this machine, with instant neighbours on the loopback interface."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial
from itertools import product

import click
import gevent
import msgspec

from submgr.bench.bed import STORES
from submgr.bench.children import BenchError
from submgr.bench.comparing import Comparison, compared, rounded
from submgr.bench.floor import KINDS
from submgr.bench.floor import floor as measure_floor
from submgr.bench.large import Event, loss, queued, restart
from submgr.bench.running import LONGEST_RUN
from submgr.bench.sources import THIS, Source, other_source
from submgr.bench.start import Start, median_of, starts
from submgr.bench.subscribe import subscribe
from submgr.platform.progress import Progress
from submgr.rmr.tools.bench import rmr as rmr_benchmark

_START_HEAD = (
    f"{'store':<7}{'stored':>8}  {'source':<8}{'ready s':>9}{'CPU s':>8}{'rest MB':>9}{'used MB':>9}"
    f"{'Pss MB':>9}{'stall ms':>10}"
)


@click.group()
@click.pass_context
def bench(context: click.Context) -> None:
    """Benchmarks: processes on this machine that talk over the loopback interface, bounded in count and time."""
    # The hub raises it, in the main greenlet, where everything that was started and written is ended and removed. A
    # handler of Python's runs wherever the signal finds the program, and nobody sees what it raises within a fork.
    watchers = [
        gevent.signal_handler(signal.SIGINT, _raise, KeyboardInterrupt()),
        gevent.signal_handler(signal.SIGTERM, _raise, SystemExit(128 + signal.SIGTERM)),
    ]
    context.call_on_close(lambda: [watcher.cancel() for watcher in watchers])


bench.add_command(rmr_benchmark)
bench.add_command(subscribe)


@bench.command()
@click.option(
    "--clients", type=click.IntRange(1, 64), default=16, show_default=True, help="Beside those of one client."
)
@click.option("--count", type=click.IntRange(100, 100_000), default=5000, show_default=True, help="Subscriptions.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per row instead of a table.")
def floor(clients: int, count: int, as_json: bool) -> None:
    """What no subscription can cost less than: the CPU of a process that does its socket calls and nothing else."""
    if not as_json:
        click.echo(f"{'a process with':<30}{'clients':>8}{'CPU ms':>8}")
    runs = [("blocking", 1), ("gevent", 1), ("gevent", clients)]
    try:
        with Progress(len(runs)) as progress:
            for kind, number in runs:
                progress.says(KINDS[kind])
                one = measure_floor(kind, number, count)
                line = f"{KINDS[kind]:<30}{number:>8}{one.cpu_ms:>8.3f}"
                progress.prints(msgspec.json.encode(one) if as_json else line)
                progress.step()
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
            gevent.Timeout(LONGEST_RUN, BenchError(f"not over after {LONGEST_RUN:g} s")),
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
@click.option("--compare", "--base", metavar="REV|DIRECTORY",
              help="Another commit, or a directory with its source: both are started in turns.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True,
              help="One JSON object per start, and one that compares, instead of a table of medians.")  # fmt: skip
def start(stores: tuple[str, ...], counts: tuple[int, ...], runs: int, compare: str | None, as_json: bool) -> None:
    """Start until ready: seconds, CPU, memory at rest and after some requests; medians of several starts."""
    try:
        with other_source(compare) if compare else nullcontext() as other:
            total = len(stores) * len(counts) * runs * (2 if other else 1)
            with Progress(total) as progress:
                if not as_json:
                    progress.prints(_START_HEAD)
                for store, stored in product(stores, counts):
                    with gevent.Timeout(LONGEST_RUN, BenchError(f"not over after {LONGEST_RUN:g} s")):
                        _starts(store, stored, runs, other, as_json, progress)
    except BenchError as failed:
        raise click.ClickException(str(failed)) from failed


def _raise(error: BaseException) -> None:
    raise error


def _starts(store: str, stored: int, runs: int, other: Source | None, as_json: bool, progress: Progress) -> None:
    these: list[Start] = []
    others: list[Start] = []
    facts = {"store": store, "stored": stored}
    progress.says(f"starts, {store}, {stored} stored")
    for source, one in starts(store, stored, runs, other):
        (these if source is THIS else others).append(one)
        progress.step()
        if as_json:
            label = "" if source is THIS else source.label
            progress.prints(msgspec.json.encode({**facts, "source": label, **msgspec.to_builtins(one)}))
    what = f"{store:<7}{stored:>8}"
    if not as_json:
        progress.prints(_start_line(what, "this", median_of(these)))
    if other is None:
        return
    ratios = {
        name: compared([getattr(one, name) for one in these], [getattr(one, name) for one in others])
        for name in Start.__struct_fields__
    }
    if as_json:
        row = {name: rounded(comparison) for name, comparison in ratios.items()}
        progress.prints(msgspec.json.encode({**facts, "base": other.name, **row}))
    else:
        progress.prints(_start_line(what, "base", median_of(others)))
        progress.prints(_ratio_line(what, ratios))


def _start_line(what: str, source: str, one: Start) -> str:
    return (
        f"{what}  {source:<8}{one.ready:>9.2f}{one.cpu:>8.2f}{one.at_rest:>9.1f}{one.used:>9.1f}"
        f"{one.shared_out:>9.1f}{one.stall * 1000:>10.1f}"
    )


def _ratio_line(what: str, ratios: dict[str, Comparison]) -> str:
    words = (("ready", "ready"), ("cpu", "CPU"), ("at_rest", "rest"), ("used", "used"), ("shared_out", "Pss"))
    return f"{what}  {'ratio':<8}  " + ", ".join(f"{word} {ratios[name]}" for name, word in words)


def _show(events: Iterable[Event], as_json: bool, progress: Progress) -> None:
    for event in events:
        progress.prints(
            msgspec.json.encode(event)
            if as_json
            else f"{event.name:<26}{event.count:>8}{event.seconds:>9.2f}{event.waited * 1000:>10.1f}"
            f"{event.stall * 1000:>10.1f}{event.cpu:>8.2f}{event.megabytes:>8.1f}"
        )
