# SPDX-License-Identifier: Apache-2.0
"""`submgr bench subscribe`: the life of a subscription under load."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import click
import gevent

from submgr.bench import rows, running
from submgr.bench.bed import STORES, BedOptions
from submgr.bench.children import BenchError
from submgr.bench.profiling import find_py_spy
from submgr.bench.running import LONGEST_RUN, PHASES, Output, Run
from submgr.bench.sources import other_source
from submgr.bench.syscalls import find_strace
from submgr.bench.target import E2TERM_PORT, RTMGR_PORT, TargetOptions, check, write_setup
from submgr.bench.xapps import LOOPBACK
from submgr.platform.http.listen import parse_listen
from submgr.platform.progress import Progress


class _TargetAddress(click.ParamType[tuple[str, int]]):
    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        try:
            host, port = parse_listen(value)
        except ValueError:
            host, port = "", 0
        if not host or not port:
            self.fail(f"{value!r} is not HOST:PORT", param, ctx)
        return host, port


@click.command()
@click.option("--store", "stores", multiple=True, type=click.Choice(STORES), default=("sqlite",), show_default=True)
@click.option("--clients", multiple=True, type=click.IntRange(1, 500), default=(1, 16, 64), show_default=True)
@click.option("--count", type=click.IntRange(1, 20_000), default=2000, show_default=True, help="Operations of a phase.")
@click.option("--nodes", "node_counts", multiple=True, type=click.IntRange(1, 1000), default=(8,), show_default=True,
              help="E2 nodes they spread over.")  # fmt: skip
@click.option("--resident", "residents", multiple=True, type=click.IntRange(0, 50_000), default=(0,), show_default=True,
              help="Subscriptions that are there before.")  # fmt: skip
@click.option("--rtmgr-delay", "delays", multiple=True, type=click.FloatRange(0, 1000), default=(0.0,),
              show_default=True, help="Milliseconds that the Routing Manager takes for each answer.")  # fmt: skip
@click.option("--e2-delay", type=click.FloatRange(0, 1000), default=0.0, show_default=True,
              help="Milliseconds that the E2 nodes take for each answer.")  # fmt: skip
@click.option("--at-once", type=click.IntRange(1, 10_000), default=1, show_default=True,
              help="Procedures at a time at one E2 node (controls.maxOngoingE2Procedures).")  # fmt: skip
@click.option("--compare", metavar="REV|DIRECTORY",
              help="Another commit, or a directory with its source: both run in turns, and are compared.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Of --compare.")
@click.option("--profile", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="A flame graph (SVG) of the daemon under the load, by py-spy, in an extra pass.")  # fmt: skip
@click.option("--syscalls", is_flag=True, help="System calls of the daemon by name, by strace, in an extra pass.")
@click.option("--target", type=_TargetAddress(),
              help="The xApp interface of a running Subscription Manager, ours or another: the bench starts its "
              "neighbours only.")  # fmt: skip
@click.option("--target-pid", type=click.IntRange(1), help="Its process on this machine; else its CPU is unknown.")
@click.option("--setup", type=click.Path(file_okay=False, path_type=Path),
              help="Write what the target has to be configured with into this directory, and run nothing.")  # fmt: skip
@click.option("--own-host", default=LOOPBACK, show_default=True, help="This machine, as the target reaches it.")
@click.option("--rtmgr-port", type=click.IntRange(1, 65535), default=RTMGR_PORT, show_default=True,
              help="Of the Routing Manager that the target asks (HTTP).")  # fmt: skip
@click.option("--e2term-port", type=click.IntRange(1, 65535), default=E2TERM_PORT, show_default=True,
              help="Of the E2 Termination that the target sends to (RMR).")  # fmt: skip
@click.option("--rnib", metavar="redis://HOST:PORT", default="",
              help="Where the target looks for E2 nodes, if it does: they are written there.")  # fmt: skip
@click.option("--remote", is_flag=True, help="The target may be on another machine.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per row instead of a table.")
@click.pass_context
def subscribe(
    context: click.Context,
    stores: tuple[str, ...],
    clients: tuple[int, ...],
    count: int,
    node_counts: tuple[int, ...],
    residents: tuple[int, ...],
    delays: tuple[float, ...],
    e2_delay: float,
    at_once: int,
    compare: str | None,
    rounds: int,
    profile: Path | None,
    syscalls: bool,
    target: tuple[str, int] | None,
    target_pid: int | None,
    setup: Path | None,
    own_host: str,
    rtmgr_port: int,
    e2term_port: int,
    rnib: str,
    remote: bool,
    as_json: bool,
) -> None:
    """Subscribe, merge, leave and delete: a second, latencies, CPU. Options that may be repeated make a run for each.

    "subscribe" waits for the notification before the next request of a client, "burst" for the 201 only. Deletes are
    over when the E2 nodes and the Routing Manager hold nothing of them.
    """
    _check_together(context)
    options = None
    if target is not None:
        options = TargetOptions(target, target_pid or 0, own_host, rtmgr_port, e2term_port, rnib, remote)
        stores = ("target",)
    runs = [
        Run(BedOptions(store, delay / 1000, e2_delay / 1000, at_once), resident, nodes, clients, count)
        for store, delay, resident, nodes in product(stores, delays, residents, node_counts)
    ]
    if profile is not None and len(runs) > 1:
        raise click.UsageError("--profile is of one daemon: one store, one delay, one --resident, one --nodes")
    passes = 1 + (profile is not None) + syscalls
    try:
        if setup is not None and options is not None:
            write_setup(options, setup)
            return
        _look_for_tools(profile, syscalls)
        with Progress(len(runs) * len(clients) * PHASES * (2 * rounds if compare else passes)) as progress:
            if compare is not None:
                with other_source(compare) as other:
                    running.compare(runs, other, rounds, progress, as_json)
                return
            if options is not None:
                check(options)
            if not as_json:
                progress.prints(rows.HEAD)
            for run in runs:
                with gevent.Timeout(LONGEST_RUN, BenchError(f"not over after {LONGEST_RUN:g} s")):
                    running.measure(run, options, Output(progress, as_json, profile, syscalls))
    except BenchError as failed:
        raise click.ClickException(str(failed)) from failed


_OF_TARGETS = ("target_pid", "setup", "own_host", "rtmgr_port", "e2term_port", "rnib", "remote")


def _check_together(context: click.Context) -> None:
    """Options that mean nothing together are mistakes of whoever gave them."""
    given = {
        name: f"--{name.replace('_', '-')}"
        for name in context.params
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    if "target" in given:
        for name, option in (("stores", "--store"), ("compare", "--compare"), ("at_once", "--at-once")):
            if name in given:
                raise click.UsageError(f"--target and {option} exclude each other")
        for name in ("profile", "syscalls"):
            if name in given and not {"target_pid", "setup"} & set(given):
                raise click.UsageError(f"--{name} of a target needs --target-pid")
    elif alone := [given[name] for name in _OF_TARGETS if name in given]:
        raise click.UsageError(f"{alone[0]} means nothing without --target")
    if "compare" in given:
        for name in ("profile", "syscalls"):
            if name in given:
                raise click.UsageError(f"--compare and --{name} exclude each other")
    elif "rounds" in given:
        raise click.UsageError("--rounds means nothing without --compare")


def _look_for_tools(profile: Path | None, syscalls: bool) -> None:
    """Raises BenchError when what an extra pass needs is not there, before anything else has been done."""
    if profile is not None:
        find_py_spy()
        if not profile.absolute().parent.is_dir():
            raise BenchError(f"{profile}: there is no directory {profile.absolute().parent}")
    if syscalls:
        find_strace()
