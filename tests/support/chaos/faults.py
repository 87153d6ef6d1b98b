# SPDX-License-Identifier: Apache-2.0
"""The faults that chaos draws from: each is applied to a place, and gives the way to undo it.

docs/reliability.md has what must hold under each of them.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import gevent

from submgr.simulators.rules import E2Rule, HttpRule
from support.chaos.place import Place
from support.processes.daemon import NODES
from support.processes.pair import LEASE

Undo = Callable[[], object]
Apply = Callable[[Place, float], Undo]


@dataclass(frozen=True, slots=True)
class Fault:
    """`part`: what of a place it befalls; a part has one fault at a time. `needs`: what the place must have.

    `loses`: the database has not all that was acknowledged, for a while. `ends`: a process may end by it. `again`: an
    xApp may be told a second time, since nobody knows whether it heard. `least`: seconds.
    """

    name: str
    part: str
    apply: Apply
    needs: frozenset[str] = frozenset()
    loses: bool = False
    ends: bool = False
    again: bool = False
    least: float = 0.0


FAULTS: dict[str, Fault] = {}


def fault(name: str, part: str, needs: str = "", **more: Any) -> Callable[[Apply], Apply]:
    def add(apply: Apply) -> Apply:
        FAULTS[name] = Fault(name, part, apply, frozenset(needs.split()), **more)
        return apply

    return add


def possible(place: Place) -> list[Fault]:
    return [each for each in FAULTS.values() if each.needs <= place.has]


# --- processes: the active one in two of three cases


@fault("killed", "process", ends=True, again=True)
def killed(place: Place, dice: float) -> Undo:
    victim = place.victim(dice)
    place.take_over_after(victim)
    place.down(victim)
    return lambda: place.start(victim)


@fault("killed while it starts", "process", ends=True, again=True)
def killed_while_it_starts(place: Place, dice: float) -> Undo:
    victim = place.victim(dice)
    place.down(victim)
    place.start(victim)
    gevent.sleep(2 * dice)
    place.down(victim)
    return lambda: place.start(victim)


@fault("stopped in order", "process", ends=True, again=True)
def stopped_in_order(place: Place, dice: float) -> Undo:
    victim = place.victim(dice)
    place.take_over_after(victim)
    place.down(victim, signal.SIGTERM)
    return lambda: place.start(victim)


@fault("frozen", "process", ends=True, again=True, least=0.3)
def frozen(place: Place, dice: float) -> Undo:
    return place.freeze(place.victim(dice))


@fault("frozen for longer than its lease", "process", "pair", ends=True, again=True, least=LEASE + 1.0)
def frozen_for_longer(place: Place, dice: float) -> Undo:
    victim = place.victim(dice)
    place.take_over_after(victim)
    return place.freeze(victim)


# --- the database, and the way to it


@fault("redis hangs", "redis", "redis", loses=True)
def hangs(place: Place, _: float) -> Undo:
    server = place.redis
    server.suspend()
    return server.resume


@fault("redis read-only", "redis", "redis", loses=True)
def read_only(place: Place, _: float) -> Undo:
    server = place.redis
    place.command(server, "REPLICAOF", "127.0.0.1", "1")
    return lambda: place.command(server, "REPLICAOF", "NO", "ONE")


@fault("redis emptied", "redis", "redis", loses=True)
def emptied(place: Place, _: float) -> Undo:
    place.command(place.redis, "FLUSHALL")
    return place.tell_rnib


@fault("redis killed and back empty", "redis", "redis", loses=True)
def back_empty(place: Place, _: float) -> Undo:
    server = place.redis
    server.kill()

    def undo() -> None:
        server.start()
        place.tell_rnib()

    return undo


@fault("redis fails over to a replica that was behind", "redis", "sentinel", loses=True)
def fails_over(place: Place, dice: float) -> Undo:
    """The Sentinel's word; the replica has heard nothing since up to a second before."""
    place.fail_over(behind=dice)
    return place.tell_rnib


