# SPDX-License-Identifier: Apache-2.0
"""Programs that tests start: none of them outlives the process of the tests, however that ends."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

START = 60.0
"""Seconds that a program may take to start or to end on a busy machine."""


@functools.cache
def _tie() -> tuple[str, ...]:
    """The kernel kills the program when the process that started it has died (`prctl(PR_SET_PDEATHSIG)`).

    util-linux has a program for that, which then becomes the wanted one: a `preexec_fn` may not run in a process that
    has threads. Elsewhere a program ends with its fixture, and lives on only when the tests are killed.
    """
    tie = ("setpriv", "--pdeathsig", "KILL", "--")
    if shutil.which(tie[0]) is None or subprocess.run([*tie, "true"], capture_output=True, check=False).returncode:
        return ()
    return tie


def spawn(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """`subprocess.Popen`; the program dies with this process. Its process id is that of the program."""
    return subprocess.Popen([*_tie(), *command], **options)
