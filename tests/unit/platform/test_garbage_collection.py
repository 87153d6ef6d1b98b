# SPDX-License-Identifier: Apache-2.0
"""The garbage collector looks at an object once, and still frees what is young."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, weakref
from collections import deque
from submgr.platform.garbage_collection import keep_collections_short, without_collections

class Node: pass

def ring():
    node = Node()
    node.ring = node
    return node

keep_collections_short()
frozen = gc.get_freeze_count()
looked_at = []
gc.callbacks.append(lambda phase, info: phase == "start" and looked_at.append(
    sum(len(gc.get_objects(generation)) for generation in range(info["generation"] + 1))))
kept = [[n] for n in range(200_000)]
assert gc.get_freeze_count() - frozen > 150_000, gc.get_freeze_count()
# each object once, and few at a time
assert sum(looked_at) < 250_000, looked_at
assert max(looked_at) < 10_000, looked_at

gone = weakref.ref(ring())
kept += [[n] for n in range(50_000)]
assert gone() is None
old = Node()
kept += [[n] for n in range(50_000)]
gone = weakref.ref(old)
del old
assert gone() is None

# rings in use while all else is garbage: they stay once at most, when the growth before them is set aside
in_use, all_rings = deque(maxlen=500), weakref.WeakSet()
for _ in range(200_000):
    in_use.append(ring())
    all_rings.add(in_use[-1])
assert len(all_rings) < 30_000
in_use.clear()
gc.collect()
assert len(all_rings) <= 500, len(all_rings)

collections = []
gc.callbacks.append(lambda phase, info: collections.append(phase))
frozen = gc.get_freeze_count()
with without_collections():
    restored = [[n] for n in range(100_000)]
assert collections == [] and gc.isenabled()
assert gc.get_freeze_count() - frozen >= 100_000
"""


def test_in_a_process_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