@fault("redis emptied after the active one died", "redis", "pair relay", loses=True, again=True)
def emptied_without_the_active(place: Place, _: float) -> Undo:
    """Its standby, with a warm copy, has what both have lost."""
    victim = place.active_and_followed()
    place.down(victim)
    gevent.sleep(0.3)
    place.command(place.redis, "FLUSHALL")

    def undo() -> None:
        place.tell_rnib()
        place.until(lambda: not place.now(), "the standby is active")
        place.start(victim)

    return undo


@fault("redis slow", "way", "relay")
def slow(place: Place, dice: float) -> Undo:
    for relay in place.relays:
        relay.delay = 0.002 + 0.1 * dice**3
    return lambda: [setattr(relay, "delay", 0.0) for relay in place.relays]


@fault("redis cut off from one", "way", "relay", ends=True, again=True)
def cut_off(place: Place, dice: float) -> Undo:
    victim = place.victim(dice)
    relay = place.relays[place.daemons.index(victim)]
    relay.cut()
    return relay.mend


@fault("disk full", "disk", "disk", loses=True)
def full(place: Place, _: float) -> Undo:
    assert place.disk is not None
    place.disk.fill()
    return place.disk.make_room


# --- the Routing Manager


@fault("Routing Manager down", "routing")
def routing_down(place: Place, _: float) -> Undo:
    place.around.rtmgr.stop()
    return place.around.rtmgr.start


def _routing(name: str, **rule: Any) -> None:
    @fault(f"Routing Manager {name}", "routing")
    def apply(place: Place, _: float) -> Undo:
        rules = place.around.rtmgr.rules
        rules.replace([HttpRule(**rule)])
        return lambda: rules.replace(place.routing_rules)


_routing("slow", delay=0.4)
_routing("hangs", hang=True)
_routing("refuses", status=503)
_routing("does it and a proxy says 504", status=504, done=True)
_routing("does it and hangs up", close=True, done=True)


# --- E2 Termination and nodes


@fault("E2 Termination down", "nodes", "redis")
def e2_termination_down(place: Place, _: float) -> Undo:
    place.around.e2term.stop()
    return place.around.e2term.start


@fault("node flaps", "nodes", "redis")
def flaps(place: Place, dice: float) -> Undo:
    rng = random.Random(dice)
    name = rng.choice(NODES)

    def flap() -> None:
        while True:
            place.around.e2term.disconnect(name) if rng.random() < 0.7 else place.around.e2term.reset_node(name)
            gevent.sleep(rng.random() * 0.3)
            place.around.e2term.connect(name)
            gevent.sleep(rng.random() * 0.5)

    flapping = place.spawn(flap)

    def undo() -> None:
        flapping.kill()
        place.around.e2term.connect(name)

    return undo


def _nodes(name: str, procedure: Literal["subscribe"] | None = None, **rule: Any) -> None:
    """Without R-NIB only subscribes are treated so: an unanswered delete is sent again when its node is back."""

    @fault(f"node answers {name}", "nodes")
    def apply(place: Place, _: float) -> Undo:
        rules = place.around.e2term.rules
        meant = procedure if "redis" in place.has else "subscribe"
        rules.replace([E2Rule(procedure=meant, **rule), *place.node_rules])
        return lambda: rules.replace(place.node_rules)


_nodes("late", delay=0.45)
_nodes("twice", delay=0.01, copies=2, copy_delay=0.05)
_nodes("for others", answer_instance=7, count=10)
_nodes("for another node", answer_meid="gnb_3", count=10)
_nodes("with garbage", payload="00ff17", count=10)
# a node that refuses to delete keeps what it has, and that is taken for its last word
_nodes("with a refusal", "subscribe", refuse="misc: unspecified", count=10)
_nodes("never, lost requests", silent="request", count=10)
_nodes("never, lost answers", silent="answer", count=10)


# --- xApps


@fault("xApps dead", "xapps", again=True)
def xapps_dead(place: Place, _: float) -> Undo:
    place.around.xapp.stop()
    return place.around.xapp.start


def _xapps(name: str, **rule: Any) -> None:
    @fault(f"xApps {name}", "xapps")
    def apply(place: Place, _: float) -> Undo:
        rules = place.around.xapp.rules
        rules.replace([HttpRule(**rule)])
        return rules.clear


_xapps("slow", delay=0.3)
_xapps("refuse", status=503)
_xapps("hang", hang=True)
_xapps("hang up", close=True)
