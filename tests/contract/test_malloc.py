# SPDX-License-Identifier: Apache-2.0
"""Memory that was needed for a moment is given back to the system, also after many large pieces of it."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from submgr.platform.malloc import give_memory_back

if sys.argv[1] == "with":
    give_memory_back()

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

before, kept = resident(), []
for _ in range(20):
    bodies = []
    for _ in range(40):
        body = bytearray()
        while len(body) < 1_000_000:  # as a body is read
            body += b"z" * 65536
        bodies.append(bytes(body))
        kept.append(bytes(3000))  # what is kept of it
    del bodies
print(resident() - before)
"""


def left(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc")
def test_large_pieces_that_were_freed_are_not_kept() -> None:
    assert left("with") < left("without") / 2
