# SPDX-License-Identifier: Apache-2.0
"""The garbage collector looks at the same objects a few times only, and still frees what is young."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, weakref
from submgr.platform.garbage_collection import keep_collections_short, without_collections

class Node: pass

keep_collections_short()
frozen = gc.get_freeze_count()
full = []
gc.callbacks.append(lambda phase, info: phase == "start" and info["generation"] == 2 and full.append(
    sum(gc.get_count()) and len(gc.get_objects())))
kept = [[n] for n in range(200_000)]
assert gc.get_freeze_count() - frozen > 150_000, gc.get_freeze_count()
assert len(full) > 5
# each looked at what was new, not at all there is
assert max(full) < 50_000, full

ring = Node()
ring.ring = ring
gone = weakref.ref(ring)
del ring
kept += [[n] for n in range(50_000)]
assert gone() is None
old = Node()
kept += [[n] for n in range(50_000)]
gone = weakref.ref(old)
del old
assert gone() is None

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
