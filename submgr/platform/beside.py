# SPDX-License-Identifier: Apache-2.0
"""Work in a process of its own: for what would hold the interpreter for long, so that no native thread helps."""

from __future__ import annotations

import resource
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from gevent import monkey

from submgr.platform.native_threads import in_thread

SECONDS = 30.0
"""A process that takes longer is ended."""
MEMORY = 512 << 20
"""Bytes of address space that it may have."""


class BesideError(Exception):
    """The process did not do its work. The message is one line that says why."""


def run_beside(program: str, request: bytes, seconds: float = SECONDS) -> bytes:
    """Runs the Python file `program` with `request` as its input, and returns its output. Others go on meanwhile.

    Raises BesideError: it failed, took more than `seconds` or MEMORY, or could not be started.
    """
    command = [sys.executable, "-P", program]
    try:
        done: Any = _run(command, input=request, capture_output=True, timeout=seconds, preexec_fn=_bound_memory)
    except subprocess.TimeoutExpired:
        raise BesideError(f"not done within {seconds:g} s") from None
    except OSError as failed:
        raise BesideError(f"no process can be started: {failed}") from failed
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise BesideError(f"{Path(program).stem} failed ({done.returncode}): {' '.join(last)[:200]}")
    output: bytes = done.stdout
    return output


def _run(*arguments: Any, **options: Any) -> Any:
    """`subprocess.run` that lets others go on, in a process that gevent has patched and in one that it has not.

    gevent's own `subprocess` would take the exit statuses of all children of an unpatched process.
    """
    if monkey.is_module_patched("subprocess"):
        return subprocess.run(*arguments, **options)
    return in_thread(partial(subprocess.run, *arguments, **options))


def _bound_memory() -> None:
    """Runs in the new process: what it takes would be missing here."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
