# SPDX-License-Identifier: Apache-2.0
"""`make bench`: everything worth knowing of this machine and this source in five minutes.

Which part of how many is told on standard error, and a summary at the end on standard output. All rows are kept in
`build/bench.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from tools.benchmarks import Part, Row, ended_in_words, machine, run, store, tell

OUTPUT = Path("build/bench.json")


def parts(store: str) -> list[Part]:
    """What is measured with this store."""
    at = ("subscribe", "--store", store)
    lost = "2000" if store == "redis" else "0"  # E2 Manager's entries are in redis
    return [
        Part("start", "starts, with nothing and with 20,000 subscriptions",
             ("start", "--store", store, "--stored", "0", "--stored", "20000", "--runs", "3"), 30),
        Part("one node", "one E2 node, 1 and 16 clients",
             (*at, "--nodes", "1", "--clients", "1", "--clients", "16", "--count", "500"), 30),
        Part("many nodes", "50 E2 nodes, 16 and 64 clients",
             (*at, "--nodes", "50", "--clients", "16", "--clients", "64", "--count", "1000"), 25),
        Part("slow routes", "a Routing Manager that takes 20 ms for each answer",
             (*at, "--nodes", "50", "--clients", "64", "--count", "500", "--rtmgr-delay", "20"), 20),
        Part("slow node", "one E2 node that takes 20 ms for each answer, and 64 procedures at a time",
             (*at, "--nodes", "1", "--clients", "64", "--count", "500", "--e2-delay", "20", "--at-once", "64"), 15),
        Part("resident", "20,000 subscriptions are there before",
             (*at, "--nodes", "50", "--clients", "16", "--count", "500", "--resident", "20000"), 45),
        Part("large", "events that concern thousands of subscriptions",
             ("large", "--count", "20000", "--lost", lost, "--queued", "2000"), 60),
        Part("floor", "a process that does the socket calls of a subscription and nothing else",
             ("floor", "--count", "3000"), 10),
        Part("system calls", "system calls of a subscription",
             (*at, "--nodes", "1", "--clients", "1", "--count", "100", "--syscalls"), 15, needs="strace"),
    ]  # fmt: skip


def summary(facts: dict[str, Any], found: dict[str, list[Row]]) -> Iterator[str]:
    """The lines that say it all."""
    kind = facts["store"]
    yield f"{facts['cores']} cores, Python {facts['python']}, store {kind}; times in ms, CPU of the daemon alone"
    loads = {
        "one node": "",
        "many nodes": "",
        "slow routes": ", slow routes",
        "slow node": ", slow node",
        "resident": ", 20,000 there",
    }
    yield ""
    yield f"{'':<24}{'nodes':>7}{'clients':>9}{'per s':>8}{'p50':>9}{'p99':>9}{'CPU':>8}"
    for name, about in loads.items():
        for row in found.get(name, []):
            if row.get("phase") in ("subscribe", "merge", "delete"):
                times = row.get("told_ms") or row["answered_ms"]
                yield (
                    f"{row['phase'] + about:<24}{row['nodes']:>7}{row['clients']:>9}{row['per_second']:>8.0f}"
                    f"{times['p50']:>9.2f}{times['p99']:>9.2f}{row['cpu_ms']['submgr']:>8.2f}"
                )
    for row in found.get("floor", []):
        yield f"{'socket calls, ' + row['kind']:<24}{'':>7}{row['clients']:>9}{'':>26}{row['cpu_ms']:>8.2f}"
    yield ""
    for stored in (0, 20_000):
        starts = [row for row in found.get("start", []) if row["stored"] == stored]
        if starts:
            ready, cpu, rest = (median(row[name] for row in starts) for name in ("ready", "cpu", "at_rest"))
            yield f"start with {stored:>6}: ready after {ready:.2f} s, {cpu:.2f} s of CPU, {rest:.0f} MB"
    for row in found.get("large", []):
        yield (
            f"{row['name']:<26}{row['count']:>8}: {row['seconds']:.2f} s, others waited {row['waited'] * 1000:.0f} ms "
            "at most"
        )
    yield ""
    for row in found.get("system calls", []):
        if row.get("phase") == "subscribe" and "syscalls" in row:
            calls = ", ".join(f"{name} {number:.1f}" for name, number in row["syscalls"].items() if number >= 0.1)
            yield f"system calls of a subscription: {sum(row['syscalls'].values()):.1f}: {calls}"


def main() -> None:
    """Exits with 1 when a benchmark failed."""
    kind = store()
    if kind != "redis":
        tell("no redis-server: SQLite is measured in its place (apt-get install redis-server)")
    with ended_in_words():
        found = dict(run(parts(kind)))
    facts = machine()
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"machine": facts, "parts": found}, indent=1) + "\n", encoding="utf-8")
    print("\n".join(summary(facts, found)))
    if kind != "redis":
        print("SQLite was the store, since there is no redis-server here.")
    print(f"All figures: {OUTPUT}")


if __name__ == "__main__":
    main()
