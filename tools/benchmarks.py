# SPDX-License-Identifier: Apache-2.0
"""Runs benchmarks one after the other as `submgr bench … --json`, and tells which of how many on standard error."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


class BenchmarkFailed(Exception):
    """A benchmark ended with an error, which it has told on standard error itself."""


@dataclass(frozen=True, slots=True)
class Part:
    """A benchmark among several.

    `words`: what it is about. `arguments`: of `submgr bench`. `seconds`: how long it takes, about.
    """

    name: str
    words: str
    arguments: tuple[str, ...]
    seconds: int
    needs: str = ""
    """A program without which it is left out."""


def store() -> str:
    """The store that is measured: redis, which a RIC has, or SQLite where there is no redis-server."""
    return "redis" if shutil.which("redis-server") else "sqlite"


def possible(parts: Iterable[Part]) -> tuple[list[Part], list[Part]]:
    """The parts that can be run on this machine, and those that cannot."""
    can: list[Part] = []
    cannot: list[Part] = []
    for part in parts:
        (can if not part.needs or shutil.which(part.needs) else cannot).append(part)
    return can, cannot


def run(wanted: Iterable[Part]) -> Iterator[tuple[str, list[Row]]]:
    """The name and the rows of each part that can be run here, as soon as it is done. Raises BenchmarkFailed."""
    parts, cannot = possible(wanted)
    for part in cannot:
        tell(f"left out, no {part.needs}: {part.words} (apt-get install {part.needs})")
    began = time.monotonic()
    for number, part in enumerate(parts, 1):
        left = sum(one.seconds for one in parts[number - 1 :])
        passed = time.monotonic() - began
        tell(f"[{number}/{len(parts)}] {passed:4.0f} s, about {left} s to go: {part.words}")
        yield part.name, rows(part.arguments)
    tell(f"[{len(parts)}/{len(parts)}] {time.monotonic() - began:4.0f} s, done")


def rows(arguments: Sequence[str]) -> list[Row]:
    """The rows of `submgr bench`. Its own progress stays on standard error."""
    command = [sys.executable, "-m", "submgr", "bench", *arguments, "--json"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        output, _ = running.communicate()
    except BaseException:
        running.send_signal(signal.SIGTERM)  # it ends what it has started
        running.wait()
        raise
    if running.returncode:
        raise BenchmarkFailed(f"submgr bench {' '.join(arguments)}: exit status {running.returncode}")
    return [json.loads(line) for line in output.splitlines()]


def machine() -> dict[str, Any]:
    """What the figures are of."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cores": os.cpu_count(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "store": store(),
    }


@contextmanager
def ended_in_words() -> Iterator[None]:
    """Goes around all that a command does: SIGTERM ends it as Ctrl-C does, and a benchmark that fails ends it with a
    line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    except BenchmarkFailed as failed:
        sys.exit(str(failed))
    except KeyboardInterrupt:
        sys.exit(130)


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
