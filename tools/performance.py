# SPDX-License-Identifier: Apache-2.0
"""The figures of docs/performance.md: `python -m tools.performance measure [PART …]`, then `… write`.

`measure` runs this source and the one of `BASE` in turns and keeps the rows in docs/performance.json; parts that are
named are measured anew, the others stay. `write` makes the plots and the tables of the page from that file: each table
stands between `<!-- measured: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tools.benchmarks import Part, Row, ended_in_words, machine, run, store
from tools.performance_tables import TABLES, nodes_plot, resident_plot

BASE = "30151ed"
"""The commit with which this source is compared: 0.1, before anybody looked where the CPU goes."""
ROOT = Path(__file__).parents[1]
PAGE, DATA = ROOT / "docs/performance.md", ROOT / "docs/performance.json"
PLOTS = {"performance-resident.svg": resident_plot, "performance-nodes.svg": nodes_plot}
_TABLE = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def parts(store: str) -> list[Part]:
    """What the page is made of."""
    at = ("subscribe", "--store", store)
    against = ("--compare", BASE)
    return [
        Part("requests", "requests at one E2 node, both sources in turns",
             (*at, *against, "--rounds", "3", "--count", "300", "--nodes", "1",
              *_each("--clients", 1, 16)), 95),
        Part("requests50", "requests at 50 E2 nodes, both sources in turns",
             (*at, *against, "--rounds", "3", "--count", "500", "--nodes", "50",
              *_each("--clients", 16, 64)), 85),
        Part("resident", "subscriptions that are there before, both sources",
             (*at, *against, "--rounds", "1", "--count", "300", "--nodes", "50", "--clients", "16",
              *_each("--resident", 0, 5000, 20_000)), 110),
        Part("nodes", "numbers of E2 nodes, both sources",
             (*at, *against, "--rounds", "1", "--count", "300", "--clients", "16",
              *_each("--nodes", 1, 4, 16, 64, 256)), 70),
        Part("starts", "starts, both sources in turns",
             ("start", *_each("--store", *dict.fromkeys((store, "sqlite"))), *against, "--runs", "4"), 40),
        Part("restored", "starts with 20,000 subscriptions, both sources in turns",
             ("start", "--store", store, *against, "--runs", "2", "--stored", "20000"), 55),
        Part("at_once", "one E2 node that takes 20 ms for each answer, and 64 procedures at a time",
             (*at, "--nodes", "1", "--clients", "64", "--count", "1000", "--e2-delay", "20", "--at-once", "64"), 15),
        Part("lists", "lists of 20,000 subscriptions",
             ("large", "--count", "20000", "--lost", "0", "--queued", "0"), 15),
        Part("syscalls", "system calls of a subscription",
             (*at, "--nodes", "1", "--clients", "1", "--count", "200", "--syscalls"), 15, needs="strace"),
        Part("floor", "a process that does the socket calls of a subscription and nothing else",
             ("floor", "--count", "5000"), 10),
    ]  # fmt: skip


def _each(option: str, *values: int | str) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, str(value)))


def measure(names: list[str]) -> None:
    """Measures the parts with these names, all when there are none. Raises BenchmarkFailed."""
    everything = parts(store())
    if unknown := set(names) - {part.name for part in everything}:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(part.name for part in everything)}")
    kept: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {"parts": {}}
    for name, rows in run(part for part in everything if not names or part.name in names):
        kept["parts"][name] = {"machine": machine(), "rows": rows}
        # one that fails later takes nothing away
        DATA.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def write() -> None:
    """Writes plots and tables of what has been measured."""
    measured: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))["parts"]
    rows: dict[str, list[Row]] = {name: part["rows"] for name, part in measured.items()}
    for name, plot in PLOTS.items():
        (ROOT / "docs" / name).write_text(plot(rows), encoding="utf-8")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
    print(f"docs/performance.md, {', '.join(f'docs/{name}' for name in PLOTS)}")


def written(page: str, measured: dict[str, Any]) -> str:
    """The page with its tables made of what has been measured; one of which nothing is measured stays."""

    def table(found: re.Match[str]) -> str:
        begin, name, end = found.groups()
        needs, lines = TABLES[name]
        if not set(needs) <= set(measured):
            return found[0]
        facts = measured[needs[0]]["machine"]
        about = f"{facts['date']}, {facts['cores']} cores, Python {facts['python']}, store {facts['store']}."
        rows = {part: measured[part]["rows"] for part in needs}
        return "\n".join([f"{begin}*Measured {about}*", "", *lines(rows), "", end])

    return _TABLE.sub(table, page)


def main(words: list[str]) -> None:
    match words:
        case ["measure", *names]:
            with ended_in_words():
                measure(names)
        case ["write"]:
            write()
        case _:
            sys.exit("python -m tools.performance measure [PART ...] | write")


if __name__ == "__main__":
    main(sys.argv[1:])
