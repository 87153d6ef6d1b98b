# SPDX-License-Identifier: Apache-2.0
"""A flame graph of a process, by py-spy."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent

from submgr.bench.children import BenchError, on_path

NO_PY_SPY = "py-spy is not on PATH: pip install py-spy"
_PATIENCE = 60.0
_SAMPLES = 200
"""A second."""


def find_py_spy() -> str:
    """Raises BenchError where there is none on PATH."""
    return on_path("py-spy", NO_PY_SPY)


@contextmanager
def profiled(pid: int, graph: Path) -> Iterator[None]:
    """Samples the process during the block and writes a flame graph (SVG) into the file `graph`.

    Raises BenchError when py-spy may not look into the process, or it is not one of Python.
    """
    command = [find_py_spy(), "record", "--pid", str(pid), "--output", str(graph), "--format", "flamegraph"]
    command += ["--rate", str(_SAMPLES), "--duration", "unlimited"]
    spy = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert spy.stdout is not None
    words = b""
    try:
        while b"Sampling" not in words:
            line = spy.stdout.readline()
            if not line:
                raise BenchError(f"py-spy may not look into process {pid}: {_one_line(words)}")
            words += line
        yield
        spy.send_signal(signal.SIGINT)
        with gevent.Timeout(_PATIENCE, BenchError(f"py-spy has not written {graph} for {_PATIENCE:g} s")):
            words, _ = spy.communicate()
        if not graph.is_file():
            raise BenchError(f"py-spy has not written {graph}: {_one_line(words)}")
    finally:
        spy.kill()
        spy.wait()
        spy.stdout.close()


def _one_line(words: bytes) -> str:
    """What py-spy says, without its own stack."""
    said = words.decode(errors="replace").partition("Stack backtrace")[0]
    return " | ".join(filter(None, map(str.strip, said.splitlines()))) or "not a word"
