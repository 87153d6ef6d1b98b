# SPDX-License-Identifier: Apache-2.0
"""The tables and plots of docs/performance.md, from the rows of `submgr bench … --json`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tools.benchmarks import Row
from tools.plots import Panel, svg

Rows = dict[str, list[Row]]
Lines = Callable[[Rows], Iterator[str]]

_PHASES = ("subscribe", "merge", "delete")
_GO = {
    (1, 1, "subscribe"): (2.6, 3.0),
    (1, 16, "subscribe"): (3.2, 3.3),
    (50, 16, "subscribe"): (1.9, 1.9),
    (50, 64, "subscribe"): (2.3, 2.7),
    (50, 16, "delete"): (2.1, None),
}
"""CPU and p50 of 0.1, divided by those of the Go submgr in turns with it; by E2 nodes, clients and phase."""

_USES = {
    ("recvfrom", "xApp requests"): "the POST",
    ("getrandom", ""): "its SubscriptionId",
    ("sendto", "redis"): "records: the request before its 201, the E2 subscription before its first PDU, the outcome",
    ("recvfrom", "redis"): "that they are written",
    ("sendto", "xApp requests"): "the 201",
    ("sendto", "Routing Manager"): "the route",
    ("recvfrom", "Routing Manager"): "its answer",
    ("sendto", "E2 Termination"): "RIC Subscription Request, over RMR",
    ("recvfrom", "E2 Termination"): "RIC Subscription Response",
    ("poll", ""): "whether the log takes a line, and whether the two kept connections of HTTP are still open",
    ("write", "submgr.log"): "the line of the log",
    ("sendto", "notifications"): "the notification",
    ("recvfrom", "notifications"): "its answer",
    ("epoll_wait", ""): "waiting, for everything together",
    ("getpid", ""): "libev looks before each wait whether the process was forked",
    ("epoll_ctl", ""): "libev names the socket on which a wait begins, which the kernel knows already",
    ("futex", ""): "native threads, one of which looks at the file of settings",
    ("mmap", ""): "memory of Python",
    ("munmap", ""): "memory of Python",
}
"""What a call of this name with this neighbour is for, in the order in which they come."""


def requests(rows: Rows) -> Iterator[str]:
    """CPU and latency of both sources."""
    yield "| E2 nodes × clients | operation | CPU ms, before → now | | p50 ms, before → now | |"
    yield "|---|---|---|---|---|---|"
    for row in _requests(rows):
        load = f"{row['nodes']} × {row['clients']}" if row["phase"] == _PHASES[0] else ""
        cpu, p50 = row["cpu_ms"], row["p50_ms"]
        yield f"| {load} | {row['phase']} | {_change(cpu)} | {_ratio(cpu)} | {_change(p50)} | {_ratio(p50)} |"


def go(rows: Rows) -> Iterator[str]:
    """How far it is to the Go submgr: the ratio of 0.1, times what has become of that since."""
    yield "| E2 nodes × clients | operation | CPU, ours / Go, before → now | p50, ours / Go, before → now |"
    yield "|---|---|---|---|"
    for row in _requests(rows):
        factors = _GO.get((row["nodes"], row["clients"], row["phase"]))
        if factors:
            cpu, p50 = (
                f"{factor:.1f} → {factor * row[name]['ratio']:.1f}" if factor else ""
                for factor, name in zip(factors, ("cpu_ms", "p50_ms"), strict=True)
            )
            yield f"| {row['nodes']} × {row['clients']} | {row['phase']} | {cpu} | {p50} |"


def starts(rows: Rows) -> Iterator[str]:
    """Both sources, without and with subscriptions to restore."""
    yield "| store, restored | | before → now | |"
    yield "|---|---|---|---|"
    figures = (
        ("ready", "ready after, s"),
        ("cpu", "CPU until then, s"),
        ("at_rest", "MB then"),
        ("shared_out", "proportional set size after some requests, MB"),
        ("stall", "longest stall of the event loop, ms"),
    )
    for row in (row for part in ("starts", "restored") for row in rows[part] if "base" in row):
        for number, (name, words) in enumerate(figures):
            factor = 1000 if name == "stall" else 1
            both = {side: row[name][side] * factor for side in ("base", "this")}
            what = f"{row['store']}, {row['stored']:,}" if number == 0 else ""
            yield f"| {what} | {words} | {_change(both)} | {_ratio(row[name])} |"


def syscalls(rows: Rows) -> Iterator[str]:
    """Line by line: which, with whom, how often, what for."""
    (row,) = (row for row in rows["syscalls"] if row.get("phase") == "subscribe" and "syscalls" in row)
    yield "| system call | with | for each subscription | of which in vain | what for |"
    yield "|---|---|---|---|---|"
    rest = 0.0
    order = list(_USES)
    for call in sorted(row["syscalls_about"], key=lambda call: _place(order, (call["name"], call["about"]))):
        if call["calls"] < 0.05:
            rest += call["calls"]
            continue
        what = _USES.get((call["name"], call["about"]), "")
        failed = f"{call['failed']:.1f}" if call["failed"] >= 0.05 else ""
        yield f"| `{call['name']}` | {call['about']} | {call['calls']:.1f} | {failed} | {what} |"
    yield f"| others | | {rest:.1f} | | each less than once in 20 |"
    yield f"| **all** | | **{sum(row['syscalls'].values()):.1f}** | | |"


def _place(order: list[tuple[str, str]], call: tuple[str, str]) -> int:
    return order.index(call) if call in order else len(order)


def floor(rows: Rows) -> Iterator[str]:
    """The bare processes, and the daemon beside them."""
    kinds = {"blocking": "Python, blocking sockets", "gevent": "Python and gevent"}
    yield "| a process that does the socket calls alone | clients | CPU ms for a subscription |"
    yield "|---|---|---|"
    for row in rows["floor"]:
        yield f"| {kinds[row['kind']]} | {row['clients']} | {row['cpu_ms']:.3f} |"
    for row in _requests({"requests": rows["requests"], "requests50": []}):
        if row["phase"] == "subscribe":
            yield f"| this daemon, one E2 node | {row['clients']} | {row['cpu_ms']['this']:.2f} |"


def at_once(rows: Rows) -> Iterator[str]:
    """What one E2 node is asked at a time, this source alone."""
    yield "| operation | a second | p50 ms | p99 ms | CPU ms |"
    yield "|---|---|---|---|---|"
    for row in rows["at_once"]:
        if row.get("phase") in _PHASES:
            times = row.get("told_ms") or row["answered_ms"]
            p50, p99, cpu = (_short(value) for value in (times["p50"], times["p99"], row["cpu_ms"]["submgr"]))
            yield f"| {row['phase']} | {row['per_second']:.0f} | {p50} | {p99} | {cpu} |"


def lists(rows: Rows) -> Iterator[str]:
    """Lists of many subscriptions, this source alone."""
    yield "| 20,000 subscriptions | ms | MB of the answer | the longest that a probe waited meanwhile, ms |"
    yield "|---|---|---|---|"
    for row in rows["lists"]:
        if row["name"].startswith("GET "):
            took, waited = row["seconds"] * 1000, row["waited"] * 1000
            yield f"| {row['name']} | {took:.0f} | {row['megabytes']:.2f} | {waited:.0f} |"


TABLES: dict[str, tuple[tuple[str, ...], Lines]] = {
    "requests": (("requests", "requests50"), requests),
    "go": (("requests", "requests50"), go),
    "at_once": (("at_once",), at_once),
    "lists": (("lists",), lists),
    "starts": (("starts", "restored"), starts),
    "syscalls": (("syscalls",), syscalls),
    "floor": (("floor", "requests"), floor),
}
"""The parts of the measurements that a table is made of, and what makes it."""


def resident_plot(rows: Rows) -> str:
    return _plot(rows["resident"], "resident", "subscriptions that are there before", even=True)


def nodes_plot(rows: Rows) -> str:
    return _plot(rows["nodes"], "nodes", "E2 nodes")


def _plot(rows: list[Row], by: str, across: str, even: bool = False) -> str:
    def series(figure: str) -> dict[str, list[tuple[float, float]]]:
        found: dict[str, list[tuple[float, float]]] = {}
        for phase in ("subscribe", "delete"):
            for side, words in (("base", "before"), ("this", "now")):
                points = [(row[by], row[figure][side]) for row in rows if row["phase"] == phase]
                found[f"{phase}, {words}"] = points
        return found

    return svg(
        [
            Panel("operations a second", across, series("per_second"), even),
            Panel("CPU ms of each", across, series("cpu_ms"), even),
        ]
    )


def _requests(rows: Rows) -> list[Row]:
    every = [*rows["requests"], *rows["requests50"]]
    return [row for row in every if row["phase"] in _PHASES]


def _change(figure: dict[str, Any]) -> str:
    return f"{_short(figure['base'])} → {_short(figure['this'])}"


def _ratio(figure: dict[str, Any]) -> str:
    return f"{figure['ratio']:.2f} ({figure['lowest']:.2f}–{figure['highest']:.2f})"


def _short(value: float) -> str:
    """Three digits that count."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
