# SPDX-License-Identifier: Apache-2.0
"""`submgr sim …`: the simulators as processes of their own.

Each prints one JSON line that says where it listens, then runs until SIGTERM or SIGINT.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
import msgspec
import redis

from submgr.platform.http.listen import ListenError, parse_listen
from submgr.platform.termination import run_until_terminated
from submgr.rmr.transport import TransportError
from submgr.simulators.e2term import E2TermConfig, E2TermSimulator
from submgr.simulators.events import EventLog
from submgr.simulators.nodes import NodeState
from submgr.simulators.rnib import RnibWriter
from submgr.simulators.rtmgr import RoutingManagerSimulator
from submgr.simulators.rules import R, RuleBook, RuleError
from submgr.simulators.xapp import XappConfig, XappSimulator

_SCRIPT = click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rules to begin with, YAML or JSON: how and when to misbehave.",
)
S = TypeVar("S", bound="Simulator")


class Simulator(Protocol):
    """A simulator that a command runs."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


@click.group()
def sim() -> None:
    """Neighbours to try the Subscription Manager with: they behave well unless a script says otherwise."""


@sim.command()
@click.option("--rmr", default="127.0.0.1:0", show_default=True, help="RMR address; port 0 picks one.")
@click.option("--control", default="127.0.0.1:0", show_default=True, help="Control interface (HTTP).")
@click.option("--node", "nodes", multiple=True, help="Name of a connected E2 node; may be repeated.")
@click.option("--any-node", is_flag=True, help="Every Meid asked for is a connected node.")
@click.option("--submgr", help="host:port (RMR) of the Subscription Manager, for requests of nodes.")
@click.option("--rnib", help="redis://host:port to write the nodes' R-NIB entries to.")
@_SCRIPT
def e2term(
    rmr: str,
    control: str,
    nodes: tuple[str, ...],
    any_node: bool,
    submgr: str | None,
    rnib: str | None,
    script: Path | None,
) -> None:
    """An E2 Termination with E2 nodes behind it."""
    host, port = _address(rmr)
    config = E2TermConfig(host, port, control, nodes, any_node, submgr)
    simulator = E2TermSimulator(config)
    _load(simulator.rules, script)
    if rnib is not None:
        writer = RnibWriter(rnib)
        simulator.on_node_state = partial(write_rnib, writer, simulator.log)
        try:
            writer.start()
        except (redis.RedisError, ValueError) as error:
            raise click.ClickException(f"--rnib {rnib}: {error}") from error
    _start(simulator)
    assert simulator.control is not None
    _run(simulator, rmr=simulator.endpoint, control=simulator.control.address, nodes=list(simulator.nodes))


@sim.command()
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="HTTP address; port 0 picks one.")
@_SCRIPT
def rtmgr(listen: str, script: Path | None) -> None:
    """A Routing Manager."""
    simulator = RoutingManagerSimulator(listen)
    _load(simulator.rules, script)
    _start(simulator)
    _run(simulator, http=simulator.http.address)


@sim.command()
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="HTTP address; port 0 picks one.")
@click.option("--rmr", help="RMR address, for subscribing over RMR; port 0 picks one.")
@click.option("--submgr", help="host:port (RMR) of the Subscription Manager.")
@_SCRIPT
def xapp(listen: str, rmr: str | None, submgr: str | None, script: Path | None) -> None:
    """An xApp that takes notifications."""
    host, port = _address(rmr) if rmr is not None else ("127.0.0.1", None)
    simulator = XappSimulator(XappConfig(listen, host, port, submgr))
    _load(simulator.rules, script)
    _start(simulator)
    facts: dict[str, Any] = {"http": simulator.http.address}
    if rmr is not None:
        facts["rmr"] = f"{host}:{simulator.rmr_port}"
    _run(simulator, **facts)


def write_rnib(writer: RnibWriter, log: EventLog, name: str, state: NodeState) -> None:
    """Writes a node's state. When the database is down, the simulator logs it and goes on."""
    try:
        writer.write(name, state)
    except redis.RedisError as error:
        log.add("rnib", meid=name, state=state.value, error=str(error))


def _address(text: str) -> tuple[str, int]:
    try:
        host, port = parse_listen(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return host or "127.0.0.1", port


def _load(rules: RuleBook[R], script: Path | None) -> None:
    if script is None:
        return
    try:
        rules.load(script)
    except RuleError as error:
        raise click.ClickException(str(error)) from error


def _start(simulator: Simulator) -> None:
    try:
        simulator.start()
    except (ListenError, TransportError) as error:
        raise click.ClickException(str(error)) from error


def _run(simulator: Simulator, **facts: Any) -> None:
    """Prints where the simulator listens, and runs it until SIGTERM or SIGINT."""
    run_until_terminated(lambda: click.echo(msgspec.json.encode(facts)), simulator.stop)
